// Decimal numbers as RESP and Redis write them: no sign but '-', no leading zero, no blank. What
// this accepts is exactly what its own formatting gives back.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace seatrial::resp {

inline std::optional<int64_t> parse_integer(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  const bool negative = text[0] == '-';
  const std::string_view digits = negative ? text.substr(1) : text;
  if (digits.empty() || digits.size() > 19) return std::nullopt;
  if (digits[0] == '0') {
    if (text.size() == 1) return 0;
    return std::nullopt;
  }
  uint64_t value = 0;
  for (char c : digits) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(c)) - '0';
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;  // 19 digits always fit.
  }
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (negative) {
    if (value > kMax + 1) return std::nullopt;
    return static_cast<int64_t>(0 - value);
  }
  if (value > kMax) return std::nullopt;
  return static_cast<int64_t>(value);
}

}  // namespace seatrial::resp
