#include "checkers/readers/edn.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace seatrial::checkers {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr int kDepthMax = 64;
constexpr std::string_view kBlanks = " \t\r\n\f,";
constexpr std::string_view kEnds = " \t\r\n\f,()[]{}\";";

void append_utf8(uint32_t code, std::string& out) {
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

bool is_number(std::string_view token) {
  if (token.starts_with('-') || token.starts_with('+')) token.remove_prefix(1);
  return !token.empty() && token.front() >= '0' && token.front() <= '9';
}

Edn number(std::string_view token) {
  Edn value;
  value.text = token;
  if (token.starts_with('+')) token.remove_prefix(1);
  if (token.ends_with('N')) token.remove_suffix(1);
  const auto [end, error] =
      std::from_chars(token.data(), token.data() + token.size(), value.integer);
  const bool whole = error == std::errc() && end == token.data() + token.size();
  value.kind = whole ? Edn::Kind::kInteger : Edn::Kind::kReal;
  return value;
}

}  // namespace

const Edn* Edn::find(std::string_view keyword) const {
  if (kind != Kind::kMap) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].is_keyword(keyword)) return &items[i + 1];
  }
  return nullptr;
}

std::string Edn::print() const {
  switch (kind) {
    case Kind::kNil: return "nil";
    case Kind::kBoolean: return integer != 0 ? "true" : "false";
    case Kind::kInteger: return std::to_string(integer);
    case Kind::kString: return "\"" + text + "\"";
    case Kind::kKeyword: return ":" + text;
    case Kind::kReal:
    case Kind::kSymbol: return text;
    case Kind::kList:
    case Kind::kMap: break;
  }
  std::string out(1, kind == Kind::kMap ? '{' : '[');
  for (const Edn& item : items) {
    if (out.size() > 1) out += ' ';
    out += item.print();
  }
  return out + (kind == Kind::kMap ? '}' : ']');
}

std::unexpected<base::Error> EdnReader::wrong(std::string_view expected) const {
  std::string_view found = peek_token();
  if (found.empty()) found = rest_.substr(0, 1);
  const std::string what = rest_.empty() ? "the end" : fmt::format("\"{}\"", found.substr(0, 40));
  return fail(Errc::kInvalidData, fmt::format("line {}: {}, expected {}", line_, what, expected));
}

void EdnReader::drop(size_t count) {
  line_ += static_cast<size_t>(std::ranges::count(rest_.substr(0, count), '\n'));
  rest_.remove_prefix(count);
}

std::string_view EdnReader::peek_token() const {
  return rest_.substr(0, std::min(rest_.find_first_of(kEnds), rest_.size()));
}

