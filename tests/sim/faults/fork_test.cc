// fork.fail, fork.kill_child, fork.kill_parent, fork.power_loss; and the disk's errors in a child.
#include "tests/sim/faults/one_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace seatrial::sim {
namespace {

struct Nothing : os::Snapshot {
  std::unique_ptr<os::Snapshot> freeze() const override { return std::make_unique<Nothing>(); }
};

// Writes a file as a snapshot is written: five calls on the disk.
int save(os::Os& os) {
  auto file = os.disk.open("draft", os::kReplace);
  if (!file) return 1;
  if (!os::append_all(**file, "complete")) return 2;
  if (!(*file)->sync_data()) return 3;
  if (!os.disk.rename("draft", "done")) return 4;
  return os.disk.sync_directory(".") ? 0 : 5;
}

class ForkFault : public OneFault {
 protected:
  // The service: every two seconds a child saves, which its parent waits for and then makes a call
  // of its own; what came of it is in `ends`.
  void save_every_two_seconds() {
    serve([this](os::Os& os) {
      ++starts;
      for (;;) {
        if (!os.clock.sleep_for(2s)) return 0;
        (void)os.disk.unlink("done");
        auto child = os.process.fork("saver", Nothing(),
                                     [](os::Os& its, const os::Snapshot&) { return save(its); });
        if (!child) {
          ends.push_back(outcome(child));
          continue;
        }
        const auto status = os.process.wait(*child);
        if (!status) return 0;
        ends.push_back(fmt::format("{} {}", status->exited ? "exit" : "signal", status->code));
        done.push_back(file_text(os, "done"));
      }
    });
  }
  FaultStep step(std::string_view kind, uint32_t count) const {
    return {.at = 3s,
            .kind = std::string(kind),
            .target = "server",
            .lasts = 500ms,
            .moment = Moment::kChild,
            .count = count};
  }

