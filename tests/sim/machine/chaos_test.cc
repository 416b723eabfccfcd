#include "sim/machine/chaos.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <gtest/gtest.h>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

// How often a site came true in 200 calls, in one life of a process.
int fires(os::Os& os, std::string_view site) {
  int count = 0;
  for (int i = 0; i < 200; ++i) count += os.chaos.chance(site) ? 1 : 0;
  return count;
}

struct Seen {
  int first_site = 0;
  int second_site = 0;
  int first_site_next_life = 0;
  int64_t knob = 0;
  int64_t knob_next_life = 0;
};

Seen look(uint64_t seed, const ChaosWeather& chaos) {
  Weather weather;
  weather.chaos = chaos;
  World world({.seed = seed, .weather = weather});
  Node& node = world.add_node("node");
  Seen seen;
  world.administer("lives", [&] {
    node.start("first", [&](os::Os& os) {
      seen.first_site = fires(os, "first site");
      seen.second_site = fires(os, "second site");
      seen.knob = os.chaos.knob("batch", 100, {1, 2, 3});
      return 0;
    });
    world.sleep(1s);
    node.start("second", [&](os::Os& os) {
      seen.first_site_next_life = fires(os, "first site");
      seen.knob_next_life = os.chaos.knob("batch", 100, {1, 2, 3});
      return 0;
    });
    world.sleep(1s);
    world.stop();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  return seen;
}

TEST(SimChaos, NeverWithTheWeatherOff) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Seen seen = look(seed, {});
    EXPECT_EQ(seen.first_site + seen.second_site + seen.first_site_next_life, 0);
    EXPECT_EQ(seen.knob, 100);
  }
}

TEST(SimChaos, EachSeedArmsSomeSitesAndThoseFireAtTimes) {
  int armed = 0;
  int only_one = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Seen seen = look(seed, {.site_armed = 0.5, .site_fires = 0.2});
    armed += seen.first_site > 0 ? 1 : 0;
    only_one += (seen.first_site > 0) != (seen.second_site > 0) ? 1 : 0;
    EXPECT_LT(seen.first_site, 80);
    EXPECT_EQ(seen.first_site > 0, seen.first_site_next_life > 0) << "armed for all its lives";
  }
  EXPECT_GT(armed, 30);
  EXPECT_LT(armed, 70);
  EXPECT_GT(only_one, 30);
}

TEST(SimChaos, AShakenKnobIsOneOfTheOthersAndStays) {
  int shaken = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Seen seen = look(seed, {.knob_shaken = 0.5});
    EXPECT_EQ(seen.knob, seen.knob_next_life);
    shaken += seen.knob != 100 ? 1 : 0;
    EXPECT_TRUE(seen.knob == 100 || (seen.knob >= 1 && seen.knob <= 3));
  }
  EXPECT_GT(shaken, 30);
  EXPECT_LT(shaken, 70);
}

}  // namespace
}  // namespace seatrial::sim
