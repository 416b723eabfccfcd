// Processes whose fibers stand still for a while: paused, held by one of their own, or rationed.
#include "os/fiber.h"
#include "tests/os/fake_dispatch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::os {
namespace {

using Names = std::vector<std::string>;
using namespace std::chrono_literals;

// ---- Held by one of their own

TEST(HoldOthers, NobodyElseRunsOverAPark) {
  FakeMachine machine;
  Names order;
  for (const char* name : {"before", "holder", "behind"}) {
    machine.fibers.spawn(name, [&, name] {
      if (std::string_view(name) == "holder") {
        machine.fibers.hold_others();
        EXPECT_TRUE(machine.sleep_until_ms(100));
        order.push_back("moves on");
        machine.fibers.let_others_go();
      }
      EXPECT_TRUE(machine.sleep_until_ms(10));
      order.push_back(name);
    });
  }
  machine.run();
  EXPECT_EQ(order, (Names{"moves on", "before", "holder", "behind"}));
}

TEST(HoldOthers, AKilledHolderLetsNobodyRun) {
  for (const bool holder_first : {true, false}) {
    FakeMachine machine;
    Fibers victims(machine.scheduler);
    struct LetGo {
      Fibers& fibers;
      ~LetGo() { fibers.let_others_go(); }
    };
    const auto spawn_held = [&] {
      victims.spawn("held", [&] {
        EXPECT_TRUE(victims.yield());
        ADD_FAILURE() << "a held fiber went on";
      });
    };
    if (!holder_first) spawn_held();
    victims.spawn("holder", [&] {
      victims.hold_others();
      const LetGo let_go{victims};
      (void)victims.park();
    });
    if (holder_first) spawn_held();
    machine.fibers.spawn("killer", [&] {
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(machine.fibers.yield());
      victims.kill();
    });
    machine.run();
    EXPECT_EQ(victims.live(), 0u);
  }
}

// ---- Pause

TEST(Pause, HoldsWhatCouldRunAndWhatIsWoken) {
  FakeMachine machine;
  Fibers other(machine.scheduler);
  Names order;
  other.spawn("runnable", [&] { order.push_back("runnable"); });
  other.spawn("sleeper", [&] {
    EXPECT_EQ(other.park(at_ms(5)), Wake::kDeadline);
    order.push_back("sleeper");
  });
  machine.fibers.spawn("pauser", [&] {
    EXPECT_TRUE(machine.fibers.yield());  // The sleeper sleeps.
    other.spawn("late", [&] { order.push_back("late"); });
    other.pause();
    EXPECT_TRUE(machine.sleep_until_ms(20));
    order.push_back("pauser");
    other.resume();
  });
  machine.run();
  EXPECT_EQ(order, (Names{"runnable", "pauser", "late", "sleeper"}));
}

// ---- Rations

TEST(Ration, OneGoesAtATimeAndTheOthersAreHeld) {
  FakeMachine machine;
  Fibers other(machine.scheduler);
  Names order;
  machine.fibers.spawn("processor", [&] {
    other.ration();
    EXPECT_EQ(other.waiting(), 3U);
    other.let_one_go(1);
    EXPECT_TRUE(machine.sleep_until_ms(1));
    EXPECT_EQ(order, (Names{"b"}));
    EXPECT_EQ(other.waiting(), 3U) << "it could go on";
    other.pause();
    EXPECT_EQ(other.waiting(), 0U);
    other.resume();
    EXPECT_EQ(other.waiting(), 3U);
    other.let_one_go(0);
    EXPECT_TRUE(machine.sleep_until_ms(2));
    EXPECT_EQ(order, (Names{"b", "a"}));
    other.ration_no_more();
    EXPECT_TRUE(machine.sleep_until_ms(3));
    EXPECT_EQ(order, (Names{"b", "a", "c", "b again", "a again", "c again"}));
    EXPECT_EQ(other.waiting(), 0U);
  });
  for (const char* name : {"a", "b", "c"}) {
    other.spawn(name, [&, name] {
      order.push_back(name);
      EXPECT_TRUE(other.yield());
      order.push_back(std::string(name) + " again");
    });
  }
  machine.run();
  // At once for those that could go, and for each that comes to be able to; again after the pause.
  EXPECT_EQ(machine.dispatch.rationed_calls, 6);
}

TEST(Ration, WhoHoldsTheOthersGoesAlone) {
  FakeMachine machine;
  Fibers other(machine.scheduler);
  Names order;
  machine.fibers.spawn("processor", [&] {
    other.ration();
    EXPECT_TRUE(machine.sleep_until_ms(1));
    other.let_one_go(0);
    EXPECT_TRUE(machine.sleep_until_ms(2));
    EXPECT_EQ(other.waiting(), 0U);
    EXPECT_TRUE(machine.sleep_until_ms(6));
    EXPECT_EQ(other.waiting(), 1U);
    other.let_one_go(0);
    EXPECT_TRUE(machine.sleep_until_ms(7));
    EXPECT_EQ(order, (Names{"holder"}));
    EXPECT_EQ(other.waiting(), 1U);
    other.kill();
    EXPECT_EQ(other.waiting(), 0U);
  });
  other.spawn("holder", [&] {
    other.hold_others();
    EXPECT_EQ(other.park(at_ms(5)), Wake::kDeadline);
    order.push_back("holder");
    other.let_others_go();
  });
  other.spawn("held", [&] { order.push_back("held"); });
  machine.run();
  EXPECT_EQ(order, (Names{"holder"}));
}

}  // namespace
}  // namespace seatrial::os
