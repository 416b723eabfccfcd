#include "sim/machine/clock.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <gtest/gtest.h>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

TEST(SimClock, EachNodesMonotonicClockBeganAtItsOwnTime) {
  World world({.seed = 4});
  std::vector<os::MonotonicTime> times;
  for (const char* name : {"a", "b"}) {
    world.add_node(name).start("looks", [&](os::Os& os) {
      times.push_back(os.clock.monotonic());
      const os::MonotonicTime begin = os.clock.monotonic();
      EXPECT_TRUE(os.clock.sleep_for(3s));
      EXPECT_EQ(os.clock.monotonic() - begin, 3s);
      return 0;
    });
  }
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
  EXPECT_EQ(world.now_virtual(), 3s);
  ASSERT_EQ(times.size(), 2U);
  EXPECT_NE(times[0], times[1]);
}

TEST(SimClock, DeadlinesAreByTheNodesOwnClock) {
  World world({.seed = 4});
  Node& node = world.add_node("node");
  node.monotonic_offset = 1000h;
  node.start("waits", [&](os::Os& os) {
    os::Event never(os.fibers);
    EXPECT_FALSE(never.wait(os.clock.monotonic() + 2s));
    EXPECT_EQ(world.now_virtual(), 2s);
    EXPECT_FALSE(never.wait(os.clock.monotonic() - 1s)) << "long past";
    EXPECT_EQ(world.now_virtual(), 2s);
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
}

TEST(SimClock, TheWallMayBeOff) {
  World world({.seed = 4});
  world.add_node("right").start("looks", [&](os::Os& os) {
    EXPECT_EQ(os.clock.wall().time_since_epoch(), 1'735'689'600s);
    return 0;
  });
  Node& wrong = world.add_node("wrong");
  wrong.wall_offset = -5min;
  wrong.start("looks", [&](os::Os& os) {
    EXPECT_EQ(os.clock.wall().time_since_epoch(), 1'735'689'600s - 5min);
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
}

}  // namespace
}  // namespace seatrial::sim
