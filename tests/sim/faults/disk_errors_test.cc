// disk.sync_error, disk.write_error and disk.stall.
#include "tests/sim/faults/one_fault.h"

#include <algorithm>
#include <vector>

namespace seatrial::sim {
namespace {

class DiskFault : public OneFault {
 protected:
  // Every second, writes and syncs; notes what comes of it.
  void write_every_second(bool sync) {
    serve([this, sync](os::Os& os) {
      for (int i = 0; i < 8; ++i) {
        (void)os.clock.sleep_for(1s);
        const VirtualTime begin = world.now_virtual();
        outcomes.push_back(write_file(os, "data", "12345678", sync));
        slowest = std::max(slowest, world.now_virtual() - begin);
      }
      (void)os.clock.sleep_for(1h);
      return 0;
    });
  }
  std::vector<std::string> outcomes;
  VirtualTime slowest{0};
};

TEST_F(DiskFault, ASyncErrorFailsTheNextSyncAndOnlyThat) {
  write_every_second(true);
  strike({.at = 2500ms, .kind = "disk.sync_error", .target = "server"});
  ASSERT_EQ(outcomes.size(), 8U);
  EXPECT_EQ(std::ranges::count(outcomes, "ok"), 7);
  EXPECT_NE(outcomes[2], "ok");
  EXPECT_EQ(struck("disk.sync_error"), 1U);
}

TEST_F(DiskFault, AWriteErrorFailsTheNextWriteAndOnlyThat) {
  write_every_second(false);
  strike({.at = 2500ms, .kind = "disk.write_error", .target = "server"});
  ASSERT_EQ(outcomes.size(), 8U);
  EXPECT_EQ(std::ranges::count(outcomes, "ok"), 7);
  EXPECT_NE(outcomes[2], "ok");
  EXPECT_EQ(struck("disk.write_error"), 1U);
}

TEST_F(DiskFault, AnErrorThatNobodyMetIsGoneAfterTheStorm) {
  serve([this](os::Os& os) {
    (void)os.clock.sleep_for(20s);
    outcomes.push_back(write_file(os, "data", "x", true));
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  plan.faults.push_back({.at = 1s, .kind = "disk.write_error", .target = "server"});
  strike({.at = 2s, .kind = "disk.sync_error", .target = "server"}, 10s);
  EXPECT_EQ(outcomes, std::vector<std::string>{"ok"});
  EXPECT_EQ(struck("disk.sync_error") + struck("disk.write_error"), 0U);
}

TEST_F(DiskFault, AStallHoldsEveryCall) {
  write_every_second(true);
  strike({.at = 2500ms, .kind = "disk.stall", .target = "server", .lasts = 3s});
  EXPECT_EQ(std::ranges::count(outcomes, "ok"), 8);
  EXPECT_GE(slowest, 2s);
  EXPECT_LT(slowest, 3s);
  EXPECT_EQ(struck("disk.stall"), 1U);
}

TEST_F(DiskFault, ASyncStallHoldsSyncsOnly) {
  std::string written;
  VirtualTime writing{0};
  serve([&](os::Os& os) {
    (void)os.clock.sleep_for(3s);
    const VirtualTime begin = world.now_virtual();
    written = write_file(os, "data", "12345678", false);
    writing = world.now_virtual() - begin;
    outcomes.push_back(write_file(os, "data", "12345678", true));
    slowest = world.now_virtual() - begin;
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "disk.sync_stall", .target = "server", .lasts = 5s});
  EXPECT_EQ(written, "ok");
  EXPECT_LT(writing, 100ms);
  EXPECT_EQ(outcomes, std::vector<std::string>{"ok"});
  EXPECT_GE(slowest, 4s);
  EXPECT_LT(slowest, 4100ms);
  EXPECT_EQ(struck("disk.sync_stall"), 1U);
}

TEST_F(DiskFault, TheEndOfTheStormEndsAStallForLaterCalls) {
  serve([this](os::Os& os) {
    (void)os.clock.sleep_for(20s);
    const VirtualTime begin = world.now_virtual();
    outcomes.push_back(write_file(os, "data", "x", true));
    slowest = world.now_virtual() - begin;
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "disk.stall", .target = "server", .lasts = 30min}, 10s);
  EXPECT_EQ(outcomes, std::vector<std::string>{"ok"});
  EXPECT_LT(slowest, 100ms);
}

TEST_F(DiskFault, TheEndOfTheStormEndsAStallUnderWay) {
  plan.faults.push_back({.at = 2s, .kind = "disk.stall", .target = "server", .lasts = 30min});
  serve([this](os::Os& os) {
    (void)os.clock.sleep_for(3s);
    outcomes.push_back(write_file(os, "data", "x", true));
    slowest = world.now_virtual();
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "disk.sync_stall", .target = "server", .lasts = 30min}, 10s);
  EXPECT_EQ(outcomes, std::vector<std::string>{"ok"});
  EXPECT_GE(slowest, 10s);
  EXPECT_LT(slowest, 10200ms);
}

TEST(Faults, EachIsKnownByItsKindAndFamily) {
  for (const Fault* fault : all_faults()) {
    const FaultInfo& info = fault->info();
    EXPECT_EQ(find_fault(info.kind), fault);
    EXPECT_FALSE(info.description.empty());
    EXPECT_NE(info.kind.find('.'), std::string_view::npos);
    for (const Parameter& parameter : info.parameters) {
      EXPECT_LE(parameter.low, parameter.high) << info.kind << " " << parameter.name;
      EXPECT_FALSE(parameter.meaning.empty()) << info.kind << " " << parameter.name;
    }
  }
  EXPECT_EQ(find_fault("process.tickle"), nullptr);
  EXPECT_EQ(most_alike("proces.kill"), "process.kill");
  EXPECT_EQ(most_alike("flood"), "");
}

TEST(Faults, ATargetThatIsNotThereIsNoHarm) {
  World world({.seed = 3});
  Plan plan;
  for (const Fault* fault : all_faults()) {
    if (fault->info().ambient) continue;
    plan.faults.push_back({.kind = std::string(fault->info().kind), .target = "nobody"});
  }
  Storm storm(world, plan);
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
  for (const auto& [kind, count] : world.counts()) EXPECT_EQ(kind, "net.partition");
}

}  // namespace
}  // namespace seatrial::sim
