#include "kv/data/glob.h"

#include <utility>

namespace seatrial::kv {
namespace {

unsigned char fold(char c, bool ignore_case) {
  if (ignore_case && c >= 'A' && c <= 'Z') return static_cast<unsigned char>(c - 'A' + 'a');
  return static_cast<unsigned char>(c);
}

// Matches one character against the class that starts at pattern[i] == '['; moves `i` behind it.
// An unclosed class ends with the pattern, as in Redis.
bool match_class(std::string_view pattern, size_t& i, char c, bool ignore_case) {
  ++i;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  if (negated) ++i;
  const unsigned char wanted = fold(c, ignore_case);
  bool found = false;
  for (; i < pattern.size() && pattern[i] != ']'; ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
      found |= fold(pattern[i], ignore_case) == wanted;
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      unsigned char low = fold(pattern[i], ignore_case);
      unsigned char high = fold(pattern[i + 2], ignore_case);
      if (low > high) std::swap(low, high);
      found |= wanted >= low && wanted <= high;
      i += 2;
    } else {
      found |= fold(pattern[i], ignore_case) == wanted;
    }
  }
  if (i < pattern.size()) ++i;
  return found != negated;
}

// Matches one character at pattern[i], which is not '*'; moves `i` behind what it used.
bool match_one(std::string_view pattern, size_t& i, char c, bool ignore_case) {
  if (pattern[i] == '?') {
    ++i;
    return true;
  }
  if (pattern[i] == '[') return match_class(pattern, i, c, ignore_case);
  if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
  return fold(pattern[i++], ignore_case) == fold(c, ignore_case);
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text, bool ignore_case) {
  constexpr size_t kNone = std::string_view::npos;
  size_t p = 0;
  size_t t = 0;
  // Where to go back to: behind the last '*', and the text that it has swallowed so far. Only
  // the last one matters, so the time is bounded by the product of the lengths.
  size_t star = kNone;
  size_t swallowed = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      swallowed = t;
      continue;
    }
    if (p < pattern.size() && match_one(pattern, p, text[t], ignore_case)) {
      ++t;
      continue;
    }
    if (star == kNone) return false;
    p = star;
    t = ++swallowed;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace seatrial::kv
