// The scheduler by itself, on a machine that is made of nothing but virtual time.
#include "os/fiber.h"
#include "base/random.h"
#include "tests/os/fake_dispatch.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace seatrial::os {
namespace {

using base::Errc;
using Names = std::vector<std::string>;
using namespace std::chrono_literals;

// Notes its end.
struct Gone {
  Names& names;
  std::string name;
  ~Gone() { names.push_back(name); }
};

// ---- Order

TEST(Scheduler, RunsFibersInTheOrderTheyBecameRunnable) {
  FakeMachine machine;
  Names order;
  for (const char* name : {"a", "b", "c"}) {
    machine.fibers.spawn(name, [&, name] {
      order.push_back(name);
      EXPECT_TRUE(machine.fibers.yield());
      order.push_back(name);
    });
  }
  machine.run();
  EXPECT_EQ(order, (Names{"a", "b", "c", "a", "b", "c"}));
  EXPECT_EQ(machine.fibers.live(), 0u);
}

// Several fibers take turns; the order in which they ran, by name.
Names shuffled_turns(uint64_t key, const Names& names, int turns = 4) {
  FakeMachine machine(Order::kShuffled);
  machine.fibers.key = key;
  Names order;
  for (const std::string& name : names) {
    machine.fibers.spawn(name, [&, name] {
      for (int i = 0; i < turns; ++i) {
        order.push_back(name);
        EXPECT_TRUE(machine.fibers.yield());
      }
    });
  }
  machine.run();
  return order;
}

TEST(Shuffled, TheOrderIsTheKeys) {
  const Names names{"a", "b", "c"};
  EXPECT_EQ(shuffled_turns(1, names), shuffled_turns(1, names));
  std::set<Names> orders;
  for (uint64_t key = 1; key <= 50; ++key) orders.insert(shuffled_turns(key, names));
  EXPECT_GT(orders.size(), 40u);
}

TEST(Shuffled, OneFiberMoreLeavesTheOthersInTheirOrder) {
  for (uint64_t key = 1; key <= 50; ++key) {
    const Names alone = shuffled_turns(key, {"a", "b", "c"});
    for (const Names& names : {Names{"a", "b", "c", "other"}, Names{"other", "a", "b", "c"},
                               Names{"a", "other", "c", "b"}}) {
      Names with = shuffled_turns(key, names);
      std::erase(with, "other");
      EXPECT_EQ(with, alone) << key;
    }
  }
}

TEST(Shuffled, EachOfManyRunsOnce) {
  FakeMachine machine(Order::kShuffled);
  std::set<int> ran;
  Names order;
  for (int i = 0; i < 1000; ++i) {
    machine.fibers.spawn("fiber", [&, i] {
      EXPECT_TRUE(ran.insert(i).second);
      EXPECT_TRUE(machine.fibers.yield());
    });
  }
  machine.run();
  EXPECT_EQ(ran.size(), 1000u);
  EXPECT_EQ(machine.fibers.live(), 0u);
}

TEST(Shuffled, TwoWhoYieldToEachOtherDoNotKeepOutAThird) {
  for (uint64_t key = 1; key <= 200; ++key) {
    FakeMachine machine(Order::kShuffled);
    machine.fibers.key = key;
    bool served = false;
    int turns = 0;
    const auto spin = [&] {
      while (!served) {
        ++turns;
        EXPECT_TRUE(machine.fibers.yield());
      }
    };
    machine.fibers.spawn("ping", spin);
    machine.fibers.spawn("pong", spin);
    machine.fibers.spawn("third", [&] { served = true; });
    machine.run();
    EXPECT_LE(turns, 2 * 65) << key;
  }
}

TEST(Shuffled, APausedProcessKeepsItsFibers) {
  FakeMachine machine(Order::kShuffled);
  Fibers other(machine.scheduler);
  int mine = 0;
  int others = 0;
  for (int i = 0; i < 10; ++i) {
    machine.fibers.spawn("mine", [&] { ++mine; });
    other.spawn("other", [&] { ++others; });
  }
  other.pause();
  machine.run();
  EXPECT_EQ(mine, 10);
  EXPECT_EQ(others, 0);
  other.resume();
  machine.run();
  EXPECT_EQ(others, 10);
}

TEST(Scheduler, RunCanBeCalledAgain) {
  FakeMachine machine;
  int runs = 0;
  machine.fibers.spawn("first", [&] { ++runs; });
  machine.run();
  machine.fibers.spawn("second", [&] { ++runs; });
  machine.run();
  EXPECT_EQ(runs, 2);
}

TEST(Scheduler, LooksOutsideOncePerBatch) {
  FakeMachine machine;
  machine.dispatch.batch = 10;
  machine.fibers.spawn("yielder", [&] {
    for (int i = 0; i < 99; ++i) EXPECT_TRUE(machine.fibers.yield());
  });
  machine.run();
  // A hundred turns, and once more when nobody can run any more.
  EXPECT_EQ(machine.dispatch.polls, 11);
}

TEST(Scheduler, TellsWhoRuns) {
  FakeMachine machine;
  Fibers other(machine.scheduler);
  machine.fibers.spawn("mine", [] {});
  other.spawn("other's", [] {});
  machine.run();
  EXPECT_EQ(machine.dispatch.owners, (std::vector<Fibers*>{&machine.fibers, &other, nullptr}));
}

TEST(Scheduler, NamesAndCurrentFiber) {
  FakeMachine machine;
  EXPECT_FALSE(machine.scheduler.in_fiber());
  std::string name;
  machine.fibers.spawn("me", [&] {
    EXPECT_TRUE(machine.scheduler.in_fiber());
    name = machine.scheduler.name_of(machine.scheduler.current());
  });
  machine.run();
  EXPECT_EQ(name, "me");
}

TEST(Scheduler, ManyFibersUseTheirStacksAgain) {
  FakeMachine machine;
  int ended = 0;
  machine.fibers.spawn("parent", [&] {
    for (int i = 0; i < 5000; ++i) {
      Fiber child = machine.fibers.spawn("child", [&] { ++ended; });
      EXPECT_TRUE(child.join());
    }
  });
  machine.run();
  EXPECT_EQ(ended, 5000);
}

TEST(Scheduler, MoreFibersThanTheQueueHoldsAtFirst) {
  FakeMachine machine;
  int steps = 0;
  for (int i = 0; i < 1500; ++i) {
    machine.fibers.spawn("fiber", [&] {
      ++steps;
      EXPECT_TRUE(machine.fibers.yield());
      ++steps;
    });
  }
  machine.run();
  EXPECT_EQ(steps, 3000);
}

TEST(SchedulerDeathTest, OnlyFibersPark) {
  FakeMachine machine;
  EXPECT_DEATH((void)machine.fibers.park(), "only fibers park");
}

// ---- Deadlines

TEST(Deadlines, FireByTimeThenInTheOrderOfParking) {
  FakeMachine machine;
  Names order;
  const std::vector<std::pair<std::string, int>> sleepers = {
      {"c", 30}, {"a1", 10}, {"b", 20}, {"a2", 10}, {"a3", 10}};
  for (const auto& [name, ms] : sleepers) {
    machine.fibers.spawn(name, [&, name = name, ms = ms] {
      EXPECT_TRUE(machine.sleep_until_ms(ms));
      EXPECT_EQ(machine.dispatch.time, at_ms(ms));
      order.push_back(name);
    });
  }
  machine.run();
  EXPECT_EQ(order, (Names{"a1", "a2", "a3", "b", "c"}));
}

// A fiber that is woken before its deadline leaves its timer where it is. Its next deadline is
// still met, be it later or earlier.
TEST(Deadlines, AreArmedAgainLazily) {
  FakeMachine machine;
  Event event(machine.fibers);
  machine.dispatch.script.emplace(at_ms(1), [&] { event.set(); });
  std::vector<int64_t> woken_ms;
  const auto note = [&] { woken_ms.push_back(machine.dispatch.time.time_since_epoch() / 1ms); };
  machine.fibers.spawn("fiber", [&] {
    EXPECT_TRUE(event.wait(at_ms(100)));
    note();
    EXPECT_TRUE(machine.sleep_until_ms(150));  // The timer of 100 fires too early for this.
    note();
    event.reset();
    machine.dispatch.script.emplace(at_ms(160), [&] { event.set(); });
    EXPECT_TRUE(event.wait(at_ms(1000)));
    EXPECT_TRUE(machine.sleep_until_ms(170));  // And that of 1000 too late.
    note();
  });
  machine.run();
  EXPECT_EQ(woken_ms, (std::vector<int64_t>{1, 150, 170}));
}

TEST(Deadlines, ALazyTimerDoesNotJumpTheQueue) {
  FakeMachine machine;
  Event event(machine.fibers);
  machine.dispatch.script.emplace(at_ms(1), [&] { event.set(); });
  Names order;
  machine.fibers.spawn("late", [&] {
    // Leaves a timer for 10 behind, older than that of the other fiber.
    EXPECT_TRUE(event.wait(at_ms(10)));
    EXPECT_TRUE(machine.sleep_until_ms(2));
    EXPECT_TRUE(machine.sleep_until_ms(10));
    order.push_back("late");
  });
  machine.fibers.spawn("early", [&] {
    EXPECT_TRUE(machine.sleep_until_ms(10));
    order.push_back("early");
  });
  machine.run();
  EXPECT_EQ(order, (Names{"early", "late"}));
}

TEST(Deadlines, OneThatHasPassedStillParks) {
  FakeMachine machine;
  machine.dispatch.time = at_ms(50);
  Names order;
  machine.fibers.spawn("past", [&] {
    EXPECT_TRUE(machine.sleep_until_ms(10));
    order.push_back("past");
  });
  machine.fibers.spawn("other", [&] { order.push_back("other"); });
  machine.run();
  EXPECT_EQ(order, (Names{"other", "past"}));
  EXPECT_EQ(machine.dispatch.time, at_ms(50));
}

TEST(Deadlines, EndWithTheirFibers) {
  FakeMachine machine;
  Event event(machine.fibers);
  machine.dispatch.script.emplace(at_ms(1), [&] { event.set(); });
  for (int i = 0; i < 10; ++i) {
    machine.fibers.spawn("fiber", [&, i] { EXPECT_TRUE(event.wait(at_ms(1000 + i))); });
  }
  machine.run();
  EXPECT_EQ(machine.scheduler.next_deadline(), kNever);
  EXPECT_EQ(machine.dispatch.time, at_ms(1)) << "nobody waited for the rest";
}

// Many fibers with deadlines that are met, missed and shortened at random, against a plain list.
TEST(Deadlines, HoldUnderRandomUse) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FakeMachine machine;
    base::RandomStream random(seed);
    std::vector<std::unique_ptr<Event>> events;
    int mistakes = 0;
    int waits = 0;
    for (int i = 0; i < 30; ++i) events.push_back(std::make_unique<Event>(machine.fibers));
    for (int i = 0; i < 30; ++i) {
      machine.fibers.spawn("fiber", [&, i] {
        Event& event = *events[static_cast<size_t>(i)];
        for (int round = 0; round < 30; ++round, ++waits) {
          const int64_t start = machine.dispatch.time.time_since_epoch() / 1ms;
          const int64_t signal = start + random.between(1, 60);
          const int64_t deadline = start + random.between(1, 60);
          event.reset();
          if (random.chance(0.7)) {
            machine.dispatch.script.emplace(at_ms(signal), [&event] { event.set(); });
          }
          const bool signalled = event.wait(at_ms(deadline)).has_value();
          const int64_t woken = machine.dispatch.time.time_since_epoch() / 1ms;
          // A stale signal of an earlier round may come first; nothing comes late.
          if (signalled ? woken > deadline : woken != deadline) ++mistakes;
        }
      });
    }
    machine.run();
    EXPECT_EQ(mistakes, 0) << "seed " << seed;
    EXPECT_EQ(waits, 900);
    EXPECT_EQ(machine.scheduler.next_deadline(), kNever);
  }
}

