// The ambient faults of the fork family: fork.pause, fork.late_reap, fork.pid_reuse, fork.scarce.
#include "tests/sim/faults/one_fault.h"

#include <algorithm>
#include <vector>

namespace seatrial::sim {
namespace {

struct TenKib : os::Snapshot {
  std::unique_ptr<os::Snapshot> freeze() const override { return std::make_unique<TenKib>(); }
  uint64_t bytes() const override { return 10 * 1024; }
};

// What a process met that made a hundred children, one after the other, which end at once;
// half of them in the storm, the others after it.
struct Met {
  Weather weather;
  std::vector<VirtualTime> pauses;  // In fork().
  std::vector<VirtualTime> waits;   // For a child's end.
  std::vector<os::Pid> pids;
  size_t failed = 0;
};

Met hundred_children(std::string_view kind, uint64_t seed) {
  const Plan plan = draw_plan(kind, seed, {.servers = {"node"}, .storm = 10s});
  Met met{.weather = plan.weather, .pauses = {}, .waits = {}, .pids = {}};
  World world({.seed = seed, .weather = plan.weather});
  std::unique_ptr<Storm> storm;
  world.add_node("node").start("parent", [&](os::Os& os) {
    for (int i = 0; i < 100; ++i) {
      (void)os.clock.sleep_for(1s);
      const VirtualTime begin = world.now_virtual();
      auto child =
          os.process.fork("child", TenKib(), [](os::Os&, const os::Snapshot&) { return 0; });
      met.pauses.push_back(world.now_virtual() - begin);
      if (!child) {
        ++met.failed;
        continue;
      }
      const VirtualTime forked = world.now_virtual();
      met.pids.push_back(*child);
      EXPECT_TRUE(os.process.wait(*child));
      met.waits.push_back(world.now_virtual() - forked);
    }
    world.stop();
    return 0;
  });
  world.administer("director", [&] {
    storm = std::make_unique<Storm>(world, plan);
    world.sleep(50s);
    storm->end();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  return met;
}

TEST(ForkWeather, FairForksTakeNoTimeAndDoNotFail) {
  const Met met = hundred_children("fork.pid_reuse", 1);
  EXPECT_EQ(*std::max_element(met.pauses.begin(), met.pauses.end()), 0s);
  EXPECT_EQ(*std::max_element(met.waits.begin(), met.waits.end()), 0s);
  EXPECT_EQ(met.failed, 0U);
}

TEST(ForkWeather, PauseGrowsWithTheDataAndEndsWithTheStorm) {
  const Met met = hundred_children("fork.pause", 1);
  EXPECT_GT(met.weather.process.fork_pause_per_kib, 0us);
  EXPECT_EQ(met.pauses.front(), met.weather.process.fork_pause_per_kib * 10);
  EXPECT_EQ(met.pauses.back(), 0s);
}

TEST(ForkWeather, LateReapTellsOfAnEndLater) {
  const Met met = hundred_children("fork.late_reap", 1);
  const auto latest = std::max_element(met.waits.begin(), met.waits.end());
  EXPECT_GT(*latest, met.weather.process.reap_delay_max / 2);
  EXPECT_LE(*latest, met.weather.process.reap_delay_max);
  EXPECT_EQ(met.waits.back(), 0s) << "the storm is over";
}

TEST(ForkWeather, PidReuseGivesAPidAgainSoon) {
  const Met met = hundred_children("fork.pid_reuse", 1);
  std::vector<os::Pid> pids = met.pids;
  std::ranges::sort(pids);
  pids.erase(std::ranges::unique(pids).begin(), pids.end());
  EXPECT_LE(pids.size(), met.weather.process.pids);
  EXPECT_LT(pids.size(), 10U);
}

TEST(ForkWeather, ScarceForksFailNowAndThenUntilTheStormEnds) {
  size_t failed = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Met met = hundred_children("fork.scarce", seed);
    EXPECT_GT(met.weather.process.fork_failure_chance, 0.0);
    failed += met.failed;
    EXPECT_GE(met.pids.size(), 50U);
  }
  EXPECT_GT(failed, 10U);
}

}  // namespace
}  // namespace seatrial::sim
