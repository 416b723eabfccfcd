// Numbers with a fraction as Redis reads and writes them: INCRBYFLOAT and its kin compute in the
// 80 bits of x87, so that sums of decimal fractions mostly print as such.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace seatrial::kv {

// nullopt: no number, blanks before or after it, out of range, or not a number (NaN). "inf" is one.
std::optional<long double> parse_float(std::string_view text);

// With up to 17 digits after the point, and no zeros at their end.
std::string format_float(long double value);

}  // namespace seatrial::kv