// ---- Cancel

TEST(Cancel, EndsTheParkedCallAndEachAfterIt) {
  FakeMachine machine;
  std::vector<Wake> wakes;
  Fiber sleeper = machine.fibers.spawn("sleeper", [&] {
    EXPECT_FALSE(machine.fibers.cancelled());
    wakes.push_back(machine.fibers.park());
    EXPECT_TRUE(machine.fibers.cancelled());
    wakes.push_back(machine.fibers.park(at_ms(5)));
    EXPECT_EQ(machine.fibers.yield().error(), Errc::kCancelled);
  });
  machine.dispatch.script.emplace(at_ms(1), [&] {
    sleeper.cancel();
    sleeper.cancel();
  });
  machine.run();
  EXPECT_TRUE(sleeper.done());
  EXPECT_EQ(wakes, (std::vector{Wake::kCancelled, Wake::kCancelled}));
  sleeper.cancel();
}

TEST(Cancel, BeforeTheStartIsNoticedAtTheFirstPark) {
  FakeMachine machine;
  bool started = false;
  Fiber fiber = machine.fibers.spawn("fiber", [&] {
    started = true;
    EXPECT_EQ(machine.fibers.park(), Wake::kCancelled);
  });
  fiber.cancel();
  machine.run();
  EXPECT_TRUE(started);
  EXPECT_TRUE(fiber.done());
}

