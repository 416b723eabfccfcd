// The checker of durability agrees with a slow and obvious judge on a hundred thousand small
// histories. Both let any write stand in a place that no answer shows, as prefix.h says.
#include "checkers/hjl.h"
#include "checkers/prefix.h"
#include "tests/checkers/support/durability.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

constexpr int kHistories = 100'000;

// Both answers must be common. Counts the anomalies by name.
void agree(const DurabilityOptions& options, int histories, std::map<std::string, int>& seen) {
  int violations = 0;
  for (int seed = 0; seed < histories; seed++) {
    base::RandomStream random(static_cast<uint64_t>(seed), "prefix");
    const History history = DurabilityGenerator(options, random).make();
    const bool expected = DurabilityReference(history).explains();
    const Verdict verdict = check_prefix(history);
    ASSERT_EQ(verdict.outcome, expected ? Outcome::kOk : Outcome::kViolation)
        << "seed " << seed << "\n"
        << write_hjl(history) << verdict.summary;
    seen[verdict.anomaly]++;
    if (!expected) violations++;
  }
  EXPECT_GT(violations, histories / 20);
  EXPECT_LT(violations, histories * 19 / 20);
}

TEST(PrefixReference, AgreesOnSmallHistories) {
  std::map<std::string, int> seen;
  agree({}, kHistories * 4 / 10, seen);
  agree({.views = 0.1}, kHistories * 2 / 10, seen);
  agree({.clients = 2, .unknown = 0.4, .views = 0.5}, kHistories * 2 / 10, seen);
  agree({.operations_max = 14, .spoilt = 0.3, .changed = 0.5}, kHistories * 2 / 10, seen);
  for (const std::string_view name :
       {"lost-acknowledged", "hole", "resurrected-write", "aborted-write", "misplaced", "garbage",
        "stale-view", "place-order", "torn-view", "mixed-state", "lost-key", "resurrected-key",
        "wrong-deadline", "wrong-answer"}) {
    EXPECT_GT(seen[std::string(name)], 50) << name;
  }
}

}  // namespace
}  // namespace seatrial::checkers