  int starts = 0;
  std::vector<std::string> ends;
  std::vector<std::string> done;
};

TEST_F(ForkFault, FailMeetsTheNextForkAndOnlyThat) {
  save_every_two_seconds();
  strike({.at = 3s, .kind = "fork.fail", .target = "server"}, 9s);
  ASSERT_GE(ends.size(), 4U);
  EXPECT_EQ(ends[0], "exit 0");
  EXPECT_EQ(ends[1], "system limit reached");
  EXPECT_EQ(ends[2], "exit 0");
  EXPECT_EQ(struck("fork.fail"), 1U);
}

TEST_F(ForkFault, FailThatNobodyMetIsGoneAfterTheStorm) {
  save_every_two_seconds();
  strike({.at = 3s, .kind = "fork.fail", .target = "server"}, 3500ms);
  EXPECT_EQ(std::ranges::count(ends, "exit 0"), static_cast<int64_t>(ends.size()));
}

// At its n-th call the child has made n - 1, and no more.
class KillChildAt : public ForkFault, public testing::WithParamInterface<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(EachCall, KillChildAt, testing::Values(1U, 2U, 3U, 4U, 5U));

TEST_P(KillChildAt, StrikesAsTheCallBegins) {
  save_every_two_seconds();
  bool draft = false;
  bool complete = false;
  bool renamed = false;
  server.on_exit = [&](SimProcess& process, os::ExitStatus status) {
    if (process.name() != "saver" || status.exited) return;
    const auto names = server.files().list(".");
    ASSERT_TRUE(names);
    for (const os::DirectoryEntry& entry : *names) {
      if (entry.name == "done") renamed = true;
      if (entry.name != "draft") continue;
      draft = true;
      complete = (*server.files().open("draft", os::kReadOnly))->file.size() == 8;
    }
  };
  strike(step("fork.kill_child", GetParam()), 10s);
  ASSERT_GE(ends.size(), 3U);
  EXPECT_EQ(ends[0], "exit 0");
  EXPECT_EQ(ends[1], "signal 9");
  EXPECT_EQ(ends[2], "exit 0");
  EXPECT_EQ(starts, 1);
  EXPECT_EQ(struck("fork.kill_child"), 1U);
  EXPECT_EQ(draft, GetParam() >= 2 && GetParam() <= 4);
  EXPECT_EQ(complete, GetParam() == 3 || GetParam() == 4);
  EXPECT_EQ(renamed, GetParam() == 5);
}

TEST_F(ForkFault, KillChildWaitsForOneThatCallsOftenEnough) {
  save_every_two_seconds();
  strike(step("fork.kill_child", 6), 10s);
  EXPECT_EQ(std::ranges::count(ends, "exit 0"), static_cast<int64_t>(ends.size()));
  EXPECT_EQ(struck("fork.kill_child"), 0U);
}

TEST_F(ForkFault, KillParentLeavesAnOrphanThatGoesOn) {
  std::vector<std::string> seen;
  serve([&](os::Os& os) {
    seen.push_back(file_text(os, "done"));
    (void)os.clock.sleep_for(4s);
    if (seen.size() == 1) {
      (void)os.process.fork("saver", Nothing(),
                            [](os::Os& its, const os::Snapshot&) { return save(its); });
    }
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike(step("fork.kill_parent", 1));
  EXPECT_EQ(seen, (std::vector<std::string>{"not found", "complete"}));
  EXPECT_EQ(struck("fork.kill_parent"), 1U);
}

TEST_F(ForkFault, KillParentCountsTheParentsCallsOnceTheChildHasEnded) {
  save_every_two_seconds();
  std::vector<std::string> order;
  server.on_exit = [&](SimProcess& process, os::ExitStatus status) {
    order.push_back(fmt::format("{} {}", process.name(), status.exited ? "exit" : "signal"));
  };
  // The child makes five calls; the parent's next is the one with which it looks at the result.
  strike(step("fork.kill_parent", 6), 7s);
  ASSERT_GE(order.size(), 3U);
  EXPECT_EQ(order[1], "saver exit");
  EXPECT_EQ(order[2], "program signal");
  EXPECT_EQ(done.size(), ends.size() - 1) << "it was killed between the two";
  EXPECT_EQ(starts, 2);
}

TEST_F(ForkFault, KillParentAfterTheChildCountsOnlyTheParentsCalls) {
  save_every_two_seconds();
  std::vector<std::string> order;
  server.on_exit = [&](SimProcess& process, os::ExitStatus status) {
    order.push_back(fmt::format("{} {}", process.name(), status.exited ? "exit" : "signal"));
  };
  FaultStep after = step("fork.kill_parent", 1);
  after.moment = Moment::kAfterChild;
  strike(after, 7s);
  ASSERT_GE(order.size(), 3U);
  EXPECT_EQ(order[1], "saver exit");
  EXPECT_EQ(order[2], "program signal");
  EXPECT_EQ(done.size(), ends.size() - 1) << "it was killed between the two";
  EXPECT_EQ(struck("fork.kill_parent"), 1U);
}

TEST_F(ForkFault, PowerLossTakesParentAndChild) {
  world.weather().disk = {.sector_kept = 0, .sector_torn = 0, .name_kept = 0};
  save_every_two_seconds();
  strike(step("fork.power_loss", 5), 10s);
  EXPECT_EQ(struck("fork.power_loss"), 1U);
  EXPECT_EQ(starts, 2);
  EXPECT_EQ(std::ranges::count(ends, "exit 0"), static_cast<int64_t>(ends.size()));
  EXPECT_FALSE(server.runs("saver"));
}

TEST_F(ForkFault, ASyncErrorMeetsTheChildAndNotItsParent) {
  serve([this](os::Os& os) {
    os::FiberGroup group(os.fibers);
    std::vector<std::string> own;
    group.spawn("busy", [&] {
      while (os.clock.sleep_for(10ms)) own.push_back(write_file(os, "log", "x", true));
    });
    (void)os.clock.sleep_for(4s);
    auto child = os.process.fork("saver", Nothing(),
                                 [](os::Os& its, const os::Snapshot&) { return save(its); });
    ends.push_back(fmt::format("{}", os.process.wait(*child)->code));
    group.cancel();
    EXPECT_EQ(std::ranges::count(own, "ok"), static_cast<int64_t>(own.size()));
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike(step("disk.sync_error", 1));
  EXPECT_EQ(ends, std::vector<std::string>{"3"});
  EXPECT_EQ(struck("disk.sync_error"), 1U);
}

TEST_F(ForkFault, AWriteErrorMeetsTheChild) {
  save_every_two_seconds();
  strike(step("disk.write_error", 2), 9s);
  ASSERT_GE(ends.size(), 3U);
  EXPECT_EQ(ends[1], "exit 2");
  EXPECT_EQ(ends[2], "exit 0");
}

TEST_F(ForkFault, AStepDrawnForAChildNamesACall) {
  for (const char* kind : {"fork.kill_child", "fork.kill_parent", "fork.power_loss"}) {
    const Stage stage{.servers = {"server"}, .storm = 500s};
    const std::vector<FaultStep> steps = draw_plan(kind, 7, stage).faults;
    ASSERT_GT(steps.size(), 50U);
    std::vector<uint32_t> counts;
    for (const FaultStep& drawn : steps) {
      EXPECT_GE(drawn.moment, Moment::kRename);
      if (drawn.moment != Moment::kRename) counts.push_back(drawn.count);
    }
    std::ranges::sort(counts);
    EXPECT_EQ(counts.front(), 1U);
    EXPECT_LE(counts.back(), 32U);
    EXPECT_GT(counts.back(), 16U);
    EXPECT_LE(counts[counts.size() / 2], 8U) << "small ones are as likely as large ones";
  }
}

}  // namespace
}  // namespace seatrial::sim
