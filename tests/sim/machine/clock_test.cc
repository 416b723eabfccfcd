#include "sim/machine/clock.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

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
  node.clock().boot(VirtualTime(0), 1000h);
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
  wrong.jump_wall(-5min);
  wrong.start("looks", [&](os::Os& os) {
    EXPECT_EQ(os.clock.wall().time_since_epoch(), 1'735'689'600s - 5min);
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
}

TEST(NodeClock, ADriftingClockIsExactToTheNanosecond) {
  NodeClock clock;
  clock.make(VirtualTime(0), 250, 0s);
  clock.boot(VirtualTime(0), 0s);
  EXPECT_EQ(clock.monotonic(10s).time_since_epoch(), 10s + 2500us);
  EXPECT_EQ(clock.wall(10s) - kEpoch, 10s + 2500us);
  EXPECT_EQ(clock.wall_error(4000ns), 1ns);
  EXPECT_EQ(clock.wall_error(3999ns), 0ns);
  NodeClock slow;
  slow.make(VirtualTime(0), -500'000, 0s);
  slow.boot(VirtualTime(0), 0s);
  EXPECT_EQ(slow.monotonic(24h * 365).time_since_epoch(), 12h * 365);
}

TEST(NodeClock, ABootStartsTheMonotonicClockAnew) {
  NodeClock clock;
  clock.make(VirtualTime(0), -300, 1s);
  clock.boot(VirtualTime(0), 1000s);
  const VirtualTime error = clock.wall_error(90s);
  clock.boot(90s, 5s);
  EXPECT_EQ(clock.monotonic(90s).time_since_epoch(), 5s);
  EXPECT_EQ(clock.wall_error(90s), error);
}

TEST(NodeClock, RemembersHowFarOffTheWallClockWas) {
  NodeClock clock;
  EXPECT_EQ(clock.wall_errors(10s).spread(), 0s);
  clock.make(VirtualTime(0), 0, 3s);
  EXPECT_EQ(clock.wall_errors(10s).spread(), 0s) << "always off by as much";
  clock.set_wall(10s, -5s);
  clock.set_wall(20s, 1s);
  EXPECT_EQ(clock.wall_errors(20s).least, -2s);
  EXPECT_EQ(clock.wall_errors(20s).most, 3s);
  NodeClock drifts;
  drifts.make(VirtualTime(0), -1000, 0s);
  drifts.set_wall(10s, 15ms);
  EXPECT_EQ(drifts.wall_errors(10s).least, -10ms);
  EXPECT_EQ(drifts.wall_errors(30s).least, -15ms);
  EXPECT_EQ(drifts.wall_errors(30s).most, 5ms);
}

struct AnyClock {
  explicit AnyClock() {
    const auto off = [] {
      return VirtualTime(*rc::gen::inRange<int64_t>(-100'000'000'000, 100'000'000'000));
    };
    clock.make(VirtualTime(0), *rc::gen::inRange<int64_t>(-500'000, 500'001), off());
    clock.boot(VirtualTime(0), VirtualTime(*rc::gen::inRange<int64_t>(0, 1'000'000'000'000'000)));
  }
  NodeClock clock;
};

RC_GTEST_PROP(NodeClockProperty, MonotonicNeverRunsBack, ()) {
  NodeClock clock = AnyClock().clock;
  const auto steps = *rc::gen::container<std::vector<int64_t>>(rc::gen::oneOf(
      rc::gen::inRange<int64_t>(0, 5), rc::gen::inRange<int64_t>(0, 10'000'000'000)));
  VirtualTime now{0};
  os::MonotonicTime last = clock.monotonic(now);
  for (const int64_t step : steps) {
    now += VirtualTime(step);
    RC_ASSERT(clock.monotonic(now) >= last);
    last = clock.monotonic(now);
    // Whoever sets the wall clock changes nothing about it.
    clock.set_wall(now, VirtualTime(*rc::gen::inRange<int64_t>(-10'000'000'000, 10'000'000'000)));
    RC_ASSERT(clock.monotonic(now) == last);
  }
}

RC_GTEST_PROP(NodeClockProperty, ADeadlineIsMetAtItsFirstInstant, ()) {
  const NodeClock clock = AnyClock().clock;
  const VirtualTime armed(*rc::gen::inRange<int64_t>(0, 100'000'000'000));
  const os::MonotonicTime deadline =
      clock.monotonic(armed) + VirtualTime(*rc::gen::inRange<int64_t>(-10, 100'000'000'000));
  const VirtualTime due = clock.world_time(deadline).time_since_epoch();
  RC_ASSERT(clock.monotonic(due) >= deadline);
  RC_ASSERT(clock.monotonic(due - 1ns) < deadline);
}

RC_GTEST_PROP(NodeClockProperty, WallErrorsHoldAllThatItShowed, ()) {
  NodeClock clock = AnyClock().clock;
  const auto steps =
      *rc::gen::container<std::vector<int64_t>>(rc::gen::inRange<int64_t>(0, 10'000'000'000));
  std::vector<VirtualTime> shown;
  VirtualTime now{0};
  const auto look = [&] { shown.push_back(clock.wall(now) - kEpoch - now); };
  look();
  for (const int64_t step : steps) {
    now += VirtualTime(step);
    look();
    clock.set_wall(now, VirtualTime(*rc::gen::inRange<int64_t>(-10'000'000'000, 10'000'000'000)));
    look();
  }
  RC_ASSERT(clock.wall_errors(now).least == *std::ranges::min_element(shown));
  RC_ASSERT(clock.wall_errors(now).most == *std::ranges::max_element(shown));
}

TEST(NodeClock, ADeadlineThatNeverComesStaysSo) {
  NodeClock clock;
  clock.make(VirtualTime(0), -500'000, 0s);
  EXPECT_EQ(clock.world_time(os::kNever), os::kNever);
  EXPECT_EQ(clock.world_time(os::kNever - 1s), os::kNever) << "later than the world can tell";
}

TEST(SimClock, WaitsAndSleepsOfADriftingNodeLastByItsOwnClock) {
  for (const VirtualTime drift : {100'000us, 77us}) {
    Weather weather;
    weather.clock.drift_per_second_max = drift;
    World world({.seed = 4, .weather = weather});
    Node& node = world.add_node("node");
    node.set_service("waits", [&] {
      return [&](os::Os& os) {
        for (int i = 0; i < 100; ++i) {
          const os::MonotonicTime begin = os.clock.monotonic();
          const VirtualTime before = world.now_virtual();
          const VirtualTime lasts(1'234'567 * (i + 1));
          if (i % 2 == 0) {
            EXPECT_TRUE(os.clock.sleep_until(begin + lasts));
          } else {
            os::Event never(os.fibers);
            EXPECT_FALSE(never.wait(begin + lasts));
          }
          EXPECT_GE(os.clock.monotonic() - begin, lasts);
          EXPECT_LE(os.clock.monotonic() - begin, lasts + 1ns);
          const VirtualTime took = world.now_virtual() - before;
          EXPECT_EQ(took<lasts, node.clock().rate_ppm()> 0);
        }
        world.stop();
        return 0;
      };
    });
    EXPECT_NE(node.clock().rate_ppm(), 0);
    EXPECT_EQ(world.run(), Outcome::kStopped);
  }
}

TEST(SimClock, OnlyThoseWhoServeAreOffAndEachBootBringsASkewOfItsOwn) {
  Weather weather;
  weather.clock.skew_max = 5s;
  World world({.seed = 4, .weather = weather});
  Node& client = world.add_node("client");
  Node& server = world.add_node("server");
  server.set_service("idle", [] {
    return [](os::Os& os) {
      (void)os.clock.sleep_for(1h);
      return 0;
    };
  });
  const VirtualTime first = server.clock().wall_error(VirtualTime(0));
  EXPECT_NE(first, 0s);
  EXPECT_LE(std::chrono::abs(first), 5s);
  EXPECT_EQ(server.clock().wall_errors(VirtualTime(0)).spread(), 0s);
  world.administer("weather", [&] {
    world.sleep(1s);
    const os::MonotonicTime before = server.clock().monotonic(1s);
    server.power_off();
    world.sleep(1s);
    server.power_on();
    EXPECT_NE(server.clock().wall_error(2s), first);
    EXPECT_LE(std::chrono::abs(server.clock().wall_error(2s)), 5s);
    EXPECT_NE(server.clock().monotonic(2s), before + 1s) << "counts from the boot";
    EXPECT_EQ(client.clock().wall_error(2s), 0s);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

}  // namespace
}  // namespace seatrial::sim
