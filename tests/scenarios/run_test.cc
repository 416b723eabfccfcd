// Runs: the same seed is the same run, and the oracles tell a true history from a false one.
#include "scenarios/run.h"
#include "checkers/check.h"
#include "scenarios/workloads/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace seatrial::scenarios {
namespace {

using namespace std::chrono_literals;
using checkers::Completion;
using checkers::Function;
using checkers::History;
using checkers::Operation;
using checkers::Value;
using reports::Verdict;

constexpr const char* kScenarios[] = {"kv/register", "kv/watch-transfer", "kv/crash-in-fork",
                                      "broker/flush-visibility"};

Scenario load(const char* name) {
  auto scenario = load_scenario(name);
  EXPECT_TRUE(scenario);
  return *std::move(scenario);
}

reports::RunResult run(const Scenario& scenario, uint64_t seed, const sim::Plan& plan,
                       const Observers& observers = {}, std::optional<os::Duration> until = {}) {
  auto result = run_seed(scenario, seed, plan, observers, until);
  EXPECT_TRUE(result) << result.error().message();
  return *std::move(result);
}

TEST(Run, TheSameSeedIsTheSameRunAndOthersDiffer) {
  for (const char* name : kScenarios) {
    const Scenario scenario = load(name);
    const auto first = run(scenario, 3, *make_plan(scenario, 3));
    const auto again = run(scenario, 3, *make_plan(scenario, 3));
    const auto other = run(scenario, 4, *make_plan(scenario, 4));
    EXPECT_EQ(first.hash, again.hash);
    EXPECT_EQ(first.events, again.events);
    EXPECT_EQ(first.faults, again.faults);
    EXPECT_NE(first.hash, other.hash);
  }
}

TEST(Run, WhoWatchesChangesNothing) {
  const Scenario scenario = load("kv/register");
  const sim::Plan plan = *make_plan(scenario, 3);
  uint64_t events = 0;
  Observers observers;
  observers.trace = [&](const sim::TraceEvent&) { ++events; };
  const auto watched = run(scenario, 3, plan, observers);
  EXPECT_EQ(watched.hash, run(scenario, 3, plan).hash);
  EXPECT_EQ(events, watched.events);
}

TEST(Run, WithoutFaultsItPasses) {
  for (const char* name : kScenarios) {
    const Scenario scenario = load(name);
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      sim::Plan plan = *make_plan(scenario, seed);
      plan.faults.clear();
      plan.weather = {};
      for (sim::ServerPlan& server : plan.servers) server.chaos = {};
      const auto result = run(scenario, seed, plan);
      EXPECT_EQ(result.verdict, Verdict::kPass) << reports::reason(result);
      EXPECT_GT(result.ops, 50U);
      EXPECT_TRUE(result.faults.empty());
    }
  }
}

TEST(Run, WhatOneReleaseAcknowledgedTheNextOneHas) {
  Scenario scenario = load("kv/register");
  scenario.releases = {{"--aof-use-rdb-preamble", "no"},
                       {"--aof-use-rdb-preamble", "yes", "--auto-aof-rewrite-min-size", "1kb"}};
  uint64_t upgrades = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto result = run(scenario, seed, *make_plan(scenario, seed));
    EXPECT_EQ(result.verdict, Verdict::kPass) << seed << ": " << reports::reason(result);
    const auto counted = result.faults.find("process.upgrade");
    upgrades += counted == result.faults.end() ? 0 : counted->second;
  }
  EXPECT_GT(upgrades, 5U);
}

TEST(Run, UntilStopsIt) {
  const Scenario scenario = load("kv/register");
  const sim::Plan plan = *make_plan(scenario, 3);
  const auto whole = run(scenario, 3, plan);
  const auto part = run(scenario, 3, plan, {}, 5s);
  EXPECT_EQ(part.verdict, Verdict::kPass) << part.message;
  EXPECT_LT(part.events, whole.events);
  EXPECT_GE(whole.sim_time, 5s);
}

TEST(Run, AnOperationThatCannotBeReadIsNamed) {
  for (const auto& [name, operation] :
       {std::pair{"kv/register", R"({"f":5,"k":"k1"})"}, std::pair{"kv/register", R"({"f":"get"})"},
        std::pair{"kv/watch-transfer", R"({"f":"audit","think_us":"soon"})"},
        std::pair{"kv/watch-transfer", R"({"f":"dance"})"},
        std::pair{"broker/flush-visibility", R"({"f":"send"})"},
        std::pair{"broker/flush-visibility", R"({"f":"fetch","k":"t0-0"})"},
        std::pair{"broker/flush-visibility", R"({"ago_ms":-1,"f":"list","k":"t0-0"})"}}) {
    const Scenario scenario = load(name);
    sim::Plan plan = *make_plan(scenario, 3);
    plan.faults.clear();
    plan.clients[0].operations = {operation};
    const auto result = run(scenario, 3, plan);
    EXPECT_EQ(result.verdict, Verdict::kStuck);
    EXPECT_NE(result.message.find(operation), std::string::npos) << result.message;
  }
}

