#include "checkers/replication.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

using Reason = ReplicationObservation::Reason;

// Writes a log by hand: three nodes, one microsecond a line. A node's digest stands for its data.
class Script {
 public:
  Script() { log_.nodes = {"kv0", "kv1", "kv2"}; }

  Script& start(uint32_t node) {
    ++incarnation_[node];
    return add(node, Reason::kStarted, false, "", 0, 0);
  }
  // The node writes, as a primary.
  Script& write(uint32_t node, std::string_view id, int64_t offset, uint64_t digest) {
    return add(node, Reason::kApplied, true, id, offset, digest);
  }
  Script& apply(uint32_t node, std::string_view id, int64_t offset, uint64_t digest) {
    return add(node, Reason::kApplied, false, id, offset, digest);
  }
  Script& resync(uint32_t node, std::string_view id, int64_t offset, uint64_t digest) {
    return add(node, Reason::kReplaced, false, id, offset, digest);
  }
  Script& load(uint32_t node, std::string_view id, int64_t offset, uint64_t digest) {
    return add(node, Reason::kReplaced, true, id, offset, digest);
  }
  Script& promote(uint32_t node, std::string_view id, int64_t offset, uint64_t digest) {
    return add(node, Reason::kRenamed, true, id, offset, digest);
  }
  Script& follow(uint32_t node, std::string_view id, int64_t offset, uint64_t digest) {
    return add(node, Reason::kRenamed, false, id, offset, digest);
  }
  Script& database(int selected) {
    log_.observations.back().selected = selected;
    return *this;
  }
  Script& past_bound(size_t points_max) {
    options_.points_max = points_max;
    return *this;
  }

  Verdict judge(bool calm = false) {
    const Micros end = Micros(log_.observations.size());
    if (calm) options_.calm = {end, end};
    return check_replication(log_, options_);
  }
  // The anomaly, or "" where all is well.
  std::string anomaly(bool calm = false) { return judge(calm).anomaly; }
  std::string calm_between(int64_t from, int64_t to) {
    options_.calm = {Micros(from), Micros(to)};
    return check_replication(log_, options_).anomaly;
  }
  ReplicationTree tree() const { return replication_tree(log_); }

 private:
  Script& add(uint32_t node, Reason reason, bool primary, std::string_view id, int64_t offset,
              uint64_t digest) {
    log_.observations.push_back({.time = Micros(log_.observations.size()),
                                 .life = {node, incarnation_[node]},
                                 .reason = reason,
                                 .primary = primary,
                                 .id = std::string(id),
                                 .offset = offset,
                                 .digest = digest});
    return *this;
  }

  ReplicationLog log_;
  ReplicationOptions options_;
  uint64_t incarnation_[3] = {1, 1, 1};
};

// kv0 writes two units, kv1 has both, kv2 the first.
Script three() {
  Script script;
  script.load(0, "A", 0, 10).write(0, "A", 50, 15).write(0, "A", 90, 19);
  script.resync(1, "A", 0, 10).apply(1, "A", 50, 15).apply(1, "A", 90, 19);
  script.resync(2, "A", 50, 15);
  return script;
}

TEST(Replication, AcceptsReplicasThatFollow) {
  EXPECT_EQ(three().anomaly(), "");
  EXPECT_EQ(three().apply(2, "A", 90, 19).anomaly(true), "");
}

TEST(Replication, EqualPointsHoldEqualData) {
  EXPECT_EQ(three().apply(2, "A", 90, 18).anomaly(), "diverged");
  EXPECT_EQ(three().resync(2, "A", 90, 18).anomaly(), "diverged");
  EXPECT_EQ(three().resync(2, "A", 50, 19).anomaly(), "diverged");
}

TEST(Replication, DataChangesWithTheOffsetOnly) {
  EXPECT_EQ(three().write(0, "A", 90, 20).anomaly(), "diverged");
  EXPECT_EQ(three().apply(2, "A", 50, 16).anomaly(), "diverged");
}

TEST(Replication, PointsInsideOfAUnitHoldWhatWasBefore) {
  EXPECT_EQ(three().apply(2, "A", 70, 15).apply(2, "A", 90, 19).anomaly(), "");
  EXPECT_EQ(three().apply(2, "A", 70, 17).anomaly(), "diverged");
}

TEST(Replication, NothingIsSkipped) {
  EXPECT_EQ(three().write(0, "A", 120, 22).apply(2, "A", 120, 22).anomaly(), "skipped");
  EXPECT_EQ(three().write(0, "A", 120, 22).apply(2, "A", 100, 19).anomaly(), "skipped");
}

