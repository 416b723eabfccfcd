#include "sim/swarm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

constexpr int kSeeds = 400;

SwarmOptions some_options() {
  SwarmOptions options;
  options.stage = {.servers = {"kv0", "kv1"}, .clients = {"client0"}, .storm = 30s};
  return options;
}

Plan draw(uint64_t seed, const SwarmOptions& options = some_options()) {
  Plan plan;
  draw_swarm(Streams(seed), options, plan);
  return plan;
}

void expect_about_half(const std::string& what, int on) {
  EXPECT_GT(on, kSeeds * 4 / 10) << what;
  EXPECT_LT(on, kSeeds * 6 / 10) << what;
}

TEST(Swarm, TheSameSeedDrawsTheSame) {
  EXPECT_EQ(draw(3), draw(3));
  EXPECT_NE(draw(3), draw(4));
}

TEST(Swarm, EachFaultIsOffInAboutHalfOfTheSeeds) {
  std::map<std::string, int> on;
  SwarmOptions options = some_options();
  options.stage.storm = 300s;  // So long that each that is on has a step.
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Plan plan = draw(seed, options);
    for (const Fault* fault : all_faults()) {
      const std::string kind(fault->info().kind);
      on[kind] += std::ranges::count(plan.faults, kind, &FaultStep::kind) > 0 ? 1 : 0;
    }
  }
  EXPECT_EQ(on.size(), all_faults().size());
  for (const auto& [kind, count] : on) expect_about_half(kind, count);
}

TEST(Swarm, EachAmbientFamilyIsOffInAboutHalfOfTheSeeds) {
  std::map<std::string, int> on;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Weather weather = draw(seed).weather;
    on["chaos"] += weather.chaos.site_armed > 0 ? 1 : 0;
    on["cuts"] += weather.network.cut_chance > 0 ? 1 : 0;
    on["fork"] += weather.process.fork_pause_per_kib > 0us ? 1 : 0;
    on["segmentation"] += weather.network.split_chance > 0 ? 1 : 0;
    on["short_writes"] += weather.disk.short_write_chance > 0 ? 1 : 0;
    on["slow_disk"] += weather.disk.stall_chance > 0 ? 1 : 0;
    on["slow_network"] += weather.network.slow_chance > 0 ? 1 : 0;
  }
  EXPECT_EQ(on.size(), ambient_families().size());
  for (const std::string_view family : ambient_families()) {
    expect_about_half(std::string(family), on[std::string(family)]);
  }
}

TEST(Swarm, RestrictingKindsLeavesTheOthersAsTheyWere) {
  SwarmOptions options = some_options();
  options.kinds = {"process.kill", "disk.stall"};
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::vector<FaultStep> expected = draw(seed).faults;
    std::erase_if(expected, [](const FaultStep& step) {
      return step.kind != "process.kill" && step.kind != "disk.stall";
    });
    EXPECT_EQ(draw(seed, options).faults, expected);
  }
}

TEST(Swarm, RestrictingTheAmbientFamiliesLeavesTheOthersFair) {
  SwarmOptions options = some_options();
  options.ambient = {"segmentation"};
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Weather weather = draw(seed, options).weather;
    EXPECT_EQ(weather.network.cut_chance, 0);
    EXPECT_EQ(weather.network.slow_chance, 0);
    EXPECT_EQ(weather.disk.stall_chance, 0);
    EXPECT_EQ(weather.disk.short_write_chance, 0);
    EXPECT_EQ(weather.process, ProcessWeather{});
    EXPECT_EQ(weather.chaos, ChaosWeather{});
    EXPECT_EQ(weather.network.split_chance, draw(seed).weather.network.split_chance);
  }
}

TEST(Swarm, StepsStandInTheirOrderAndInTheStorm) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Plan plan = draw(seed);
    EXPECT_TRUE(std::ranges::is_sorted(plan.faults, {}, &FaultStep::at));
    for (const FaultStep& step : plan.faults) {
      EXPECT_GE(step.at, 0s);
      EXPECT_LE(step.at, 30s);
      EXPECT_NE(find_fault(step.kind), nullptr);
      EXPECT_FALSE(step.target.empty());
    }
  }
}

TEST(Swarm, AStormOfNoLengthHasHardlyAnyFaults) {
  Plan plan;
  SwarmOptions options;
  options.stage.storm = 0s;
  options.stage.servers = {"kv0"};
  draw_swarm(Streams(1), options, plan);
  EXPECT_LE(plan.faults.size(), all_faults().size()) << "at most one step each in no time at all";
}

}  // namespace
}  // namespace seatrial::sim
