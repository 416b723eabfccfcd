#include "resp/parser.h"

#include "base/check.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>

namespace seatrial::resp {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f' || c == '\0';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char unescape(char c) {
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

// Reads the rest of a quoted part; `i` stands behind the opening quote and then behind the
// closing one. False: there is no closing quote, or something sticks to it.
bool read_quoted(std::string_view line, size_t& i, char quote, std::string& word) {
  for (; i < line.size(); ++i) {
    const char c = line[i];
    if (c == quote) {
      ++i;
      return i == line.size() || is_blank(line[i]);
    }
    if (c != '\\' || i + 1 >= line.size()) {
      word += c;
    } else if (quote == '\'') {
      if (line[i + 1] == '\'') ++i;
      word += line[i];
    } else if (line[i + 1] == 'x' && i + 3 < line.size() && hex_digit(line[i + 2]) >= 0 &&
               hex_digit(line[i + 3]) >= 0) {
      word += static_cast<char>(hex_digit(line[i + 2]) * 16 + hex_digit(line[i + 3]));
      i += 3;
    } else {
      word += unescape(line[++i]);
    }
  }
  return false;
}

}  // namespace

bool split_words(std::string_view line, std::vector<std::string>& words) {
  words.clear();
  size_t i = 0;
  while (true) {
    while (i < line.size() && is_blank(line[i])) ++i;
    if (i == line.size()) return true;
    std::string& word = words.emplace_back();
    while (i < line.size() && !is_blank(line[i])) {
      const char c = line[i++];
      if (c == '"' || c == '\'') {
        if (!read_quoted(line, i, c, word)) return false;
        break;
      }
      word += c;
    }
  }
}

Parser::Outcome Parser::next(base::Bytes input) {
  consumed_ = 0;
  if (input.empty()) {
    wanted_ = 1;
    return Outcome::kIncomplete;
  }
  return input[0] == '*' ? next_array(input) : next_inline(input);
}

Parser::Outcome Parser::next_inline(base::Bytes input) {
  const size_t newline = input.find('\n');
  if (newline == base::Bytes::npos) {
    if (input.size() > limits_.line_bytes_max) return invalid("too big inline request");
    wanted_ = input.size() + 1;
    return Outcome::kIncomplete;
  }
  base::Bytes line = input.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!split_words(line, inline_words_)) return invalid("unbalanced quotes in request");
  args_.assign(inline_words_.begin(), inline_words_.end());
  args_in_input_ = false;
  consumed_ = newline + 1;
  return Outcome::kRequest;
}

Parser::Outcome Parser::length_line(base::Bytes input, const char* too_long, int64_t& value,
                                    bool& valid) {
  const base::Bytes rest = input.substr(position_);
  // Lengths are short: looking at each byte beats a call.
  size_t end = 1;
  while (end < rest.size() && rest[end] != '\r') ++end;
  if (end >= rest.size()) {
    if (rest.size() > limits_.line_bytes_max) return invalid(too_long);
    wanted_ = input.size() + 2;
    return Outcome::kIncomplete;
  }
  if (end + 1 >= rest.size()) {
    wanted_ = input.size() + 1;
    return Outcome::kIncomplete;
  }
  const auto number = parse_integer(rest.substr(1, end - 1));
  valid = number.has_value();
  value = number.value_or(0);
  position_ += end + 2;
  return Outcome::kRequest;
}

Parser::Outcome Parser::next_array(base::Bytes input) {
  int64_t value = 0;
  bool valid = false;
  if (words_left_ < 0) {
    position_ = 0;
    words_.clear();
    const Outcome outcome = length_line(input, "too big mbulk count string", value, valid);
    if (outcome != Outcome::kRequest) return outcome;
    if (!valid || value > std::numeric_limits<int32_t>::max()) {
      return invalid("invalid multibulk length");
    }
    words_left_ = std::max<int64_t>(value, 0);
  }
  while (words_left_ > 0) {
    if (bulk_length_ < 0) {
      if (position_ >= input.size()) {
        wanted_ = position_ + 1;
        return Outcome::kIncomplete;
      }
      const size_t header = position_;
      if (input[header] != '$') {
        // As in Redis, the header's line must be whole before its first byte is judged.
        const Outcome outcome = length_line(input, "too big bulk count string", value, valid);
        if (outcome != Outcome::kRequest) return outcome;
        return invalid(fmt::format("expected '$', got '{}'", input[header]));
      }
      const Outcome outcome = length_line(input, "too big bulk count string", value, valid);
      if (outcome != Outcome::kRequest) return outcome;
      if (!valid || value < 0 || static_cast<uint64_t>(value) > limits_.bulk_bytes_max) {
        return invalid("invalid bulk length");
      }
      bulk_length_ = value;
    }
    const auto length = static_cast<size_t>(bulk_length_);
    if (input.size() - position_ < length + 2) {
      wanted_ = position_ + length + 2;
      return Outcome::kIncomplete;
    }
    words_.push_back({position_, length});
    position_ += length + 2;
    bulk_length_ = -1;
    --words_left_;
  }
  return finish(input);
}

Parser::Outcome Parser::finish(base::Bytes input) {
  CHECK(bulk_length_ < 0);
  CHECK(position_ <= input.size());
  args_.clear();
  for (const Word& word : words_) args_.push_back(input.substr(word.offset, word.length));
  args_in_input_ = true;
  consumed_ = position_;
  words_left_ = -1;
  // A request of very many words must not hold its memory for ever.
  if (words_.capacity() > 4096) {
    words_.clear();
    words_.shrink_to_fit();
  }
  return Outcome::kRequest;
}

Parser::Outcome Parser::invalid(std::string_view what) {
  error_ = fmt::format("ERR Protocol error: {}", what);
  return Outcome::kInvalid;
}

}  // namespace seatrial::resp
