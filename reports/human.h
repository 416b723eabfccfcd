// Numbers, times and colours as a person reads them on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace seatrial::reports {

// "1,234,567"
std::string grouped(uint64_t number);
// "450 ms", "9.8 s", "3 min 12 s", "5 h 07 min", "12 d 03 h"
std::string spoken(std::chrono::nanoseconds time);
// "51.0", "1,170": three digits that matter.
std::string rounded(double number);
// A singular or plural: "1 seed", "2 seeds".
std::string counted(uint64_t number, std::string_view noun);

// Wraps text into a terminal's colour codes, or leaves it alone.
struct Paint {
  bool coloured = false;

  std::string red(std::string_view text) const { return wrap("31", text); }
  std::string green(std::string_view text) const { return wrap("32", text); }
  std::string yellow(std::string_view text) const { return wrap("33", text); }
  std::string bold(std::string_view text) const { return wrap("1", text); }
  std::string faint(std::string_view text) const { return wrap("2", text); }

 private:
  std::string wrap(std::string_view code, std::string_view text) const;
};

}  // namespace seatrial::reports
