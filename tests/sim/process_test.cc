// Processes on a node, as their supervisor and their parents see them; see also tests/contract.
#include "sim/machine/process.h"
#include "sim/machine/network.h"
#include "sim/world.h"
#include "tests/sim/programs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

struct Nothing : os::Snapshot {
  std::unique_ptr<os::Snapshot> freeze() const override { return std::make_unique<Nothing>(); }
};

// Runs `main` as the only process of a node, then stops the world.
void run_alone(World& world, std::function<void(os::Os&)> main) {
  world.add_node("node").start("main", [&world, main = std::move(main)](os::Os& os) {
    main(os);
    world.stop();
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(Process, AChildKilledInItsSyncLeavesWhatItWrote) {
  World world({.seed = 5});
  run_alone(world, [](os::Os& os) {
    auto child = os.process.fork("saver", Nothing(), [](os::Os& mine, const os::Snapshot&) {
      return write_file(mine, "dump", "saved", true) == "ok" ? 0 : 1;
    });
    ASSERT_TRUE(child);
    ASSERT_TRUE(os.clock.sleep_for(150us));
    EXPECT_TRUE(os.process.kill(*child, os::Signal::kKill));
    auto status = os.process.wait(*child);
    ASSERT_TRUE(status);
    EXPECT_FALSE(status->exited);
    EXPECT_EQ(status->code, 9);
    // The file's sync was abandoned with the child; the next is a fresh one.
    EXPECT_EQ(write_file(os, "dump", "again", true), "ok");
    EXPECT_EQ(file_text(os, "dump"), "again");
  });
}

TEST(Process, AKillOfAChildThatHasReturnedChangesNothing) {
  int returned_first = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World world({.seed = seed});
    run_alone(world, [&](os::Os& os) {
      bool returned = false;
      auto child = os.process.fork("quick", Nothing(), [&](os::Os&, const os::Snapshot&) {
        returned = true;
        return 7;
      });
      ASSERT_TRUE(os.fibers.yield());
      const bool before_the_kill = returned;
      EXPECT_TRUE(os.process.kill(*child, os::Signal::kKill));
      auto status = os.process.wait(*child);
      ASSERT_TRUE(status);
      EXPECT_EQ(status->exited, before_the_kill);
      EXPECT_EQ(status->code, before_the_kill ? 7 : 9);
      returned_first += before_the_kill ? 1 : 0;
    });
  }
  EXPECT_GT(returned_first, 0);
  EXPECT_LT(returned_first, 20);
}

TEST(Process, ForksFailNowAndThen) {
  Weather weather;
  weather.process.fork_failure_chance = 0.5;
  World world({.seed = 5, .weather = weather});
  int failed = 0;
  run_alone(world, [&](os::Os& os) {
    for (int i = 0; i < 100; ++i) {
      auto child = os.process.fork("c", Nothing(), [](os::Os&, const os::Snapshot&) { return 0; });
      if (!child) {
        EXPECT_EQ(child.error().code(), base::Errc::kExhausted);
        ++failed;
      } else {
        EXPECT_TRUE(os.process.wait(*child));
      }
    }
  });
  EXPECT_GT(failed, 25);
  EXPECT_LT(failed, 75);
  EXPECT_EQ(world.counts().at("fork.fail"), static_cast<uint64_t>(failed));
}

TEST(Process, AnOrphanDiesWithItsMachine) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  node.start("parent", [](os::Os& os) {
    (void)os.process.fork("child", Nothing(), [](os::Os& mine, const os::Snapshot&) {
      while (mine.clock.sleep_for(1s)) {
      }
      return 0;
    });
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(1s);
    EXPECT_EQ(node.kill("parent"), 1U);
    world.sleep(10s);
    EXPECT_TRUE(node.runs("child"));
    node.power_off();
    EXPECT_FALSE(node.runs("child"));
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

// Numbers in the parent's memory that a child reads, in so many bytes.
struct Large : os::Snapshot {
  std::unique_ptr<os::Snapshot> freeze() const override { return std::make_unique<Large>(*this); }
  uint64_t bytes() const override { return 10 * 1024; }
  int value = 1;
};

TEST(Process, TheWholeProcessStandsStillWhileItForks) {
  Weather weather;
  weather.process.fork_pause_per_kib = 100ms;
  World world({.seed = 5, .weather = weather});
  std::vector<VirtualTime> ticks;
  VirtualTime child_runs{0};
  run_alone(world, [&](os::Os& os) {
    Large data;
    os::FiberGroup group(os.fibers);
    group.spawn("ticks", [&] {
      while (os.clock.sleep_for(10ms)) {
        ticks.push_back(world.now_virtual());
        ++data.value;
      }
    });
    ASSERT_TRUE(os.clock.sleep_for(95ms));
    const int before = data.value;
    auto child = os.process.fork("child", data, [&](os::Os&, const os::Snapshot& frozen) {
      child_runs = world.now_virtual();
      return static_cast<const Large&>(frozen).value;
    });
    ASSERT_TRUE(child);
    EXPECT_EQ(data.value, before) << "fork() is one instant to the process";
    EXPECT_EQ(world.now_virtual(), 1095ms);
    EXPECT_EQ(os.process.wait(*child)->code, before);
    ASSERT_TRUE(os.clock.sleep_for(100ms));
    group.cancel();
  });
  EXPECT_GE(child_runs, 1095ms);
  ASSERT_GT(ticks.size(), 12U);
  EXPECT_EQ(ticks[8], 90ms);
  EXPECT_EQ(ticks[9], 1095ms) << "late, as soon as it can run";
}

TEST(Process, AProcessKilledInItsForkHasNoChild) {
  Weather weather;
  weather.process.fork_pause_per_kib = 100ms;
  World world({.seed = 5, .weather = weather});
  Node& node = world.add_node("node");
  node.start("parent", [](os::Os& os) {
    (void)os.process.fork("child", Large(), [](os::Os&, const os::Snapshot&) { return 0; });
    ADD_FAILURE() << "it lived on";
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(500ms);
    EXPECT_EQ(node.kill("parent"), 1U);
    world.sleep(1s);
    EXPECT_FALSE(node.runs("child"));
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(Process, AStopSignalDuringAForkHoldsUntilItIsContinued) {
  Weather weather;
  weather.process.fork_pause_per_kib = 100ms;
  World world({.seed = 5, .weather = weather});
  Node& node = world.add_node("node");
  VirtualTime forked{0};
  node.start("parent", [&](os::Os& os) {
    os.fibers.spawn("other", [&] {
      while (os.clock.sleep_for(10ms)) EXPECT_GT(forked, VirtualTime(0));
    });
    (void)os.process.fork("child", Large(), [](os::Os&, const os::Snapshot&) { return 0; });
    forked = world.now_virtual();
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(300ms);
    node.pause();
    world.sleep(200ms);
    node.resume();
    world.sleep(100ms);
    EXPECT_EQ(forked, VirtualTime(0)) << "the others stand still until the fork is over";
    node.pause();
    world.sleep(2s);
    node.resume();
    world.sleep(1s);
    EXPECT_EQ(forked, 2600ms);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(Process, TheNewsOfAChildsEndMayBeLate) {
  Weather weather;
  weather.process.reap_delay_max = 1s;
  World world({.seed = 5, .weather = weather});
  VirtualTime latest{0};
  run_alone(world, [&](os::Os& os) {
    for (int i = 0; i < 20; ++i) {
      const VirtualTime begun = world.now_virtual();
      auto child = os.process.fork("c", Nothing(), [](os::Os&, const os::Snapshot&) { return 4; });
      auto early = os.process.wait(*child, os.clock.monotonic() + 1us);
      const auto status = early ? early : os.process.wait(*child);
      ASSERT_TRUE(status);
      EXPECT_EQ(status->code, 4);
      latest = std::max(latest, world.now_virtual() - begun);
    }
  });
  EXPECT_GT(latest, 500ms);
  EXPECT_LE(latest, 1s + 1us);
}

TEST(Process, PidsAreUsedAgainOnceNobodyHasThem) {
  Weather weather;
  weather.process.pids = 3;
  World world({.seed = 5, .weather = weather});
  std::vector<os::Pid> pids;
  run_alone(world, [&](os::Os& os) {
    const auto forked = [&] {
      pids.push_back(
          *os.process.fork("c", Nothing(), [](os::Os&, const os::Snapshot&) { return 0; }));
      return pids.back();
    };
    pids.push_back(os.process.pid());
    const os::Pid unreaped = forked();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(os.process.wait(forked()));
    EXPECT_TRUE(os.process.wait(unreaped));
    EXPECT_TRUE(os.process.wait(forked()));
    EXPECT_TRUE(os.process.wait(forked()));
  });
  EXPECT_EQ(pids, (std::vector<os::Pid>{100, 101, 102, 102, 102, 101, 102}));
}

TEST(Process, MoreProcessesThanPidsCanStart) {
  Weather weather;
  weather.process.pids = 2;
  World world({.seed = 5, .weather = weather});
  std::set<os::Pid> pids;
  run_alone(world, [&](os::Os& os) {
    for (int i = 0; i < 5; ++i) {
      pids.insert(*os.process.fork("c", Nothing(), [](os::Os& mine, const os::Snapshot&) {
        return mine.clock.sleep_for(1s) ? 0 : 1;
      }));
    }
    for (const os::Pid pid : pids) EXPECT_EQ(os.process.wait(pid)->code, 0);
  });
  EXPECT_EQ(pids.size(), 5U);
}

TEST(Process, AnOrphansEndIsNotToldToWhoHasItsParentsPid) {
  Weather weather;
  weather.process.pids = 2;
  World world({.seed = 5, .weather = weather});
  Node& node = world.add_node("node");
  node.start("first", [](os::Os& os) {
    (void)os.process.fork("orphan", Nothing(), [](os::Os& mine, const os::Snapshot&) {
      return mine.clock.sleep_for(2s) ? 0 : 1;
    });
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(1s);
    EXPECT_EQ(node.kill("first"), 1U);
    SimProcess& second = node.start("second", [](os::Os& os) {
      EXPECT_EQ(outcome(os.process.wait(101)), "not found");
      (void)os.clock.sleep_for(2s);
      EXPECT_EQ(outcome(os.process.wait(101)), "not found");
      return 0;
    });
    EXPECT_EQ(second.pid(), 100);
    world.sleep(5s);
    EXPECT_FALSE(node.runs("second"));
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(Process, ALinkKnowsNoFaultOfTheNetwork) {
  Weather weather;
  weather.network.cut_chance = 1;
  weather.network.short_read_chance = 1;
  World world({.seed = 5, .weather = weather});
  std::string got;
  run_alone(world, [&](os::Os& os) {
    auto child = os.process.fork_linked(
        "child", Nothing(), [](os::Os&, const os::Snapshot&, std::unique_ptr<os::Stream> parent) {
          EXPECT_TRUE(os::write_all(*parent, std::string(1000, 'x')));
          return 0;
        });
    ASSERT_TRUE(child);
    EXPECT_EQ(world.net().cut({0}, [](const Node&, const Node&) { return true; }), 0U);
    char buffer[1000];
    int reads = 0;
    for (;;) {
      auto count = child->stream->read(buffer);
      ASSERT_TRUE(count) << count.error().message();
      if (*count == 0) break;
      ++reads;
      got.append(buffer, *count);
    }
    EXPECT_GT(reads, 1);
  });
  EXPECT_EQ(got, std::string(1000, 'x'));
}

TEST(ProcessDeathTest, AChildThatUsesItsParentsOsIsCaught) {
  EXPECT_DEATH(
      {
        World world({.seed = 5});
        run_alone(world, [](os::Os& os) {
          (void)os.process.fork("child", Nothing(), [&os](os::Os&, const os::Snapshot&) {
            (void)os.disk.open("x", os::kReadOnly);
            return 0;
          });
          (void)os.clock.sleep_for(1s);
        });
      },
      "node.child used the Os of node.main: a child must use its own");
}

TEST(ProcessDeathTest, EventsThatBreedEventsAreCaught) {
  struct Breeder : Event {
    explicit Breeder(World& w) : world(w) {}
    void fire() override { world.schedule(world.now_virtual(), this); }
    World& world;
  };
  EXPECT_DEATH(
      {
        World world({.seed = 5});
        Breeder breeder(world);
        world.schedule(VirtualTime(0), &breeder);
        world.run();
      },
      "no time passes");
}

TEST(Process, AStopRequestIsLeftToTheProgram) {
  World world({.seed = 5});
  run_alone(world, [](os::Os& os) {
    auto child = os.process.fork("polite", Nothing(), [](os::Os& mine, const os::Snapshot&) {
      EXPECT_TRUE(mine.process.stop_requested().wait());
      return 12;
    });
    EXPECT_TRUE(os.process.kill(*child, os::Signal::kTerminate));
    EXPECT_FALSE(os.process.stop_requested().is_set());
    EXPECT_EQ(os.process.wait(*child)->code, 12);
  });
}

TEST(Supervisor, StartsAServiceAgainWhenItEnds) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  std::vector<VirtualTime> starts;
  std::vector<int> codes;
  node.on_exit = [&](SimProcess&, os::ExitStatus status) { codes.push_back(status.code); };
  node.set_service("server", [&]() -> ProcessMain {
    return [&](os::Os& os) {
      starts.push_back(world.now_virtual());
      if (starts.size() == 3) world.stop();
      (void)os.clock.sleep_for(5s);
      return static_cast<int>(starts.size());
    };
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  ASSERT_EQ(starts.size(), 3U);
  EXPECT_EQ(codes, (std::vector<int>{1, 2}));
  for (size_t i = 1; i < starts.size(); ++i) {
    EXPECT_GE(starts[i] - starts[i - 1], 5s + 10ms);
    EXPECT_LE(starts[i] - starts[i - 1], 5s + 500ms);
  }
  EXPECT_EQ(node.failed_starts(), 0U) << "it lived for longer than a second";
}

TEST(Supervisor, CountsQuickEndsInARow) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  int starts = 0;
  node.set_service("server", [&]() -> ProcessMain {
    return [&](os::Os& os) {
      if (++starts <= 3) return 1;
      (void)os.clock.sleep_for(2s);
      return 1;
    };
  });
  world.administer("watch", [&] {
    while (starts < 4) world.sleep(1ms);
    EXPECT_EQ(node.failed_starts(), 3U);
    while (starts < 5) world.sleep(1ms);
    EXPECT_EQ(node.failed_starts(), 0U);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(Supervisor, DoesNotStartWhatWasKilledUntilAsked) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  int starts = 0;
  node.set_service("server", [&]() -> ProcessMain {
    return [&](os::Os& os) {
      ++starts;
      (void)os.clock.sleep_for(1h);
      return 0;
    };
  });
  world.administer("weather", [&] {
    world.sleep(1s);
    EXPECT_EQ(node.kill(), 1U);
    world.sleep(10s);
    EXPECT_EQ(starts, 1);
    node.start_service();
    node.start_service();
    world.sleep(1s);
    EXPECT_EQ(starts, 2);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(Supervisor, MayStartOthersFromItsHookWhateverEnds) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  int ended = 0;
  node.on_exit = [&](SimProcess& process, os::ExitStatus) {
    if (++ended < 200) node.start("next", [](os::Os&) { return 0; });
    EXPECT_FALSE(process.alive());
  };
  node.start("first", [](os::Os&) { return 0; });
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
  EXPECT_EQ(ended, 200);
  EXPECT_LT(node.processes().size(), 20U) << "what has ended is forgotten";
}

TEST(Supervisor, StopsWhatStopsByItselfAndLeavesItStopped) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  int starts = 0;
  node.set_service("server", [&]() -> ProcessMain {
    return [&](os::Os& os) {
      ++starts;
      (void)os.process.stop_requested().wait();
      (void)os.clock.sleep_for(100ms);  // What it still has to do.
      return 1;
    };
  });
  world.administer("weather", [&] {
    world.sleep(1s);
    EXPECT_TRUE(node.stop_service());
    world.sleep(50ms);
    EXPECT_TRUE(node.service_runs());
    world.sleep(10s);
    EXPECT_FALSE(node.service_runs());
    EXPECT_FALSE(node.stop_service());
    EXPECT_EQ(node.failed_starts(), 0U);
    node.start_service();
    world.sleep(1s);
    EXPECT_EQ(starts, 2);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(SlowNode, StepsComeOneAfterTheOther) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  std::vector<VirtualTime> done;
  node.start("main", [&](os::Os& os) {
    for (int i = 0; i < 2; ++i) {
      os.fibers.spawn("worker", [&] {
        EXPECT_TRUE(os.fibers.yield());
        done.push_back(world.now_virtual());
      });
    }
    (void)os.clock.sleep_for(1s);
    return 0;
  });
  node.set_step_cost(10ms);
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
  // main starts them in its first step; each has two.
  ASSERT_EQ(done.size(), 2U);
  EXPECT_TRUE(done[0] == 40ms || done[0] == 30ms) << done[0].count();
  EXPECT_EQ(done[1], 50ms);
  EXPECT_EQ(world.now_virtual(), 1020ms) << "main's sleep began at 10 ms";
}

TEST(SlowNode, AnIdleProcessorBeginsWithWhatComes) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  std::vector<VirtualTime> woken;
  node.start("main", [&](os::Os& os) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(os.clock.sleep_until(os::MonotonicTime(node.clock().monotonic(100ms * (i + 1)))));
      woken.push_back(world.now_virtual());
    }
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(150ms);
    node.set_step_cost(7ms);
    world.sleep(100ms);
    EXPECT_EQ(node.step_cost(), 7ms);
    node.set_step_cost(0ms);
  });
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
  EXPECT_EQ(woken, (std::vector<VirtualTime>{100ms, 207ms, 300ms}));
}

TEST(SlowNode, AStopSignalHoldsASlowNodeToo) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  std::vector<VirtualTime> ticks;
  node.start("main", [&](os::Os& os) {
    for (int i = 0; i < 4; ++i) {
      (void)os.clock.sleep_for(10ms);
      ticks.push_back(world.now_virtual());
    }
    return 0;
  });
  world.administer("weather", [&] {
    node.set_step_cost(1ms);
    world.sleep(15ms);
    node.pause();
    world.sleep(85ms);
    node.resume();
    world.sleep(200us);
    node.set_step_cost(0ms);  // In the middle of a step, which is then done at once.
  });
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
  EXPECT_EQ(ticks, (std::vector<VirtualTime>{12ms, 100ms + 200us, 110ms + 200us, 120ms + 200us}));
}

TEST(SlowNode, ItsChildrenShareItsProcessorAndAKillTakesThemOffIt) {
  World world({.seed = 5});
  Node& node = world.add_node("node");
  int steps = 0;
  const auto spin = [&](os::Os& os) {
    while (os.fibers.yield()) ++steps;
    return 0;
  };
  node.start("main", [&](os::Os& os) {
    EXPECT_TRUE(os.process.fork("child", Nothing(),
                                [&](os::Os& mine, const os::Snapshot&) { return spin(mine); }));
    return spin(os);
  });
  world.administer("weather", [&] {
    node.set_step_cost(1ms);
    world.sleep(1s + 500us);
    EXPECT_EQ(steps, 998) << "both began with one that does not count";
    node.kill("main");
    world.sleep(1s);
    EXPECT_EQ(steps, 1998);
    node.power_off();
    world.sleep(1s);
    EXPECT_EQ(steps, 1998);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(Process, TimePassesByTheNanosecondOnASlowClockToo) {
  World world({.seed = 4});
  Node& node = world.add_node("node");
  node.clock().make(VirtualTime(0), -400'000, 0s);
  SimProcess& process = node.start("main", [&](os::Os&) {
    for (int i = 1; i <= 100; ++i) {
      const VirtualTime before = world.now_virtual();
      node.processes().front()->spend(1ns);
      EXPECT_GT(world.now_virtual(), before);
    }
    world.stop();
    return 0;
  });
  EXPECT_EQ(process.name(), "main");
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

}  // namespace
}  // namespace seatrial::sim
