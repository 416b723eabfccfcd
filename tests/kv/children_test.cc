#include "kv/children.h"
#include "kv/snapshot.h"
#include "tests/kv/rdb/memory.h"
#include "tests/kv/support/on_node.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

using namespace std::chrono_literals;

std::string show(const ChildEnd& end) {
  return fmt::format("{} {}{}{}", end.status.exited ? "code" : "signal", end.status.code,
                     end.intended ? " intended" : "", end.succeeded() ? " succeeded" : "");
}

struct Nursery {
  explicit Nursery(os::Os& node) : os(node), children(node, status), fibers(node.fibers) {
    fibers.spawn("reaper", [this] { children.run(); });
  }

  base::Result<os::Pid> start(os::Duration work, int code) {
    const KeyspaceSnapshot snapshot(data.keyspace, {});
    return children.start(
        ChildKind::kRdbToDisk, snapshot,
        [work, code](os::Os& own, const os::Snapshot&) {
          static_cast<void>(own.clock.sleep_for(work));
          return code;
        },
        [this](const ChildEnd& end) {
          ends.push_back(show(end));
          EXPECT_TRUE(status.is(ChildKind::kRdbToDisk)) << "not settled yet";
        });
  }

  os::Os& os;
  rdb::Data data;
  ChildStatus status;
  Children children;
  std::vector<std::string> ends;
  os::FiberGroup fibers;
};

using Ends = std::vector<std::string>;

TEST(Children, TellsHowEachOneEnded) {
  OnNode().run([](os::Os& os) {
    Nursery nursery(os);
    for (const int code : {0, 1}) {
      const auto pid = nursery.start(10ms, code);
      ASSERT_TRUE(pid);
      EXPECT_EQ(nursery.status.pid, *pid);
      EXPECT_TRUE(os.clock.sleep_for(50ms));
      EXPECT_FALSE(nursery.children.running());
    }
    EXPECT_EQ(nursery.ends, (Ends{"code 0 succeeded", "code 1"}));
    EXPECT_EQ(nursery.status.forks, 2U);
  });
}

TEST(Children, OneAtATime) {
  OnNode().run([](os::Os& os) {
    Nursery nursery(os);
    ASSERT_TRUE(nursery.start(10ms, 0));
    const auto second = nursery.start(10ms, 0);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), base::Errc::kBusy);
    EXPECT_TRUE(os.clock.sleep_for(50ms));
    EXPECT_EQ(nursery.ends.size(), 1U);
  });
}

TEST(Children, AKilledOneHasNotSucceeded) {
  OnNode().run([](os::Os& os) {
    Nursery nursery(os);
    nursery.children.kill();
    ASSERT_TRUE(nursery.start(1h, 0));
    EXPECT_TRUE(os.clock.sleep_for(5ms));
    nursery.children.kill();
    nursery.children.kill();
    EXPECT_TRUE(os.clock.sleep_for(50ms));
    EXPECT_EQ(nursery.ends, Ends{"signal 9 intended"});
    // What is decided against does not count, even if it was done in time.
    ASSERT_TRUE(nursery.start(0ms, 0));
    EXPECT_TRUE(os.clock.sleep_for(0ms));
    nursery.children.kill();
    EXPECT_TRUE(os.clock.sleep_for(50ms));
    EXPECT_EQ(nursery.ends.size(), 2U);
    EXPECT_EQ(nursery.ends.back().find("succeeded"), std::string::npos);
  });
}

TEST(Children, TheServersEndIsTheirs) {
  OnNode().run([](os::Os& os) {
    Nursery nursery(os);
    ASSERT_TRUE(nursery.start(1h, 0));
    EXPECT_TRUE(os.clock.sleep_for(5ms));
    nursery.fibers.cancel();
    EXPECT_TRUE(nursery.fibers.join());
    nursery.children.end();
    EXPECT_EQ(nursery.ends, Ends{"signal 9 intended"});
    EXPECT_FALSE(nursery.children.running());
  });
}

TEST(Children, AFailedForkLeavesNothingBehind) {
  OnNode on_node;
  on_node.weather.process.fork_failure_chance = 1;
  on_node.run([](os::Os& os) {
    Nursery nursery(os);
    const auto pid = nursery.start(10ms, 0);
    ASSERT_FALSE(pid);
    EXPECT_EQ(pid.error(), base::Errc::kExhausted);
    EXPECT_FALSE(nursery.children.running());
    EXPECT_EQ(nursery.status.forks, 0U);
  });
}

}  // namespace
}  // namespace seatrial::kv