TEST(Cancel, DuringAYieldIsNoticedByIt) {
  FakeMachine machine;
  bool noticed = false;
  Fiber yielder = machine.fibers.spawn("yielder", [&] { noticed = !machine.fibers.yield(); });
  machine.fibers.spawn("canceller", [&] { yielder.cancel(); });
  machine.run();
  EXPECT_TRUE(noticed);
}

TEST(Cancel, WaitsForWhatMustBeSeenToItsEnd) {
  FakeMachine machine;
  detail::FiberBody* body = nullptr;
  bool done = false;
  Names order;
  Fiber worker = machine.fibers.spawn("worker", [&] {
    body = machine.scheduler.current();
    while (!done) machine.fibers.park_uncancelled();
    order.push_back("done");
    EXPECT_EQ(machine.fibers.park(), Wake::kCancelled);
    order.push_back("cancelled");
  });
  machine.dispatch.script.emplace(at_ms(1), [&] { worker.cancel(); });
  machine.dispatch.script.emplace(at_ms(2), [&] {
    order.push_back("finishing");
    done = true;
    EXPECT_TRUE(machine.scheduler.wake(body));
    EXPECT_FALSE(machine.scheduler.wake(body)) << "it is not parked any more";
  });
  machine.run();
  EXPECT_EQ(order, (Names{"finishing", "done", "cancelled"}));
}

