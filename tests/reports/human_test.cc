#include "reports/human.h"

#include <gtest/gtest.h>

namespace seatrial::reports {
namespace {

using namespace std::chrono_literals;

TEST(Human, GroupsThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Human, SpeaksTimesInTheUnitsThatFit) {
  EXPECT_EQ(spoken(0ns), "0 ms");
  EXPECT_EQ(spoken(450ms), "450 ms");
  EXPECT_EQ(spoken(999900us), "1.0 s");
  EXPECT_EQ(spoken(9800ms), "9.8 s");
  EXPECT_EQ(spoken(59970ms), "1 min 00 s");
  EXPECT_EQ(spoken(192s), "3 min 12 s");
  EXPECT_EQ(spoken(5h + 7min), "5 h 07 min");
  EXPECT_EQ(spoken(291h), "12 d 03 h");
}

TEST(Human, RoundsToThreeDigits) {
  EXPECT_EQ(rounded(0), "0.00");
  EXPECT_EQ(rounded(9.996), "10.0");
  EXPECT_EQ(rounded(51.04), "51.0");
  EXPECT_EQ(rounded(1170.4), "1,170");
  EXPECT_EQ(rounded(1e30), "1e+30");
}

TEST(Human, CountsInSingularAndPlural) {
  EXPECT_EQ(counted(1, "seed"), "1 seed");
  EXPECT_EQ(counted(0, "seed"), "0 seeds");
  EXPECT_EQ(counted(2000, "seed"), "2,000 seeds");
}

TEST(Human, PaintsOnlyWhenToldSo) {
  EXPECT_EQ(Paint{false}.red("x"), "x");
  EXPECT_EQ(Paint{true}.red("x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Paint{true}.red(""), "");
}

}  // namespace
}  // namespace seatrial::reports
