#include "checkers/linearizability.h"
#include "checkers/explain.h"
#include "checkers/hjl.h"
#include "checkers/zones.h"
#include "tests/checkers/support/generate.h"
#include "tests/checkers/support/reference.h"

#include <gtest/gtest.h>

#include <fstream>

namespace seatrial::checkers {
namespace {

constexpr int kHistories = 100'000;

// The judges must agree on every history, and both answers must be common.
void agree_with_reference(const std::string& type, GenerateOptions options, int histories,
                          const Options& check = {}) {
  int violations = 0;
  for (int seed = 0; seed < histories; seed++) {
    base::RandomStream random(static_cast<uint64_t>(seed), type);
    const History history = Generator(type, options, random).make();
    const bool expected = Reference(history, check.clock_skew).explains();
    const Verdict verdict = check_linearizability(history, check);
    ASSERT_EQ(verdict.outcome, expected ? Outcome::kOk : Outcome::kViolation)
        << "seed " << seed << "\n"
        << write_hjl(history) << verdict.summary;
    if (!expected) violations++;
  }
  EXPECT_GT(violations, histories / 20);
  EXPECT_LT(violations, histories * 19 / 20);
}

TEST(Linearizability, AgreesWithReferenceOnRegisters) {
  agree_with_reference("register", {.keys = 1}, kHistories);
}

TEST(Linearizability, AgreesWithReferenceOnKeyValues) {
  agree_with_reference("kv", {.keys = 2}, kHistories);
}

TEST(Linearizability, AgreesWithReferenceOnExpiry) {
  agree_with_reference("kvx", {.keys = 1}, kHistories);
}

TEST(Linearizability, AgreesWithReferenceOnExpiryWithSkewedClock) {
  agree_with_reference("kvx", {.keys = 1}, kHistories / 10, {.clock_skew = Micros(700)});
}

TEST(Linearizability, AgreesWithReferenceWhenMostOutcomesAreUnknown) {
  const GenerateOptions options{.clients = 4, .keys = 1, .unknown = 0.5, .spoilt = 0.25};
  agree_with_reference("kv", options, kHistories / 20);
  agree_with_reference("kvx", options, kHistories / 20);
}

// Zones and the general search are two exact methods for the same question.
TEST(Linearizability, ZonesAgreeWithSearch) {
  for (uint64_t seed = 0; seed < 20'000; seed++) {
    base::RandomStream random(seed, "zones");
    const GenerateOptions options{.clients = 6, .operations_max = 40, .keys = 1, .spoilt = 0.01};
    const History history = Generator("register", options, random).make();
    CellHistory cell;
    const EventTimes times(history);
    cell.history = &history;
    cell.times = &times;
    cell.key = 0;
    for (const Operation& operation : history.operations()) {
      if (!operation.failed()) cell.operations.push_back({&operation, operation.completion});
    }
    ASSERT_TRUE(zones_apply(cell.operations));
    const SearchResult found = search_cell(cell, cell.operations, history.events(), {}, {});
    ASSERT_NE(found.outcome, Outcome::kUndecided);
    ASSERT_EQ(check_zones(cell.operations).linearizable, found.outcome == Outcome::kOk)
        << "seed " << seed << "\n"
        << write_hjl(history);
  }
}

}  // namespace
}  // namespace seatrial::checkers
