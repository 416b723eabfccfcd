// Partitioned logs: the checker agrees with a slow and obvious judge on more than a hundred
// thousand small histories. Where a send is open across a crash, or ends in the unknown before one,
// the checker sees less by design (offsets.h): there all that it finds has to be true.
#include "checkers/hjl.h"
#include "checkers/offsets.h"
#include "tests/checkers/support/logs.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

struct Tally {
  int violations = 0;
  int missed = 0;
};

// Whatever the checker finds is wrong indeed.
void count(const std::string& type, const LogOptions& options, int histories, Tally& tally) {
  for (int seed = 0; seed < histories; seed++) {
    base::RandomStream random(static_cast<uint64_t>(seed), type);
    const History history = LogGenerator(type, options, random).make();
    const bool expected = log_explains(history);
    const Verdict verdict = check_offsets(history);
    ASSERT_NE(verdict.outcome, Outcome::kUndecided);
    ASSERT_TRUE(verdict.ok() || !expected) << "seed " << seed << "\n"
                                           << write_hjl(history) << verdict.summary;
    if (!expected) tally.violations++;
    if (expected || !verdict.ok()) continue;
    tally.missed++;
    ASSERT_TRUE(options.may_miss()) << "missed in seed " << seed << "\n" << write_hjl(history);
  }
  // Both answers must be common.
  EXPECT_GT(tally.violations, histories / 20);
  EXPECT_LT(tally.violations, histories * 19 / 20);
}

void agree(const std::string& type, const LogOptions& options, int histories) {
  Tally tally;
  count(type, options, histories, tally);
  testing::Test::RecordProperty(fmt::format("violations_of_{}", histories), tally.violations);
}

TEST(LogsReference, PlainLogsAgree) {
  agree("log", {.crashes = 0}, 30'000);
  agree("log", {.clients = 4, .operations_max = 12, .unknown = 0.3, .crashes = 0}, 10'000);
  agree("log", {.operations_max = 12, .partitions = 2, .crashes = 0}, 10'000);
  agree("log", {.operations_max = 12, .unknown = 0, .crashes = 0.1, .settled = true}, 30'000);
}

TEST(LogsReference, KafkaAgrees) {
  agree("kafka", {.crashes = 0}, 20'000);
  agree("kafka", {.operations_max = 12, .partitions = 2, .crashes = 0}, 10'000);
  agree("kafka", {.operations_max = 12, .unknown = 0, .crashes = 0.1, .settled = true}, 20'000);
}

// How much goes by unseen is bounded a little above what was measured, so that it cannot grow.
void find_only_what_is_true(const std::string& type, const LogOptions& options, int percent_max) {
  constexpr int kHistories = 10'000;
  Tally tally;
  count(type, options, kHistories, tally);
  EXPECT_LE(tally.missed * 100, tally.violations * percent_max)
      << type << ": " << tally.missed << " of " << tally.violations;
}

TEST(LogsReference, WhatIsFoundAcrossCrashesIsTrue) {
  for (const char* type : {"log", "kafka"}) {
    find_only_what_is_true(type, {.operations_max = 12, .crashes = 0.1}, 1);
    find_only_what_is_true(type, {.operations_max = 12, .crashes = 0.1, .outlive = true}, 6);
  }
}

TEST(LogsReference, WhatIsFoundOfBatchesIsTrue) {
  find_only_what_is_true("kafka", {.batch_max = 2, .crashes = 0}, 5);
  find_only_what_is_true("kafka", {.operations_max = 12, .batch_max = 2, .crashes = 0.1}, 5);
}

}  // namespace
}  // namespace seatrial::checkers
