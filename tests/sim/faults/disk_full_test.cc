#include "tests/sim/faults/one_fault.h"

#include <fmt/format.h>

#include <vector>

namespace seatrial::sim {
namespace {

class DiskFullFault : public OneFault {};

TEST_F(DiskFullFault, FillsTheDiskForAWhile) {
  std::vector<std::string> outcomes;
  serve([&](os::Os& os) {
    EXPECT_EQ(write_file(os, "old", "there already", true), "ok");
    for (int i = 0; i < 6; ++i) {
      (void)os.clock.sleep_for(1s);
      outcomes.push_back(write_file(os, fmt::format("new{}", i), "12345678", true));
    }
    return 0;
  });
  strike({.at = 2500ms, .kind = "disk.full", .target = "server", .lasts = 2s, .count = 8}, 8s);
  ASSERT_GE(outcomes.size(), 6U);
  const std::vector<std::string> expected{"ok", "ok", "ok", "no space left on disk", "ok", "ok"};
  EXPECT_EQ(std::vector(outcomes.begin(), outcomes.begin() + 6), expected)
      << "eight bytes were left for the third";
  EXPECT_EQ(struck("disk.full"), 1U);
}

TEST_F(DiskFullFault, WhatIsThereCanBeWrittenOver) {
  std::string over;
  std::string beyond;
  serve([&](os::Os& os) {
    EXPECT_EQ(write_file(os, "old", "there already", true), "ok");
    (void)os.clock.sleep_for(3s);
    over = write_file(os, "old", "written again", true);
    beyond = write_file(os, "old", "written again, and more", true);
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "disk.full", .target = "server", .lasts = 20s});
  EXPECT_EQ(over, "ok");
  EXPECT_EQ(beyond, "no space left on disk");
}

TEST_F(DiskFullFault, TheEndOfTheStormMakesRoom) {
  std::string after;
  serve([&](os::Os& os) {
    (void)os.clock.sleep_for(20s);
    after = write_file(os, "new", "12345678", true);
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "disk.full", .target = "server", .lasts = 30min}, 10s);
  EXPECT_EQ(after, "ok");
}

}  // namespace
}  // namespace seatrial::sim
