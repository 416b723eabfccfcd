// The checker of replication agrees with a slow and obvious judge on a hundred thousand small
// logs: on whether they are sound, and on a rule that the first unsound observation breaks.
#include "checkers/replication.h"
#include "tests/checkers/support/replicas.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

constexpr int kHistories = 100'000;

std::string tell(const ReplicationLog& log) {
  std::string out;
  for (const ReplicationObservation& each : log.observations) out += describe(log, each) + "\n";
  return out;
}

// At the end, or around it.
ReplicationOptions calm_at(Micros end, base::RandomStream& random) {
  ReplicationOptions options;
  const Micros first = end - Micros(random.below(4));
  options.calm = {first, std::max(first, end + Micros(random.between(-2, 2)))};
  return options;
}

void agree(double spoilt, int histories, std::map<std::string, int>& seen) {
  int violations = 0;
  for (int seed = 0; seed < histories; seed++) {
    base::RandomStream random(static_cast<uint64_t>(seed), "replication");
    const ReplicationLog log = ReplicationGenerator(spoilt, random).make();
    ReplicationOptions options;
    if (seed % 5 == 0) options = calm_at(log.observations.back().time, random);
    const std::set<std::string> broken = ReplicationReference(log, options).broken();
    const Verdict verdict = check_replication(log, options);
    const bool same = verdict.ok() ? broken.empty() : broken.contains(verdict.anomaly);
    ASSERT_TRUE(same) << "seed " << seed << "\n"
                      << tell(log) << verdict.summary
                      << "\nreference: " << (broken.empty() ? "nothing" : *broken.begin());
    seen[verdict.anomaly]++;
    if (!verdict.ok()) violations++;
  }
  EXPECT_GT(violations, histories / 20);
  EXPECT_LT(violations, histories * 19 / 20);
}

TEST(ReplicationReference, AgreesOnSmallLogs) {
  std::map<std::string, int> seen;
  agree(0.01, kHistories * 4 / 10, seen);
  agree(0.03, kHistories * 3 / 10, seen);
  agree(0.1, kHistories * 3 / 10, seen);
  // All rules but unknown-history: it asks for a node that starts with an id that nobody has.
  for (const std::string_view name :
       {"diverged", "wrong-database", "went-back", "skipped", "ahead", "split-history",
        "renamed-data", "foreign-resync", "not-converged"}) {
    EXPECT_GT(seen[std::string(name)], 100) << name;
  }
}

}  // namespace
}  // namespace seatrial::checkers
