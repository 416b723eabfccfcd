// The page that picture.h fills in, as the build found it: see cmake/embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace seatrial::checkers {

struct EmbeddedFile {
  std::string_view path;  // "picture.html": below checkers/.
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace seatrial::checkers
