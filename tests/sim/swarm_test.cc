#include "sim/swarm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

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

TEST(Swarm, TheSameSeedDrawsTheSame) {
  EXPECT_EQ(draw(3), draw(3));
  EXPECT_NE(draw(3), draw(4));
}

// Whether a plan has anything of this fault.
bool has(const Plan& plan, const FaultInfo& fault) {
  if (fault.kind == "net.cut") return plan.weather.network.cut_chance > 0;
  if (fault.kind == "fork.pause") return plan.weather.process.fork_pause_per_kib > 0us;
  return std::ranges::count(plan.faults, fault.kind, &FaultStep::kind) > 0;
}

TEST(Swarm, EachFaultIsOffInManySeedsAndEachFamilyInSome) {
  std::map<std::string, int> on;
  std::map<std::string, std::set<uint64_t>> family_on;
  SwarmOptions options = some_options();
  options.stage.releases = 2;
  options.stage.storm = 5000s;  // So long that each that is on has a step.
  options.stage.expendable = {"kv0", "kv1"};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Plan plan = draw(seed, options);
    for (const Fault* fault : all_faults()) {
      if (!has(plan, fault->info())) continue;
      ++on[std::string(fault->info().kind)];
      family_on[std::string(fault->info().family)].insert(seed);
    }
  }
  for (const Fault* fault : all_faults()) {
    const FaultInfo& info = fault->info();
    const int count = on[std::string(info.kind)];
    if (info.opt_in) {
      EXPECT_EQ(count, 0) << info.kind;
    }
    if (info.opt_in || (info.ambient && count == 0)) continue;
    const double expected = kSeeds * info.chance * 0.75;
    EXPECT_GT(count, expected * 0.75) << info.kind;
    EXPECT_LT(count, expected * 1.25) << info.kind;
  }
  for (const auto& [family, seeds] : family_on) {
    EXPECT_LT(seeds.size(), kSeeds * 85 / 100) << family << " is never off";
  }
}

TEST(Swarm, OnlyWhatIsNamedIsDrawn) {
  SwarmOptions options = some_options();
  options.faults = {"process", "net.segmentation"};
  options.without = {"process.pause"};
  std::set<std::string> kinds;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Plan plan = draw(seed, options);
    for (const FaultStep& step : plan.faults) kinds.insert(step.kind);
    EXPECT_EQ(plan.weather.network.cut_chance, 0);
    EXPECT_EQ(plan.weather.disk.short_write_chance, 0);
    EXPECT_EQ(plan.weather.process, ProcessWeather{});
    EXPECT_EQ(plan.weather.chaos, ChaosWeather{});
  }
  EXPECT_FALSE(kinds.contains("process.pause"));
  EXPECT_TRUE(kinds.contains("process.kill"));
  for (const std::string& kind : kinds) EXPECT_TRUE(kind.starts_with("process.")) << kind;
}

TEST(Swarm, WhatHarmsDisksIsDrawnOnlyWhereSomeAreExpendable) {
  SwarmOptions options = some_options();
  for (const Fault* fault : all_faults()) {
    if (fault->info().harms_disk) {
      EXPECT_FALSE(may_draw(options, fault->info()));
    }
  }
}

TEST(Swarm, ManyFaultsAtOnceStrikeLessOftenEach) {
  double steps = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    steps += static_cast<double>(draw(seed).faults.size());
  }
  // 30 s are six times five seconds; some faults draw two steps where others draw one.
  EXPECT_LT(steps / kSeeds, 6 * 6 * 1.2);
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
