// clock.jump and clock.strobe, and the ambient clock.drift and clock.skew.
#include "tests/sim/faults/one_fault.h"

#include <algorithm>
#include <set>
#include <vector>

namespace seatrial::sim {
namespace {

class ClockFault : public OneFault {
 protected:
  // Looks at both clocks every 100 ms of the node's time.
  void look() {
    serve([this](os::Os& os) {
      os::MonotonicTime last = os.clock.monotonic();
      while (os.clock.sleep_for(100ms)) {
        EXPECT_GE(os.clock.monotonic(), last + 100ms);
        last = os.clock.monotonic();
        errors.push_back(os.clock.wall() - kEpoch - world.now_virtual());
      }
      return 0;
    });
  }
  std::vector<VirtualTime> errors;  // Of the wall clock, at each look.
};

TEST_F(ClockFault, JumpIsPutRightAfterAWhile) {
  look();
  strike(
      {.at = 2050ms, .kind = "clock.jump", .target = "server", .lasts = 4s, .amount = -7'000'000});
  ASSERT_GT(errors.size(), 100U);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(errors[i], i >= 20 && i < 60 ? -7s : 0s) << i;
  }
  EXPECT_EQ(struck("clock.jump"), 1U);
  EXPECT_EQ(server.clock().wall_errors(world.now_virtual()).spread(), 7s);
  EXPECT_EQ(client.clock().wall_errors(world.now_virtual()).spread(), 0s);
}

TEST_F(ClockFault, JumpMayStayForGood) {
  look();
  strike({.at = 2050ms, .kind = "clock.jump", .target = "server", .amount = 3'000});
  EXPECT_EQ(errors[19], 0s);
  EXPECT_EQ(errors[20], 3ms);
  EXPECT_EQ(errors.back(), 3ms);
}

TEST_F(ClockFault, JumpIsPutRightAtTheEndOfTheStorm) {
  look();
  strike({.at = 2050ms, .kind = "clock.jump", .target = "server", .lasts = 30min, .amount = 3'000},
         10s);
  EXPECT_EQ(errors[98], 3ms);
  EXPECT_EQ(errors.back(), 0s);
}

TEST_F(ClockFault, StrobeGoesToAndFroAndEndsWhereItBegan) {
  look();
  strike({.at = 2050ms,
          .kind = "clock.strobe",
          .target = "server",
          .lasts = 2s,
          .delay = 100ms,
          .amount = 500'000});
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(errors[i], i >= 20 && i < 40 && i % 2 == 0 ? 500ms : 0s) << i;
  }
  EXPECT_EQ(struck("clock.strobe"), 1U);
}

TEST_F(ClockFault, StrobeEndsWithTheStorm) {
  look();
  strike({.at = 2050ms,
          .kind = "clock.strobe",
          .target = "server",
          .lasts = 30min,
          .delay = 70ms,
          .amount = -500'000},
         10s);
  EXPECT_EQ(errors.back(), 0s);
  EXPECT_EQ(server.clock().wall_errors(world.now_virtual()).least, -500ms);
}

// Runs for ten seconds under a weather that the fault has drawn, with an idle service on each of
// two servers.
template <typename Look>
void ten_seconds_under(std::string_view kind, uint64_t seed, Look look) {
  const Plan plan = draw_plan(kind, seed, {.servers = {"a", "b"}, .storm = 10s});
  World world({.seed = seed, .weather = plan.weather});
  for (const char* name : {"a", "b"}) {
    world.add_node(name).set_service("idle", [] {
      return ProcessMain([](os::Os& os) {
        (void)os.clock.sleep_for(1h);
        return 0;
      });
    });
  }
  world.administer("director", [&] {
    Storm storm(world, plan);
    world.sleep(10s);
    storm.end();
    look(world, plan);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(ClockDrift, EachServerHasItsOwnRateAtMostTheDrawnOne) {
  std::set<int64_t> rates;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    ten_seconds_under("clock.drift", seed, [&](World& world, const Plan& plan) {
      const VirtualTime most = plan.weather.clock.drift_per_second_max;
      EXPECT_GE(most, 200us);
      EXPECT_LE(most, 50'000us);
      for (const auto& node : world.nodes()) {
        const int64_t rate = node->clock().rate_ppm();
        EXPECT_LE(std::abs(rate), to_micros(most));
        EXPECT_EQ(node->clock().wall_errors(10s).spread(), std::chrono::abs(rate * 10us));
        EXPECT_EQ(node->clock().wall_error(10s), rate * 10us);
        rates.insert(rate);
      }
    });
  }
  EXPECT_GT(rates.size(), 15U);
  EXPECT_LT(*rates.begin(), -100);
  EXPECT_GT(*rates.rbegin(), 100);
}

TEST(ClockSkew, EachServerIsOffByItsOwnAndStaysSo) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    ten_seconds_under("clock.skew", seed, [&](World& world, const Plan& plan) {
      const VirtualTime most = plan.weather.clock.skew_max;
      EXPECT_GE(most, 50ms);
      EXPECT_LE(most, 60s);
      for (const auto& node : world.nodes()) {
        EXPECT_LE(std::chrono::abs(node->clock().wall_error(10s)), most);
        EXPECT_NE(node->clock().wall_error(10s), 0s);
        EXPECT_EQ(node->clock().wall_errors(10s).spread(), 0s);
      }
      EXPECT_NE(world.nodes()[0]->clock().wall_error(10s),
                world.nodes()[1]->clock().wall_error(10s));
    });
  }
}

}  // namespace
}  // namespace seatrial::sim
