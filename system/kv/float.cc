#include "kv/float.h"

#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace seatrial::kv {
namespace {

// What the longest number in use takes; longer texts are none.
constexpr size_t kTextMax = 5 * 1024;

}  // namespace

std::optional<long double> parse_float(std::string_view text) {
  if (text.empty() || text.size() > kTextMax) return std::nullopt;
  if (std::isspace(static_cast<unsigned char>(text[0])) != 0) return std::nullopt;
  const std::string copy(text);
  char* end = nullptr;
  const long double value = std::strtold(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size()) return std::nullopt;
  if (std::isnan(value)) return std::nullopt;
  // Too large, or too near to 0, for its digits.
  const std::string_view digits = text.substr(0, text.find_first_of("eE"));
  const bool overflows = std::isinf(value) && text.find_first_of("nN") == std::string_view::npos;
  const bool vanishes = value == 0 && digits.find_first_of("123456789") != std::string_view::npos;
  if (overflows || vanishes) return std::nullopt;
  return value;
}

std::string format_float(long double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text(kTextMax, '\0');
  const int length = std::snprintf(text.data(), text.size(), "%.17Lf", value);
  text.resize(static_cast<size_t>(length));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace seatrial::kv
