// The workload crash-in-fork: what stands in its plans, and what its histories tell of the server.
#include "checkers/check.h"
#include "checkers/hjl.h"
#include "scenarios/run.h"
#include "scenarios/workloads/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace seatrial::scenarios {
namespace {

using checkers::Function;
using checkers::History;
using checkers::Operation;
using checkers::Value;

Scenario scenario() { return *load_scenario("kv/crash-in-fork"); }

sim::Plan quiet_plan(uint64_t seed) {
  sim::Plan plan = *make_plan(scenario(), seed);
  plan.faults.clear();
  plan.weather = {};
  return plan;
}

std::string message_for(const std::string& operation) {
  sim::Plan plan = quiet_plan(1);
  plan.clients = {{"client0", {operation}}};
  const auto result = run_seed(scenario(), 1, plan);
  return result ? result->message : result.error().message();
}

TEST(CrashInFork, OperationsThatMakeNoSenseAreRefused) {
  EXPECT_NE(message_for(R"({"f":"explode"})")
                .find("\"f\" is one of write, view, save, bgsave, rewrite, lastsave, found"),
            std::string::npos);
  for (const char* commands :
       {R"({})", R"([["mset","a","1"]])", R"([["set","a"]])", R"([["del",1]])",
        R"([["set","a","v","12"]])", R"([["expireat","a","soon"]])", R"([[]])"}) {
    const std::string message = message_for(std::string(R"({"f":"write","c":)") + commands + "}");
    EXPECT_NE(message.find("crash-in-fork: "), std::string::npos) << commands << ": " << message;
  }
}

History history_of(const sim::Plan& plan, uint64_t seed) {
  History copy("prefix");
  Observers observers;
  observers.history = [&](const History& history) {
    copy = *checkers::read_hjl(checkers::write_hjl(history));
  };
  const auto result = run_seed(scenario(), seed, plan, observers);
  EXPECT_TRUE(result && result->verdict == reports::Verdict::kPass);
  return copy;
}

int64_t count(const History& history, Function function) {
  return std::ranges::count(history.operations(), function, &Operation::function);
}

TEST(CrashInFork, TheHistoryTellsOfTheServersLives) {
  sim::Plan plan = quiet_plan(1);
  plan.servers = {{"kv0", {"--appendonly", "yes", "--appendfsync", "everysec"}}};
  plan.faults = {{.at = std::chrono::seconds(2), .kind = "process.kill", .target = "kv0"},
                 {.at = std::chrono::seconds(9), .kind = "process.power_loss", .target = "kv0"}};
  const History history = history_of(plan, 1);
  EXPECT_EQ(count(history, Function::kStart), 3);
  EXPECT_EQ(count(history, Function::kStop), 2);
  const auto start =
      std::ranges::find(history.operations(), Function::kStart, &Operation::function);
  EXPECT_EQ(start->argument.json(), R"({"late_ms":2024,"log":"everysec","window_ms":2000})");
  EXPECT_GT(count(history, Function::kWrite), 50);
  EXPECT_GT(count(history, Function::kView), 10);
}

TEST(CrashInFork, TheHistoryTellsOfAnOrderlyEnd) {
  sim::Plan plan = quiet_plan(1);
  plan.servers = {{"kv0", {"--appendonly", "no", "--save", "900 100000"}}};
  plan.faults = {{.at = std::chrono::seconds(2),
                  .kind = "process.stop",
                  .target = "kv0",
                  .lasts = std::chrono::milliseconds(10),
                  .amount = 5000000}};
  const History history = history_of(plan, 1);
  const auto stop = std::ranges::find(history.operations(), Function::kStop, &Operation::function);
  ASSERT_NE(stop, history.operations().end());
  EXPECT_EQ(stop->argument.as_text(), "end-saved");
}

// What was taken from a true history, or added to it, is found.
TEST(CrashInFork, TheCheckerFindsWhatIsWrongWithATrueHistory) {
  sim::Plan plan = quiet_plan(2);
  plan.servers = {{"kv0", {"--appendonly", "yes", "--appendfsync", "always"}}};
  plan.faults = {{.at = std::chrono::seconds(9), .kind = "process.kill", .target = "kv0"}};
  const std::string text = checkers::write_hjl(history_of(plan, 2));
  ASSERT_TRUE(checkers::check("prefix", text)->ok());
  const std::string opening = "\"order\":[";
  const size_t order = text.rfind(opening);
  ASSERT_NE(order, std::string::npos);
  const size_t first = order + opening.size();
  std::string shorter = text;
  shorter.erase(first, text.find(',', first) + 1 - first);
  EXPECT_EQ(checkers::check("prefix", shorter)->anomaly, "torn-view");
  const size_t value = text.rfind("[\"v");
  ASSERT_NE(value, std::string::npos);
  std::string other = text;
  other.replace(value, 3, "[\"w");
  EXPECT_EQ(checkers::check("prefix", other)->anomaly, "mixed-state");
}

}  // namespace
}  // namespace seatrial::scenarios
