#include "kv/float.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace seatrial::kv {
namespace {

TEST(Float, PrintsNoMoreDigitsThanCount) {
  EXPECT_EQ(format_float(10.6L), "10.6");
  EXPECT_EQ(format_float(0.1L + 0.2L), "0.3");
  EXPECT_EQ(format_float(-0.0L), "0");
  EXPECT_EQ(format_float(3), "3");
  EXPECT_EQ(format_float(1e17L), "100000000000000000");
  EXPECT_EQ(format_float(3e-20L), "0");
  EXPECT_EQ(format_float(std::numeric_limits<long double>::infinity()), "inf");
}

TEST(Float, ReadsWhatRedisReads) {
  EXPECT_EQ(parse_float("1.5"), 1.5L);
  EXPECT_EQ(parse_float("-2e3"), -2000.0L);
  EXPECT_EQ(parse_float("0.000"), 0.0L);
  EXPECT_EQ(parse_float("0e9"), 0.0L);
  EXPECT_TRUE(std::isinf(*parse_float("-inf")));
  EXPECT_EQ(parse_float("0x10"), 16.0L);
  for (const std::string text : {"", " 1", "1 ", "abc", "1.2.3", "nan", "1e5000", "1e-6000"}) {
    EXPECT_EQ(parse_float(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_float(std::string("1\0", 2)), std::nullopt);
}

}  // namespace
}  // namespace seatrial::kv
