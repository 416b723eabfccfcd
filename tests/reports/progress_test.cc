#include "reports/progress.h"

#include <gtest/gtest.h>

namespace seatrial::reports {
namespace {

using namespace std::chrono_literals;

TEST(Progress, ATerminalLineIsOverwritten) {
  Progress progress({.terminal = true, .paint = {}, .runs_total = 1000, .time_total = {}});
  EXPECT_EQ(progress.update(0, 0, 0ms), "\r\x1b[K0 of 1,000 seeds, 0 failed");
  EXPECT_EQ(progress.update(50, 0, 99ms), "");
  EXPECT_EQ(progress.update(100, 2, 2s),
            "\r\x1b[K100 of 1,000 seeds, 2 failed, 50.0 seeds/s, 18.0 s left");
  EXPECT_EQ(progress.clear(), "\r\x1b[K");
  EXPECT_EQ(progress.clear(), "");
}

TEST(Progress, FailuresAreRedOnlyWithColours) {
  Progress progress({.terminal = true, .paint = {true}, .runs_total = {}, .time_total = {}});
  EXPECT_EQ(progress.update(10, 0, 1s), "\r\x1b[K10 seeds, 0 failed, 10.0 seeds/s");
  EXPECT_EQ(progress.update(20, 1, 2s), "\r\x1b[K20 seeds, \x1b[31m1 failed\x1b[0m, 10.0 seeds/s");
}

TEST(Progress, WithoutATerminalPlainLinesComeEveryFewSeconds) {
  Progress progress({.terminal = false, .paint = {}, .runs_total = 1000, .time_total = {}});
  EXPECT_EQ(progress.update(0, 0, 0s), "");
  EXPECT_EQ(progress.update(99, 0, 4999ms), "");
  EXPECT_EQ(progress.update(100, 0, 5s),
            "100 of 1,000 seeds, 0 failed, 20.0 seeds/s, 45.0 s left\n");
  EXPECT_EQ(progress.update(150, 0, 9s), "");
  EXPECT_EQ(progress.update(200, 0, 10s),
            "200 of 1,000 seeds, 0 failed, 20.0 seeds/s, 40.0 s left\n");
  EXPECT_EQ(progress.clear(), "");
}

TEST(Progress, ATimeLimitTellsWhatIsLeft) {
  Progress progress({.terminal = true, .paint = {}, .runs_total = {}, .time_total = 10min});
  EXPECT_EQ(progress.update(100, 0, 1min),
            "\r\x1b[K100 seeds, 0 failed, 1.67 seeds/s, 9 min 00 s left");
  EXPECT_EQ(progress.update(900, 0, 11min), "\r\x1b[K900 seeds, 0 failed, 1.36 seeds/s, 0 ms left");
}

TEST(Progress, TheEarlierOfTwoLimitsCounts) {
  Progress progress({.terminal = true, .paint = {}, .runs_total = 200, .time_total = 10min});
  EXPECT_EQ(progress.update(100, 0, 10s),
            "\r\x1b[K100 of 200 seeds, 0 failed, 10.0 seeds/s, 10.0 s left");
}

TEST(Progress, NoEstimateOverflows) {
  Progress progress({.terminal = true, .paint = {}, .runs_total = UINT64_MAX, .time_total = {}});
  EXPECT_NE(progress.update(1, 0, 24h).find(" d "), std::string::npos);
}

}  // namespace
}  // namespace seatrial::reports
