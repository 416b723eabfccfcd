// How alike two words are, for "did you mean".
#pragma once

#include <cstddef>
#include <string_view>

namespace seatrial::base {

// How many letters must be put in, taken out or replaced to get from one word to the other
// (Levenshtein 1966).
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace seatrial::base