TEST(Run, AFaultThatNobodyKnowsIsRefused) {
  const Scenario scenario = load("kv/register");
  sim::Plan plan = *make_plan(scenario, 3);
  plan.faults.push_back({.kind = "process.tickle"});
  auto result = run_seed(scenario, 3, plan);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().message().starts_with("plan.faults[") &&
              result.error().message().find("].kind: no fault is called \"process.tickle\"") !=
                  std::string::npos)
      << result.error().message();
}

TEST(Run, AnAmbientFaultIsNoStep) {
  const Scenario scenario = load("kv/register");
  sim::Plan plan = *make_plan(scenario, 3);
  plan.faults = {{.kind = "net.cut", .target = "kv0"}};
  auto result = run_seed(scenario, 3, plan);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(),
            "plan.faults[0].kind: net.cut has no steps, it is part of plan.weather");
}

TEST(Run, ANodeThatIsNotThereIsRefused) {
  const Scenario scenario = load("kv/register");
  sim::Plan plan = *make_plan(scenario, 3);
  plan.faults = {{.kind = "process.kill", .target = "kv7"}};
  auto result = run_seed(scenario, 3, plan);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(),
            "plan.faults[0].target: no node is called \"kv7\"; there are: kv0, client0, client1, "
            "client2, "
            "client3, judge");
  plan.faults = {{.kind = "net.partition", .target = ">kv0,client9"}};
  EXPECT_FALSE(run_seed(scenario, 3, plan));
  plan.faults.clear();
  plan.servers = {{"kv1", {"--appendonly", "no"}}};
  EXPECT_FALSE(run_seed(scenario, 3, plan));
}

// A run's history, written again event by event with one result that `lie` may change.
template <typename Lie>
History retold(const History& history, Lie lie) {
  struct Telling {
    uint32_t at;
    const Operation* operation;
    bool completes;
  };
  std::vector<Telling> tellings;
  for (const Operation& operation : history.operations()) {
    tellings.push_back({operation.invoke_at, &operation, false});
    if (operation.complete_at != checkers::kNeverAt) {
      tellings.push_back({operation.complete_at, &operation, true});
    }
  }
  std::ranges::sort(tellings, {}, &Telling::at);
  checkers::HistoryBuilder builder{std::string(history.type())};
  for (const auto& [at, operation, completes] : tellings) {
    const bool has_key = operation->key != checkers::kNoKey;
    const auto told =
        completes
            ? builder.complete(operation->complete_time, operation->id, operation->process,
                               operation->completion, lie(*operation))
            : builder.invoke(operation->invoke_time, operation->id, operation->process,
                             operation->function, has_key ? history.key_name(operation->key) : "",
                             has_key, operation->argument);
    EXPECT_TRUE(told) << told.error().message();
  }
  return std::move(builder).take();
}

// Takes a run's history, and the checker's word on it once as it is and once with one
// read answered with something that nobody wrote.
void expect_told_apart(const char* name, const Value& never_written) {
  Scenario scenario = load(name);
  scenario.without = {"clock"};  // The facts below say that all clocks were right.
  const Workload* workload = *find_workload(scenario.workload);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const sim::Plan plan = *make_plan(scenario, seed);
    Observers observers;
    int lies = 0;
    const RunFacts facts{.scenario = scenario, .plan = plan};
    observers.history = [&](const History& history) {
      const History same = retold(history, [](const Operation& op) { return op.result; });
      for (const checkers::Verdict& verdict : workload->check(facts, same)) {
        EXPECT_EQ(verdict.outcome, checkers::Outcome::kOk) << verdict.summary;
      }
      bool told = false;
      const History false_one = retold(history, [&](const Operation& op) {
        if (told || op.function != Function::kGet || !op.ok() || op.result.is_nil()) {
          return op.result;
        }
        told = true;
        return never_written;
      });
      if (!told) return;
      ++lies;
      bool rejected = false;
      for (const checkers::Verdict& verdict : workload->check(facts, false_one)) {
        rejected = rejected || verdict.outcome == checkers::Outcome::kViolation;
      }
      EXPECT_TRUE(rejected) << name << " " << seed;
    };
    EXPECT_EQ(run(scenario, seed, plan, observers).verdict, Verdict::kPass) << name << seed;
    EXPECT_EQ(lies, 1) << "no read to lie about";
  }
}

TEST(Run, ALieAboutOneReadIsRejected) {
  expect_told_apart("kv/register", Value::integer(987'654'321));
  expect_told_apart("kv/watch-transfer", Value::text("17:nobody.1f"));
}

}  // namespace
}  // namespace seatrial::scenarios
