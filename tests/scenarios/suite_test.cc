#include "scenarios/suite.h"
#include "scenarios/run.h"
#include "sim/seed_process.h"

#include <gtest/gtest.h>

#include <set>

namespace seatrial::scenarios {
namespace {

using namespace std::chrono_literals;
using reports::RunResult;
using reports::Verdict;

Suite a_suite() {
  auto suite = load_suite("kv/register");
  EXPECT_TRUE(suite);
  return *std::move(suite);
}

std::vector<RunResult> run(const Suite& suite, const SuiteOptions& options,
                           std::function<bool()> interrupted = {}) {
  std::vector<RunResult> results;
  SuiteHooks hooks;
  hooks.ended = [&](RunResult& result, const Capsule* capsule) {
    EXPECT_EQ(capsule == nullptr, result.verdict == Verdict::kPass);
    EXPECT_TRUE(capsule == nullptr || capsule->seed == result.seed);
    results.push_back(result);
  };
  hooks.interrupted = std::move(interrupted);
  auto done = run_suite(suite, options, hooks);
  EXPECT_TRUE(done) << done.error().message();
  return results;
}

std::set<uint64_t> seeds_of(const std::vector<RunResult>& results) {
  std::set<uint64_t> seeds;
  for (const RunResult& result : results) seeds.insert(result.seed);
  EXPECT_EQ(seeds.size(), results.size());
  return seeds;
}

TEST(RunSuite, RunsEachSeedOnce) {
  const auto results = run(a_suite(), {.first_seed = 5, .last_seed = 9, .jobs = 2});
  EXPECT_EQ(seeds_of(results), (std::set<uint64_t>{5, 6, 7, 8, 9}));
  for (const RunResult& result : results) {
    EXPECT_EQ(result.verdict, Verdict::kPass) << reports::reason(result);
    EXPECT_EQ(result.scenario, "kv/register");
    EXPECT_NE(result.hash, 0U);
  }
}

TEST(RunSuite, ShardsPartitionTheSeeds) {
  std::set<uint64_t> all;
  size_t count = 0;
  for (uint32_t shard = 1; shard <= 3; ++shard) {
    const auto results =
        run(a_suite(), {.first_seed = 2, .last_seed = 8, .shard = shard, .shards = 3});
    count += results.size();
    all.merge(seeds_of(results));
  }
  EXPECT_EQ(count, 7U);
  EXPECT_EQ(all, (std::set<uint64_t>{2, 3, 4, 5, 6, 7, 8}));
}

TEST(RunSuite, AHangIsStuck) {
  const auto results =
      run(a_suite(), {.first_seed = 1, .last_seed = 1, .watchdog = std::chrono::nanoseconds(1)});
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].verdict, Verdict::kStuck);
  EXPECT_TRUE(results[0].message.starts_with("the watchdog ended it")) << results[0].message;
}

TEST(RunOne, AFailedCheckIsACrashThatSaysWhich) {
  const Suite suite = a_suite();
  sim::Plan plan = *make_plan(suite.of(1), 1);
  // Nonsense that no file can hold, to make the simulator fail a check of its own.
  plan.faults = {{.kind = "process.kill", .target = "kv0", .lasts = -1h}};
  plan.weather.network.latency_min = 10h;
  plan.weather.network.latency_max = -10h;
  sim::SeedProcesses children(20s);
  ASSERT_TRUE(children.start(1, [&](int fd) { return run_one(suite.of(1), 1, &plan, fd); }));
  sim::SeedEnd end;
  ASSERT_TRUE(children.wait(60s, end));
  EXPECT_EQ(end.exit_code, reports::exit_code(Verdict::kCrash));
  auto result = reports::parse_run_result(end.output.substr(0, end.output.find('\n')));
  ASSERT_TRUE(result) << end.output;
  EXPECT_EQ(result->verdict, Verdict::kCrash);
  EXPECT_NE(result->message.find("CHECK("), std::string::npos) << result->message;
}

TEST(RunSuite, FailFastStopsAtTheFirst) {
  const auto results = run(a_suite(), {.first_seed = 1,
                                       .last_seed = 50,
                                       .fail_fast = true,
                                       .watchdog = std::chrono::nanoseconds(1)});
  EXPECT_EQ(results.size(), 1U);
}

TEST(RunSuite, TimeIsUp) {
  EXPECT_TRUE(run(a_suite(), {.last_seed = {}, .time_limit = 0ns}).empty());
  EXPECT_FALSE(run(a_suite(), {.last_seed = {}, .time_limit = 300ms}).empty());
}

TEST(RunSuite, AnInterruptionStartsNoMore) {
  int asked = 0;
  const auto results = run(a_suite(), {.last_seed = {}}, [&] { return ++asked > 3; });
  EXPECT_LE(results.size(), 3U);
}

TEST(RunSuite, WhatCannotRunAtAllIsSaidOnce) {
  auto scenario = parse_scenario("x.toml", "[workload]\nname = \"chess\"\n");
  ASSERT_TRUE(scenario);
  Suite suite;
  suite.entries.push_back({*scenario, 1});
  SuiteHooks hooks;
  hooks.ended = [](RunResult&, const Capsule*) { FAIL() << "nothing was to run"; };
  auto done = run_suite(suite, {}, hooks);
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().message().starts_with("no workload is called \"chess\""));
}

}  // namespace
}  // namespace seatrial::scenarios