// ---- Join

TEST(Join, ReturnsAtTheEndAndAfterIt) {
  FakeMachine machine;
  Names order;
  Fiber worker = machine.fibers.spawn("worker", [&] {
    EXPECT_TRUE(machine.sleep_until_ms(5));
    order.push_back("worker");
  });
  for (const char* name : {"joiner 1", "joiner 2"}) {
    machine.fibers.spawn(name, [&, name] {
      EXPECT_TRUE(worker.join());
      EXPECT_TRUE(worker.join());
      order.push_back(name);
    });
  }
  machine.run();
  EXPECT_EQ(order, (Names{"worker", "joiner 1", "joiner 2"}));
  EXPECT_TRUE(Fiber().done());
}

TEST(Join, HasADeadline) {
  FakeMachine machine;
  machine.fibers.spawn("joiner", [&] {
    Fiber worker = machine.fibers.spawn("worker", [&] { (void)machine.sleep_until_ms(50); });
    EXPECT_EQ(worker.join(at_ms(5)).error(), Errc::kDeadline);
    EXPECT_EQ(machine.dispatch.time, at_ms(5));
    EXPECT_TRUE(worker.join(at_ms(100)));
    EXPECT_EQ(machine.dispatch.time, at_ms(50));
  });
  machine.run();
  EXPECT_EQ(machine.fibers.live(), 0u);
}

