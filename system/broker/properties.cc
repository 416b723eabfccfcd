#include "broker/properties.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>

namespace seatrial::broker {
namespace {

constexpr std::string_view kBlanks = " \t\f";

void strip_front(std::string_view& text) {
  const size_t first = text.find_first_not_of(kBlanks);
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

std::string_view take_line(std::string_view& text) {
  const size_t end = text.find_first_of("\r\n");
  const std::string_view line = text.substr(0, end);
  const bool pair = end != std::string_view::npos && text.substr(end).starts_with("\r\n");
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + (pair ? 2 : 1));
  return line;
}

// Ends in a backslash that escapes the end of the line.
bool continues(std::string_view line) {
  size_t backslashes = 0;
  while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// Takes escapes back; none: a \u without its four digits.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char escaped = text[++i];
    if (escaped == 'u') {
      const std::string_view digits = text.substr(i + 1, 4);
      uint32_t code = 0;
      const char* const end = digits.data() + digits.size();
      const auto parsed = std::from_chars(digits.data(), end, code, 16);
      if (digits.size() < 4 || parsed.ptr != end) return std::nullopt;
      append_utf8(out, code);
      i += 4;
      continue;
    }
    constexpr std::string_view kLetters = "tnrf";
    constexpr std::string_view kMeanings = "\t\n\r\f";
    const size_t letter = kLetters.find(escaped);
    out += letter == std::string_view::npos ? escaped : kMeanings[letter];
  }
  return out;
}

// Where the key ends: at the first '=', ':' or blank that is not escaped.
size_t key_end(std::string_view line) {
  size_t end = 0;
  while (end < line.size() &&
         std::string_view("=: \t\f").find(line[end]) == std::string_view::npos) {
    end += line[end] == '\\' ? 2 : 1;
  }
  return std::min(end, line.size());
}

}  // namespace

base::Result<std::vector<Property>> parse_properties(std::string_view file_name,
                                                     std::string_view text) {
  std::vector<Property> properties;
  for (size_t number = 1; !text.empty(); ++number) {
    Property property{.place = fmt::format("{}:{}", file_name, number)};
    std::string_view first = take_line(text);
    strip_front(first);
    if (first.empty() || first[0] == '#' || first[0] == '!') continue;
    std::string line(first);
    while (continues(line)) {
      line.pop_back();
      if (text.empty()) break;
      std::string_view more = take_line(text);
      ++number;
      strip_front(more);
      line += more;
    }
    const size_t end = key_end(line);
    std::string_view value = std::string_view(line).substr(end);
    strip_front(value);
    if (value.starts_with('=') || value.starts_with(':')) value.remove_prefix(1);
    strip_front(value);
    auto key = unescape(std::string_view(line).substr(0, end));
    auto meant = unescape(value);
    if (!key || !meant) {
      return base::fail(base::Errc::kInvalidData,
                        fmt::format("{}: \\u needs four hexadecimal digits", property.place));
    }
    property.key = std::move(*key);
    property.value = std::move(*meant);
    properties.push_back(std::move(property));
  }
  return properties;
}

}  // namespace seatrial::broker
