#include "sim/machine/chaos.h"
#include "sim/faults/fault.h"
#include "sim/machine/process.h"
#include "sim/plan.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

bool first_site(os::Os& os) { return CHANCE(os.chaos, "test: first site"); }
bool second_site(os::Os& os) { return CHANCE(os.chaos, "test: second site"); }
int64_t batch(os::Os& os) { return KNOB(os.chaos, "test: batch", 100, 1, 2, 3); }

// How often a site came true in 200 calls, in one life of a process.
int fires(os::Os& os, bool (*site)(os::Os&)) {
  int count = 0;
  for (int i = 0; i < 200; ++i) count += site(os) ? 1 : 0;
  return count;
}

struct Seen {
  int first_site = 0;
  int second_site = 0;
  int first_site_next_life = 0;
  int64_t knob = 0;
  int64_t knob_next_life = 0;
};

Seen look(uint64_t seed, const ChaosWeather& chaos, std::optional<ChaosPlan> plan = {},
          bool calm_between = false) {
  Weather weather;
  weather.chaos = chaos;
  World world({.seed = seed, .weather = weather});
  Node& node = world.add_node("node");
  node.chaos = std::move(plan);
  Seen seen;
  world.administer("lives", [&] {
    node.start("first", [&](os::Os& os) {
      seen.first_site = fires(os, first_site);
      seen.second_site = fires(os, second_site);
      seen.knob = batch(os);
      return 0;
    });
    world.sleep(1s);
    if (calm_between) find_fault("chaos.sites")->calm(world);
    node.start("second", [&](os::Os& os) {
      seen.first_site_next_life = fires(os, first_site);
      seen.knob_next_life = batch(os);
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

TEST(SimChaos, APlanSaysWhatHappens) {
  const ChaosPlan plan{.armed = {{"test: first site", 0.5}}, .knobs = {{"test: batch", 42}}};
  // Whatever the weather says.
  const Seen seen = look(7, {.site_armed = 1, .site_fires = 1, .knob_shaken = 1}, plan);
  EXPECT_GT(seen.first_site, 60);
  EXPECT_LT(seen.first_site, 140);
  EXPECT_EQ(seen.second_site, 0);
  EXPECT_EQ(seen.knob, 42);
  EXPECT_EQ(seen.knob_next_life, 42);
  EXPECT_EQ(look(7, {.site_armed = 1, .site_fires = 1, .knob_shaken = 1}, ChaosPlan{}).knob, 100);
}

TEST(SimChaos, InTheCalmNothingIsProvoked) {
  const ChaosPlan plan{.armed = {{"test: first site", 1}}, .knobs = {{"test: batch", 2}}};
  const Seen seen = look(7, {}, plan, true);
  EXPECT_EQ(seen.first_site, 200);
  EXPECT_EQ(seen.first_site_next_life, 0);
  EXPECT_EQ(seen.knob_next_life, 2) << "a server's configuration stays";
}

TEST(Chaos, TheCatalogIsKnownBeforeAnythingRuns) {
  std::set<std::string> names;
  for (const os::ChanceSite& site : os::all_chances()) names.insert(site.name);
  for (const os::KnobSite& knob : os::all_knobs()) names.insert(knob.name);
  EXPECT_TRUE(names.contains("test: first site"));
  EXPECT_TRUE(names.contains("test: second site"));
  EXPECT_TRUE(names.contains("test: batch"));
}

// What the swarm draws for one server, in two hundred seeds.
TEST(Chaos, EachServerDrawsItsOwn) {
  int armed = 0;
  int turned = 0;
  int differ = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Plan plan;
    Stage stage{.servers = {"a", "b"}};
    for (const char* kind : {"chaos.sites", "chaos.knobs"}) {
      const Fault* fault = find_fault(kind);
      stage.fault = &fault->info();
      base::RandomStream random(seed, kind);
      fault->draw(random, stage, plan);
    }
    const ChaosPlan a = plan_of(plan, "a").chaos;
    const ChaosPlan b = plan_of(plan, "b").chaos;
    differ += a != b ? 1 : 0;
    armed += a.armed.contains("test: first site") ? 1 : 0;
    turned += a.knobs.contains("test: batch") ? 1 : 0;
    for (const auto& [name, chance] : a.armed) EXPECT_TRUE(chance >= 0.01 && chance <= 0.5);
    for (const auto& [name, value] : a.knobs) EXPECT_TRUE(value >= 1 && value <= 3);
    EXPECT_EQ(plan.weather.chaos, ChaosWeather{});
    const auto parsed = parse_plan(std::string_view(to_json(plan)));
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(*parsed, plan);
  }
  EXPECT_GT(armed, 30);
  EXPECT_LT(armed, 170);
  EXPECT_GT(turned, 20);
  EXPECT_LT(turned, 150);
  EXPECT_GT(differ, 50);
}

}  // namespace
}  // namespace seatrial::sim