TEST(Replication, NothingIsAppliedTwice) {
  // The same forty bytes again: the data may not show it, the offset does.
  Script script = three();
  script.apply(2, "A", 90, 19).apply(2, "A", 130, 19).write(0, "A", 110, 21);
  EXPECT_EQ(script.anomaly(), "ahead");
}

TEST(Replication, WhatMovesTheOffsetWithoutDataMayBeSeenEarly) {
  // A PING, and then a write behind it.
  EXPECT_EQ(three().apply(1, "A", 104, 19).write(0, "A", 130, 23).anomaly(), "");
  EXPECT_EQ(three().apply(1, "A", 104, 20).anomaly(), "diverged");
}

TEST(Replication, OffsetsGoBackByResyncAndRestartOnly) {
  EXPECT_EQ(three().apply(1, "A", 50, 15).anomaly(), "went-back");
  EXPECT_EQ(three().resync(1, "A", 50, 15).anomaly(), "");
  EXPECT_EQ(three().start(1).resync(1, "A", 50, 15).anomaly(), "");
  EXPECT_EQ(three().write(0, "A", 50, 15).anomaly(), "went-back");
}

TEST(Replication, TheStreamsDatabaseIsTheSame) {
  Script script;
  script.load(0, "A", 0, 10).resync(1, "A", 0, 10).write(0, "A", 50, 15).database(3);
  Script other = script;
  EXPECT_EQ(script.apply(1, "A", 50, 15).database(3).anomaly(), "");
  EXPECT_EQ(other.apply(1, "A", 50, 15).database(0).anomaly(), "wrong-database");
}

TEST(Replication, AfterAFullResyncTheDatabaseIsSelectedAnew) {
  Script script;
  script.load(0, "A", 0, 10).write(0, "A", 50, 15).database(3);
  EXPECT_EQ(script.resync(1, "A", 50, 15).database(0).anomaly(), "");
}

TEST(Replication, OneHistoryHasOneAuthor) {
  EXPECT_EQ(three().write(1, "A", 120, 22).anomaly(), "split-history");
  EXPECT_EQ(three().start(0).load(0, "A", 90, 19).anomaly(), "split-history");
  EXPECT_EQ(three().start(0).load(0, "B", 0, 10).anomaly(), "");
}

TEST(Replication, ABranchHasItsParentsPast) {
  // kv1 is promoted; kv2, which is behind, joins it, and so does the old primary.
  Script script = three();
  script.promote(1, "B", 90, 19).follow(2, "B", 50, 15).apply(2, "B", 90, 19);
  script.follow(0, "B", 90, 19).write(1, "B", 140, 24).apply(0, "B", 140, 24);
  EXPECT_EQ(script.anomaly(), "");
  EXPECT_EQ(script.apply(2, "B", 140, 24).anomaly(true), "");
}

TEST(Replication, APartialResyncNeedsACommonPast) {
  // kv0 has gone on under A beyond the branch, and may not go on under B.
  Script script = three();
  script.promote(1, "B", 90, 19).write(0, "A", 130, 23).follow(0, "B", 130, 23);
  EXPECT_EQ(script.anomaly(), "foreign-resync");
  // An id that has nothing to do with its own.
  EXPECT_EQ(three().start(0).load(0, "C", 0, 10).follow(2, "C", 50, 15).anomaly(),
            "foreign-resync");
  EXPECT_EQ(three().start(0).load(0, "C", 70, 10).follow(2, "C", 50, 15).anomaly(),
            "foreign-resync");
}

TEST(Replication, ARestartedPrimaryMayTakeUpItsPastUnderANewId) {
  EXPECT_EQ(three().start(0).load(0, "C", 90, 19).follow(1, "C", 90, 19).anomaly(), "");
  EXPECT_EQ(three().start(0).load(0, "C", 90, 18).follow(1, "C", 90, 19).anomaly(), "diverged");
}

TEST(Replication, AnotherIdChangesNoData) {
  EXPECT_EQ(three().promote(1, "B", 89, 19).anomaly(), "renamed-data");
  EXPECT_EQ(three().promote(1, "B", 90, 18).anomaly(), "renamed-data");
  EXPECT_EQ(three().promote(1, "B", 90, 19).apply(2, "B", 90, 19).anomaly(), "renamed-data");
}