TEST(Join, SurvivesItsHandle) {
  FakeMachine machine;
  auto handle = std::make_unique<Fiber>();
  *handle = machine.fibers.spawn("worker", [&] { EXPECT_TRUE(machine.sleep_until_ms(5)); });
  bool joined = false;
  machine.fibers.spawn("joiner", [&] {
    EXPECT_TRUE(handle->join());
    joined = true;
  });
  machine.fibers.spawn("dropper", [&] { handle.reset(); });
  machine.run();
  EXPECT_TRUE(joined);
}

TEST(JoinDeathTest, NotOfItself) {
  FakeMachine machine;
  EXPECT_DEATH(
      {
        Fiber self;
        self = machine.fibers.spawn("self", [&] { (void)self.join(); });
        machine.run();
      },
      "cannot join itself");
}

// ---- Kill

TEST(Kill, UnwindsLastStartedFirst) {
  FakeMachine machine;
  Names gone;
  for (const char* name : {"first", "second", "third"}) {
    machine.fibers.spawn(name, [&, name] {
      const Gone outer{gone, std::string(name) + " outer"};
      const Gone inner{gone, std::string(name) + " inner"};
      (void)machine.fibers.park();
      ADD_FAILURE() << "a killed fiber went on";
    });
  }
  machine.run();
  EXPECT_EQ(machine.fibers.live(), 3u);
  machine.fibers.kill();
  EXPECT_EQ(gone, (Names{"third inner", "third outer", "second inner", "second outer",
                         "first inner", "first outer"}));
  EXPECT_EQ(machine.fibers.live(), 0u);
  EXPECT_TRUE(machine.fibers.killed());
}

// ---- Standing still

TEST(Kill, EndsFibersThatNeverStarted) {
  for (const bool paused : {false, true}) {
    FakeMachine machine;
    Fibers victims(machine.scheduler);
    auto captured = std::make_shared<int>(1);
    Fiber never;
    bool joined = false;
    machine.fibers.spawn("killer", [&] {
      if (paused) victims.pause();
      Fiber joiner = machine.fibers.spawn("joiner", [&] {
        // It comes behind the killer, who has yielded.
        never = victims.spawn("never", [captured] { ADD_FAILURE() << "it started"; });
        EXPECT_TRUE(never.join());
        joined = true;
      });
      EXPECT_TRUE(machine.fibers.yield());
      EXPECT_EQ(captured.use_count(), 2);
      victims.kill();
      EXPECT_EQ(captured.use_count(), 1) << "what it had captured is destroyed";
      EXPECT_TRUE(joiner.join(at_ms(100)));
    });
    machine.run();
    EXPECT_TRUE(never.done());
    EXPECT_TRUE(joined);
  }
}

TEST(Kill, EndsRunnableAndPausedFibers) {
  FakeMachine machine;
  Names gone;
  Fibers victims(machine.scheduler);
  for (const char* name : {"runnable", "paused"}) {
    victims.spawn(name, [&, name] {
      const Gone here{gone, name};
      for (;;) {
        if (!victims.yield()) ADD_FAILURE() << "it was not cancelled";
      }
    });
  }
  machine.fibers.spawn("killer", [&] {
    EXPECT_TRUE(machine.fibers.yield());
    victims.pause();
    victims.kill();
    EXPECT_EQ(gone, (Names{"paused", "runnable"}));
    EXPECT_TRUE(machine.fibers.yield());
  });
  machine.run();
  EXPECT_EQ(machine.scheduler.runnable(), 0u);
}

TEST(Kill, NothingStartsAfterwards) {
  FakeMachine machine;
  machine.fibers.kill();
  Fiber late = machine.fibers.spawn("late", [] { ADD_FAILURE() << "it started"; });
  EXPECT_TRUE(late.done());
  machine.run();
}

