// Bytes are chars: what goes over wires and into files here is mostly text, and string_view's
// vocabulary (find, starts_with, substr) is the one we need.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace seatrial::base {

using Bytes = std::string_view;        // To read.
using MutableBytes = std::span<char>;  // To fill.

}  // namespace seatrial::base