// Blanks, comments, and forms behind #_.
Result<void> EdnReader::skip() {
  while (true) {
    drop(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
    if (rest_.starts_with(';')) {
      drop(std::min(rest_.find('\n'), rest_.size()));
    } else if (rest_.starts_with("#_")) {
      drop(2);
      TRY(form(0));
    } else {
      return {};
    }
  }
}

Result<bool> EdnReader::enter_vector() {
  TRY(skip());
  if (!rest_.starts_with('[')) return false;
  drop(1);
  inside_vector_ = true;
  return true;
}

Result<bool> EdnReader::has_next() {
  TRY(skip());
  if (!inside_vector_) return !rest_.empty();
  if (rest_.empty()) return wrong("the end of the vector, ]");
  if (!rest_.starts_with(']')) return true;
  drop(1);
  inside_vector_ = false;
  TRY(skip());
  if (!rest_.empty()) return wrong("nothing after the vector of operations");
  return false;
}

Result<Edn> EdnReader::next() { return form(0); }

Result<Edn> EdnReader::form(int depth) {
  TRY(skip());
  if (depth > kDepthMax) return wrong("no deeper nesting than 64");
  if (rest_.empty()) return wrong("a value");
  const size_t line = line_;
  const char first = rest_.front();
  Result<Edn> value = first == '['   ? sequence(']', Edn::Kind::kList, depth)
                      : first == '(' ? sequence(')', Edn::Kind::kList, depth)
                      : first == '{' ? sequence('}', Edn::Kind::kMap, depth)
                      : first == '"' ? string()
                      : first == '#' ? dispatch(depth)
                                     : token();
  if (value) value->line = line;
  return value;
}

Result<Edn> EdnReader::sequence(char end, Edn::Kind kind, int depth) {
  const size_t begun = line_;
  drop(1);
  Edn value;
  value.kind = kind;
  while (true) {
    TRY(skip());
    if (rest_.starts_with(end)) break;
    if (rest_.empty()) return wrong(fmt::format("{} for what opens in line {}", end, begun));
    value.items.push_back(TRY(form(depth + 1)));
  }
  if (kind == Edn::Kind::kMap && value.items.size() % 2 != 0) {
    return wrong("a value for the last key of the map");
  }
  drop(1);
  return value;
}

// A set, a tagged value, or one of Clojure's own (##NaN).
Result<Edn> EdnReader::dispatch(int depth) {
  if (rest_.starts_with("#{")) {
    drop(1);
    return sequence('}', Edn::Kind::kList, depth);
  }
  if (rest_.starts_with("##")) {
    drop(2);
    return token();
  }
  drop(1);
  const std::string_view tag = peek_token();
  if (tag.empty()) return wrong("a tag or { after #");
  drop(tag.size());
  return form(depth + 1);
}

Result<Edn> EdnReader::string() {
  const size_t line = line_;
  drop(1);
  Edn value;
  value.kind = Edn::Kind::kString;
  while (true) {
    const size_t plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) {
      return fail(Errc::kInvalidData,
                  fmt::format("line {}: a string without end, expected \"", line));
    }
    value.text += rest_.substr(0, plain);
    drop(plain);
    if (rest_.front() == '"') break;
    drop(1);
    TRY(escape(value.text));
  }
  drop(1);
  return value;
}

Result<void> EdnReader::escape(std::string& out) {
  constexpr std::string_view kNames = "tnrbf\\\"";
  constexpr std::string_view kMeant = "\t\n\r\b\f\\\"";
  if (rest_.starts_with('u')) {
    uint32_t code = 0;
    const std::string_view digits = rest_.substr(1, 4);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) {
      return wrong("four hexadecimal digits after \\u");
    }
    append_utf8(code, out);
    drop(5);
    return {};
  }
  const size_t at = rest_.empty() ? std::string_view::npos : kNames.find(rest_.front());
  if (at == std::string_view::npos) return wrong("an escape of \\t \\n \\r \\b \\f \\\\ \\\" \\u");
  out += kMeant[at];
  drop(1);
  return {};
}

Result<Edn> EdnReader::token() {
  Edn value;
  if (rest_.starts_with('\\')) {
    // A character: at least one byte after the backslash, whatever it is.
    if (rest_.size() < 2) return wrong("a character");
    const size_t end = std::min(rest_.find_first_of(kEnds, 2), rest_.size());
    value.kind = Edn::Kind::kString;
    value.text = rest_.substr(1, end - 1);
    drop(end);
    return value;
  }
  const std::string_view token = peek_token();
  if (token.empty()) return wrong("a value");
  if (is_number(token)) {
    value = number(token);
  } else if (token == "true" || token == "false") {
    value.kind = Edn::Kind::kBoolean;
    value.integer = token == "true" ? 1 : 0;
  } else if (token.starts_with(':')) {
    if (token.size() == 1) return wrong("a keyword after the colon");
    value.kind = Edn::Kind::kKeyword;
    value.text = token.substr(1);
  } else if (token != "nil") {
    value.kind = Edn::Kind::kSymbol;
    value.text = token;
  }
  drop(token.size());
  return value;
}

}  // namespace seatrial::checkers