TEST(Replication, ABranchMayBeginWithinAUnit) {
  // A SELECT has come, what it is for has not.
  Script script = three();
  script.promote(2, "B", 70, 15).follow(1, "B", 90, 19);
  EXPECT_EQ(script.anomaly(), "foreign-resync");
  Script second = three();
  second.promote(0, "B", 90, 19).follow(2, "B", 70, 15).apply(2, "B", 90, 19);
  EXPECT_EQ(second.anomaly(), "");
  // The unit that kv2 had begun comes to its end under its own id.
  Script whole = three();
  whole.resync(0, "A", 50, 15).promote(2, "B", 70, 15).write(2, "B", 99, 29);
  whole.follow(0, "B", 50, 15).apply(0, "B", 99, 29);
  EXPECT_EQ(whole.anomaly(), "");
  Script third = three();
  third.promote(0, "B", 90, 19).follow(2, "B", 90, 15);
  EXPECT_EQ(third.anomaly(), "diverged");
}

// What a branch has from its parent counts as its own.
TEST(Replication, NothingIsSkippedUpToABranchEither) {
  EXPECT_EQ(three().promote(1, "B", 90, 19).follow(2, "B", 50, 15).apply(2, "B", 95, 19).anomaly(),
            "skipped");
  Script script = three();
  script.promote(1, "B", 104, 19).write(1, "B", 140, 19);
  EXPECT_EQ(script.follow(2, "B", 50, 15).apply(2, "B", 140, 19).anomaly(), "skipped");
}

TEST(Replication, APromotionStandsWhereItsPastHasAPoint) {
  EXPECT_EQ(three().promote(2, "B", 70, 15).anomaly(), "");
  EXPECT_EQ(three().promote(2, "B", 90, 15).anomaly(), "diverged");
  EXPECT_EQ(three().promote(2, "B", 95, 15).anomaly(), "skipped");
}

// Both had begun the unit that B's primary was writing behind its branch.
TEST(Replication, WithinAUnitTheCommonPastIsThatOfTheOffset) {
  Script script = three();
  script.promote(1, "B", 90, 19)
      .follow(0, "B", 90, 19)
      .apply(2, "A", 90, 19)
      .follow(2, "B", 90, 19);
  script.promote(0, "C", 100, 19);
  EXPECT_EQ(script.follow(2, "C", 95, 19).anomaly(), "");
}

TEST(Replication, DataWithoutAHistoryIsNotCompared) {
  Script script;
  script.write(0, "", 0, 1).write(0, "", 0, 2).load(0, "A", 0, 2).resync(1, "A", 0, 2);
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Replication, AfterTheCalmAllAgree) {
  EXPECT_EQ(three().anomaly(true), "not-converged");
  EXPECT_EQ(three().apply(2, "A", 90, 19).start(2).anomaly(true), "not-converged");
  Script alone;
  EXPECT_EQ(alone.load(0, "A", 0, 10).anomaly(true), "not-converged");
}

TEST(Replication, AllAgreeAtOneInstantOfTheCalm) {
  // A PING is under way at the end.
  Script script = three();
  script.apply(2, "A", 90, 19).write(0, "A", 104, 19);
  EXPECT_EQ(script.calm_between(5, 6), "not-converged");
  EXPECT_EQ(script.calm_between(6, 8), "");
  EXPECT_EQ(script.calm_between(8, 9), "not-converged");
}

TEST(Replication, WhatIsNotKeptIsNotDecided) {
  Script script = three();
  script.past_bound(1).resync(2, "A", 90, 19);
  EXPECT_EQ(script.judge().outcome, Outcome::kUndecided);
}

TEST(Replication, TheSummarySaysWhoAndWhere) {
  const Verdict verdict = three().apply(2, "A", 90, 18).judge();
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.summary,
            "diverged: kv2 (life 1) at 0.000007 s: replica, A@90, database -1, data "
            "0000000000000012, applied: kv0 held other data at offset 90");
  EXPECT_EQ(verdict.explanation.size(), 2U);
}

TEST(ReplicationTree, HoldsWhatItsPastHas) {
  Script script = three();
  script.promote(1, "B", 90, 19).write(0, "A", 130, 23);
  const ReplicationTree tree = script.tree();
  EXPECT_TRUE(tree.holds("A", 90, "A", 50));
  EXPECT_FALSE(tree.holds("A", 50, "A", 90));
  EXPECT_TRUE(tree.holds("B", 120, "A", 90));
  EXPECT_FALSE(tree.holds("B", 140, "A", 130));
  EXPECT_FALSE(tree.holds("A", 130, "B", 100));
  EXPECT_FALSE(tree.holds("X", 130, "A", 50));
}

}  // namespace
}  // namespace seatrial::checkers
