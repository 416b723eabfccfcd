#include "kv/data/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

TEST(Glob, MatchesAsRedisDoes) {
  struct Case {
    const char* pattern;
    const char* text;
    bool matches;
  };
  const Case kCases[] = {{"*", "", true},          {"*", "abc", true},
                         {"", "", true},           {"", "a", false},
                         {"a*c", "abbbc", true},   {"a*c", "abbbd", false},
                         {"a?c", "abc", true},     {"a?c", "ac", false},
                         {"[abc]", "b", true},     {"[abc]", "d", false},
                         {"[^abc]", "d", true},    {"[^abc]", "a", false},
                         {"[a-c]x", "bx", true},   {"[c-a]x", "bx", true},
                         {"\\*", "*", true},       {"\\*", "a", false},
                         {"[\\]]", "]", true},     {"a**b", "axxb", true},
                         {"*a*b*", "xaxbx", true}, {"*a*b*", "xbxax", false},
                         {"[", "[", false},        {"h[ae]llo", "hello", true}};
  for (const Case& one : kCases) {
    EXPECT_EQ(glob_match(one.pattern, one.text), one.matches) << one.pattern << " " << one.text;
  }
  EXPECT_TRUE(glob_match("MaX*", "maxclients", true));
  EXPECT_FALSE(glob_match("MaX*", "maxclients"));
}

TEST(Glob, ManyStarsTakeNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace seatrial::kv
