// What a request is to everybody behind the parser: its words, the command's name first. The
// views point into the connection's input and are good until the next request is parsed.
#pragma once

#include <span>
#include <string_view>

namespace seatrial::resp {

using Args = std::span<const std::string_view>;

}  // namespace seatrial::resp