// Newer fibers go first, and may be waiting for older ones: these must not wake the dead.
TEST(Kill, OfJoinersAndTheJoined) {
  FakeMachine machine;
  Names gone;
  Fiber older = machine.fibers.spawn("older", [&] {
    const Gone here{gone, "older"};
    (void)machine.fibers.park();
  });
  machine.fibers.spawn("newer", [&] {
    const Gone here{gone, "newer"};
    (void)older.join();
  });
  machine.run();
  machine.fibers.kill();
  EXPECT_EQ(gone, (Names{"newer", "older"}));
}

TEST(Kill, DestructorsThatWouldParkDoNot) {
  FakeMachine machine;
  std::vector<Wake> wakes;
  machine.fibers.spawn("fiber", [&] {
    struct Parker {
      FakeMachine& machine;
      std::vector<Wake>& wakes;
      ~Parker() { wakes.push_back(machine.fibers.park(at_ms(1000))); }
    };
    const Parker parker{machine, wakes};
    (void)machine.fibers.park();
  });
  // Also one that is destroyed with what the fiber's function had captured.
  machine.fibers.spawn("captured", [&, own = std::make_unique<FiberGroup>(machine.fibers)] {
    own->spawn("member", [&] { (void)machine.fibers.park(); });
    (void)machine.fibers.park();
  });
  machine.run();
  machine.fibers.kill();
  EXPECT_EQ(wakes, std::vector{Wake::kCancelled});
  EXPECT_EQ(machine.fibers.live(), 0u);
}

TEST(Kill, AnotherProcessFromADestructorThatIsUnwound) {
  FakeMachine machine;
  Names gone;
  auto other = std::make_unique<Fibers>(machine.scheduler);
  other->spawn("other's", [&] {
    const Gone here{gone, "other's"};
    (void)other->park();
    ADD_FAILURE() << "a killed fiber went on";
  });
  machine.fibers.spawn("mine", [&] {
    const Gone here{gone, "mine"};
    struct Killer {
      std::unique_ptr<Fibers>& other;
      ~Killer() { other->kill(); }
    } const killer{other};
    (void)machine.fibers.park();
  });
  machine.run();
  machine.fibers.kill();
  EXPECT_EQ(gone, (Names{"other's", "mine"}));
}

// The machine may kill while it looks for the next fiber: on the stack of one that has just ended.
TEST(Kill, OnTheStackOfOneThatHasEnded) {
  FakeMachine machine;
  Names gone;
  Fibers victims(machine.scheduler);
  victims.spawn("victim", [&] {
    const Gone here{gone, "victim"};
    (void)victims.park();
  });
  machine.fibers.spawn("ends", [&] { gone.push_back("ends"); });
  machine.dispatch.script.emplace(at_ms(1), [&] { victims.kill(); });
  machine.dispatch.script.emplace(at_ms(2), [&] { gone.push_back("later"); });
  machine.run();
  EXPECT_EQ(gone, (Names{"ends", "victim", "later"}));
}

TEST(Kill, ByTheDestructor) {
  Names gone;
  {
    FakeMachine machine;
    machine.fibers.spawn("fiber", [&] {
      const Gone here{gone, "fiber"};
      (void)machine.fibers.park(at_ms(1000));
    });
    machine.dispatch.script.emplace(at_ms(1), [&] { machine.dispatch.stopped = true; });
    machine.run();
    EXPECT_TRUE(gone.empty());
  }
  EXPECT_EQ(gone, Names{"fiber"});
}

TEST(KillDeathTest, NotByOneOfThem) {
  FakeMachine machine;
  EXPECT_DEATH(
      {
        machine.fibers.spawn("self", [&] { machine.fibers.kill(); });
        machine.run();
      },
      "cannot kill itself");
}

// ---- Groups

