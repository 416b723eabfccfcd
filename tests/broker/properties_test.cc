#include "broker/properties.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace seatrial::broker {
namespace {

std::string parsed(std::string_view text) {
  const auto properties = parse_properties("f", text);
  if (!properties) return properties.error().message();
  std::string all;
  for (const Property& property : *properties) {
    all += fmt::format("{}[{}]=[{}] ", property.place, property.key, property.value);
  }
  return all;
}

TEST(Properties, KeysAndValuesAreDividedByEqualsColonOrBlank) {
  EXPECT_EQ(parsed("a=b\nc:d\ne f\n"), "f:1[a]=[b] f:2[c]=[d] f:3[e]=[f] ");
  EXPECT_EQ(parsed("  a  =  b c  \n"), "f:1[a]=[b c  ] ");
  EXPECT_EQ(parsed("a==b\nc\nd="), "f:1[a]=[=b] f:2[c]=[] f:3[d]=[] ");
}

TEST(Properties, CommentsAndEmptyLinesSayNothing) {
  EXPECT_EQ(parsed("# a=b\n\n  ! c=d\r\n\t\ne=f"), "f:5[e]=[f] ");
  EXPECT_EQ(parsed("a=b # no comment"), "f:1[a]=[b # no comment] ");
}

TEST(Properties, ABackslashContinuesTheLine) {
  EXPECT_EQ(parsed("a=b,\\\n   c\nd=e"), "f:1[a]=[b,c] f:3[d]=[e] ");
  EXPECT_EQ(parsed("a=b\\\\\nc=d"), "f:1[a]=[b\\] f:2[c]=[d] ");
  EXPECT_EQ(parsed("# a\\\nb=c"), "f:2[b]=[c] ");
  EXPECT_EQ(parsed("a=b\\\r\n c\\"), "f:1[a]=[bc] ");
}

TEST(Properties, EscapesAreTakenBack) {
  EXPECT_EQ(parsed("a\\ b\\=c=d\\te"), "f:1[a b=c]=[d\te] ");
  EXPECT_EQ(parsed("a=\\u0041\\u00e9\\u20ac"), "f:1[a]=[A\u00e9\u20ac] ");
  EXPECT_EQ(parsed("a=\\q"), "f:1[a]=[q] ");
  EXPECT_EQ(parsed("a=b\nc=\\u12"), "f:2: \\u needs four hexadecimal digits");
}

}  // namespace
}  // namespace seatrial::broker
