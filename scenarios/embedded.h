// The scenario and suite files, as the build found them: see cmake/embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace seatrial::scenarios {

struct EmbeddedFile {
  std::string_view path;  // "kv/register.toml", "suites/smoke.toml": below scenarios/, sorted.
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace seatrial::scenarios