TEST(Group, ItsDestructorCancelsAndJoins) {
  FakeMachine machine;
  Names order;
  machine.fibers.spawn("owner", [&] {
    {
      FiberGroup group(machine.fibers);
      group.spawn("member", [&] {
        EXPECT_EQ(machine.fibers.park(), Wake::kCancelled);
        order.push_back("member");
      });
      EXPECT_TRUE(machine.fibers.yield());
    }
    order.push_back("owner");
  });
  machine.run();
  EXPECT_EQ(order, (Names{"member", "owner"}));
}

TEST(Group, ItsDestructorWaitsInACancelledFiberToo) {
  FakeMachine machine;
  Names order;
  detail::FiberBody* slow = nullptr;
  Fiber owner = machine.fibers.spawn("owner", [&] {
    {
      FiberGroup group(machine.fibers);
      group.spawn("member", [&] {
        slow = machine.scheduler.current();
        machine.fibers.park_uncancelled();
        order.push_back("member");
      });
      EXPECT_EQ(machine.fibers.park(), Wake::kCancelled);
    }
    order.push_back("owner");
    EXPECT_EQ(machine.fibers.park(), Wake::kCancelled) << "it is still cancelled";
  });
  machine.dispatch.script.emplace(at_ms(1), [&] { owner.cancel(); });
  machine.dispatch.script.emplace(at_ms(2), [&] {
    EXPECT_TRUE(order.empty());
    EXPECT_TRUE(machine.scheduler.wake(slow));
  });
  machine.run();
  EXPECT_EQ(order, (Names{"member", "owner"}));
}

TEST(Group, MembersMaySpawnMoreWhileItEnds) {
  FakeMachine machine;
  int ended = 0;
  machine.fibers.spawn("owner", [&] {
    FiberGroup group(machine.fibers);
    group.spawn("member", [&] {
      EXPECT_EQ(machine.fibers.park(), Wake::kCancelled);
      for (int i = 0; i < 50; ++i) {
        group.spawn("late", [&] {
          EXPECT_EQ(machine.fibers.park(), Wake::kCancelled);
          ++ended;
        });
      }
      ++ended;
    });
    EXPECT_TRUE(machine.fibers.yield());
  });
  machine.run();
  EXPECT_EQ(ended, 51);
  EXPECT_EQ(machine.fibers.live(), 0u);
}

TEST(Group, JoinWaitsForThoseSpawnedMeanwhile) {
  FakeMachine machine;
  int ended = 0;
  machine.fibers.spawn("owner", [&] {
    FiberGroup group(machine.fibers);
    group.spawn("member", [&] {
      EXPECT_TRUE(machine.sleep_until_ms(1));
      for (int i = 0; i < 50; ++i) {
        group.spawn("late", [&, i] {
          EXPECT_TRUE(machine.sleep_until_ms(2 + i));
          ++ended;
        });
      }
    });
    EXPECT_TRUE(group.join());
    EXPECT_EQ(ended, 50);
    EXPECT_EQ(group.live(), 0u);
  });
  machine.run();
  EXPECT_EQ(ended, 50);
}

TEST(Group, JoinHasADeadline) {
  FakeMachine machine;
  machine.fibers.spawn("owner", [&] {
    FiberGroup group(machine.fibers);
    group.spawn("member", [&] { (void)machine.sleep_until_ms(50); });
    EXPECT_EQ(group.join(at_ms(5)).error(), Errc::kDeadline);
    EXPECT_EQ(group.live(), 1u);
  });
  machine.run();
  EXPECT_EQ(machine.dispatch.time, at_ms(5)) << "the destructor cancelled the member";
}

TEST(Group, IsUnwoundWithItsOwner) {
  FakeMachine machine;
  Names gone;
  machine.fibers.spawn("owner", [&] {
    const Gone here{gone, "owner"};
    FiberGroup group(machine.fibers);
    for (const char* name : {"a", "b"}) {
      group.spawn(name, [&, name] {
        const Gone member{gone, name};
        (void)machine.fibers.park();
      });
    }
    (void)group.join();
  });
  machine.run();
  machine.fibers.kill();
  EXPECT_EQ(gone, (Names{"b", "a", "owner"}));
}

}  // namespace
}  // namespace seatrial::os
