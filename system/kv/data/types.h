// Words that all values share.
#pragma once

#include <cstdint>
#include <string_view>

namespace seatrial::kv {

enum class Type : uint8_t { kString, kList, kSet, kZSet, kHash, kStream };

// As TYPE answers.
std::string_view to_string(Type type);

// Milliseconds since 1970, as Redis counts deadlines.
using WallMs = int64_t;

// Room for the digits of a number that is read as a string.
struct NumberText {
  char bytes[24];
};

}  // namespace seatrial::kv
