#include "reports/summary.h"

#include <gtest/gtest.h>

namespace seatrial::reports {
namespace {

using namespace std::chrono_literals;

RunResult run(std::string scenario, uint64_t seed, Verdict verdict = Verdict::kPass) {
  RunResult result;
  result.scenario = std::move(scenario);
  result.seed = seed;
  result.verdict = verdict;
  result.sim_time = 60s;
  result.wall_time = 20ms;
  result.events = 10'000;
  result.ops = 700;
  result.faults = {{"power-loss", 1}, {"sigkill", 2}};
  result.marks = {{"aof: torn tail cut", 400}};
  return result;
}

TEST(Summary, PrintsTheGoldenText) {
  Summary summary({"aof: torn tail cut", "aof: fsync failed", "watch: key expired"});
  RunResult failed = run("kv/watch-transfer", 17, Verdict::kViolation);
  failed.violations = {{"bank", "the total is 90, not 100", {}}};
  failed.capsule = "results/capsules/kv-watch-transfer-17.json";
  summary.add(run("kv/register", 1));
  summary.add(run("kv/register", 2));
  summary.add(failed);
  EXPECT_EQ(summary.text(30ms, Paint{}),
            R"(scenario           seeds  pass  violation    ops  seeds/s a job  sim : wall
kv/register            2     2          -  1,400           50.0       3,000
kv/watch-transfer      1     -          1    700           50.0       3,000
all                    3     2          1  2,100           50.0       3,000

faults    power-loss 3, sigkill 6
marks     1 of 3 hit:
          aof: torn tail cut 1,200
          never hit: aof: fsync failed; watch: key expired

violation kv/watch-transfer seed 17: bank: the total is 90, not 100
repeat    seatrial replay kv/watch-transfer --seed 17
capsule   results/capsules/kv-watch-transfer-17.json

3 seeds in 30 ms: 100 seeds/s; simulated 3 min 00 s, 6,000 : 1; 30,000 events
2 passed, 1 failed
)");
}

TEST(Summary, NoRunSaysSo) {
  Summary summary;
  EXPECT_EQ(summary.text(1s, Paint{}), "no run was made\n");
  EXPECT_EQ(summary.exit_code(), 0);
}

TEST(Summary, PassingRunsShowNoColumnOfFailures) {
  Summary summary;
  summary.add(run("kv/register", 1));
  std::string text = summary.text(1s, Paint{});
  EXPECT_EQ(text.find("violation"), std::string::npos);
  EXPECT_EQ(text.find("marks"), std::string::npos);
  EXPECT_NE(text.find("\n1 passed, 0 failed\n"), std::string::npos);
}

TEST(Summary, ExitCodeIsOfTheGravestVerdict) {
  Summary summary;
  summary.add(run("a", 1));
  EXPECT_EQ(summary.exit_code(), 0);
  summary.add(run("a", 2, Verdict::kStuck));
  EXPECT_EQ(summary.exit_code(), 5);
  summary.add(run("a", 3, Verdict::kNondeterministic));
  EXPECT_EQ(summary.exit_code(), 3);
  summary.add(run("a", 4, Verdict::kCrash));
  EXPECT_EQ(summary.exit_code(), 4);
  summary.add(run("a", 5, Verdict::kViolation));
  EXPECT_EQ(summary.exit_code(), 1);
  EXPECT_EQ(summary.failures(), 4U);
  EXPECT_EQ(summary.count(Verdict::kStuck), 1U);
}

TEST(Summary, OnlyTheFirstFailuresAreShownAndTheRestCounted) {
  Summary summary;
  for (uint64_t seed = 1; seed <= 12; ++seed) summary.add(run("a", seed, Verdict::kCrash));
  std::string text = summary.text(1s, Paint{});
  EXPECT_NE(text.find("--seed 10\n"), std::string::npos);
  EXPECT_EQ(text.find("--seed 11\n"), std::string::npos);
  EXPECT_NE(text.find("and 2 more failing seeds\n"), std::string::npos);
}

TEST(Summary, MarksOutsideTheCatalogAreNoHarm) {
  Summary summary({"b"});
  RunResult result = run("a", 1);
  result.marks = {{"a", 1}, {"b", 2}};
  summary.add(result);
  EXPECT_TRUE(summary.marks_never_hit().empty());
  EXPECT_NE(summary.text(1s, Paint{}).find("marks     1 of 1 hit:\n"), std::string::npos);
}

TEST(Summary, ARunWithoutFaultsIsPointedOut) {
  Summary summary;
  RunResult result = run("a", 1);
  result.faults.clear();
  summary.add(result);
  EXPECT_NE(summary.text(1s, Paint{}).find("faults    none struck\n"), std::string::npos);
  EXPECT_EQ(summary.text(1s, Paint{}).find("held back"), std::string::npos);
}

TEST(Summary, WhatWasHeldBackIsCounted) {
  Summary summary;
  RunResult result = run("a", 1);
  result.held_back = {{"disk.bit_rot", 2}};
  summary.add(result);
  summary.add(result);
  EXPECT_NE(summary.text(1s, Paint{}).find("held back disk.bit_rot 4\n"), std::string::npos);
}

TEST(Summary, LongListsAreWrapped) {
  Summary summary;
  RunResult result = run("a", 1);
  for (int i = 0; i < 40; ++i) result.faults["fault-kind-" + std::to_string(i)] = 5;
  summary.add(result);
  std::string text = summary.text(1s, Paint{});
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    EXPECT_LE(end - at, 100U) << text.substr(at, end - at);
    at = end + 1;
  }
}

TEST(Summary, ColoursAreThereWhenAskedFor) {
  Summary summary;
  summary.add(run("a", 1, Verdict::kCrash));
  EXPECT_EQ(summary.text(1s, Paint{false}).find('\x1b'), std::string::npos);
  EXPECT_NE(summary.text(1s, Paint{true}).find("\x1b[31m0 passed, 1 failed\x1b[0m"),
            std::string::npos);
}

}  // namespace
}  // namespace seatrial::reports
