#include "checkers/transactions.h"
#include "checkers/dependencies.h"
#include "checkers/hjl.h"
#include "tests/checkers/support/generate.h"
#include "tests/checkers/support/reference.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

void agree_with_reference(GenerateOptions options, uint64_t histories, std::string_view stream) {
  uint64_t violations = 0;
  uint64_t committed = 0;
  uint64_t aborted = 0;
  for (uint64_t seed = 0; seed < histories; seed++) {
    base::RandomStream random(seed, stream);
    const History history = Generator("txn", options, random).make();
    const bool expected = Reference(history).explains();
    const Verdict verdict = check_transactions(history);
    ASSERT_EQ(verdict.outcome, expected ? Outcome::kOk : Outcome::kViolation)
        << "seed " << seed << "\n"
        << write_hjl(history) << verdict.summary;
    if (!expected) violations++;
    for (const Operation& operation : history.operations()) {
      if (operation.function != Function::kExec || !operation.ok()) continue;
      (operation.result.is_nil() ? aborted : committed)++;
    }
  }
  // What is compared must be worth comparing.
  EXPECT_GT(violations, histories / 20);
  EXPECT_LT(violations, histories * 19 / 20);
  EXPECT_GT(committed, histories / 5);
  EXPECT_GT(aborted, histories / 20);
}

TEST(Transactions, AgreesWithReference) {
  agree_with_reference({.operations_max = 8, .keys = 2, .spoilt = 0.3}, 100'000, "txn");
}

TEST(Transactions, AgreesWithReferenceUnderContention) {
  agree_with_reference({.clients = 4, .operations_max = 10, .keys = 1, .spoilt = 0.2}, 2'000,
                       "contention");
}

TEST(Transactions, AgreesWithReferenceWhenMostOutcomesAreUnknown) {
  agree_with_reference({.operations_max = 9, .keys = 2, .unknown = 0.35, .spoilt = 0.4}, 4'000,
                       "unknown");
}

// Every dependency is certain: histories that a store made show no conflict, be they long, and
// their outcomes unknown as they may.
TEST(Transactions, SoundHistoriesHaveNoConflictingDependencies) {
  for (uint64_t seed = 0; seed < 1'000; seed++) {
    base::RandomStream random(seed, "sound");
    const GenerateOptions options{.clients = 1 + static_cast<uint32_t>(random.below(6)),
                                  .operations_max = 60,
                                  .keys = 1 + static_cast<uint32_t>(random.below(4)),
                                  .spoilt = 0};
    const History history = Generator("txn", options, random).make();
    EXPECT_EQ(check_transactions(history).outcome, Outcome::kOk) << "seed " << seed;
    KeyTable keys;
    const std::vector<Unit> units = split_units(history, keys);
    const auto conflict = find_conflict(history, keys, prefix_units(units, history.events()));
    ASSERT_FALSE(conflict) << "seed " << seed << ": " << conflict->anomaly << "\n"
                           << conflict->explanation.front().text << "\n"
                           << write_hjl(history);
  }
}

}  // namespace
}  // namespace seatrial::checkers
