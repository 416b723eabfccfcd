// Counters, lists, queues, hashes, sets, sorted sets: the checkers agree with a slow and obvious
// judge on a hundred thousand small histories of each.
#include "tests/checkers/support/collections.h"
#include "checkers/hjl.h"
#include "checkers/linearizability.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

constexpr int kHistories = 100'000;

// Both answers must be common.
void agree(const std::string& type, const CollectionOptions& options, int histories) {
  int violations = 0;
  for (int seed = 0; seed < histories; seed++) {
    base::RandomStream random(static_cast<uint64_t>(seed), type);
    const History history = CollectionGenerator(type, options, random).make();
    const bool expected = CollectionReference(history).explains();
    Options check;
    check.explain = seed % 10 == 0;
    const Verdict verdict = check_linearizability(history, check);
    ASSERT_EQ(verdict.outcome, expected ? Outcome::kOk : Outcome::kViolation)
        << "seed " << seed << "\n"
        << write_hjl(history) << verdict.summary;
    if (!expected) violations++;
  }
  EXPECT_GT(violations, histories / 20);
  EXPECT_LT(violations, histories * 19 / 20);
}

void agree_in_all_ways(const std::string& type) {
  agree(type, {}, kHistories * 4 / 10);
  agree(type, {.operations_max = 12, .unique = true}, kHistories * 4 / 10);
  agree(type, {.clients = 4, .unknown = 0.5, .spoilt = 0.3, .unique = true}, kHistories / 10);
  agree(type, {.clients = 4, .unknown = 0.5, .spoilt = 0.3}, kHistories / 10);
}

TEST(Collections, CountersAgreeWithReference) {
  agree_in_all_ways("counter");
  agree("counter", {.operations_max = 12, .only_rises = true}, kHistories / 2);
  agree("counter", {.clients = 4, .unknown = 0.4, .only_rises = true}, kHistories / 10);
}

TEST(Collections, ListsAgreeWithReference) {
  agree_in_all_ways("list");
  agree("list", {.untold = true}, kHistories / 10);
  agree("list", {.untold = true, .unique = true}, kHistories / 10);
}

TEST(Collections, QueuesAgreeWithReference) {
  agree_in_all_ways("queue");
  agree("queue", {.untold = true}, kHistories / 10);
  agree("queue", {.operations_max = 12, .untold = true, .unique = true}, kHistories / 2);
  // With every outcome known the order of the items decides.
  for (const bool untold : {false, true}) {
    CollectionOptions options = {.clients = 5, .operations_max = 12, .unknown = 0};
    options.untold = untold;
    options.unique = true;
    agree("queue", options, kHistories / 5);
  }
}

TEST(Collections, HashesAgreeWithReference) { agree_in_all_ways("hash"); }

TEST(Collections, SetsAgreeWithReference) { agree_in_all_ways("set"); }

TEST(Collections, SortedSetsAgreeWithReference) { agree_in_all_ways("zset"); }

}  // namespace
}  // namespace seatrial::checkers
