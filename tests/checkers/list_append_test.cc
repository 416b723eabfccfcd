#include "checkers/list_append.h"
#include "checkers/hjl.h"
#include "tests/checkers/support/script.h"
#include "tests/checkers/support/serial.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

void agree_with_reference(const SerialOptions& options, uint64_t histories,
                          std::string_view stream) {
  uint64_t violations = 0;
  for (uint64_t seed = 0; seed < histories; seed++) {
    base::RandomStream random(seed, stream);
    const History history = SerialGenerator(options, random).make();
    const bool expected = SerialReference(history).explains();
    const Verdict verdict = check_list_append(history);
    ASSERT_EQ(verdict.outcome, expected ? Outcome::kOk : Outcome::kViolation)
        << "seed " << seed << "\n"
        << write_hjl(history) << verdict.summary;
    ASSERT_EQ(verdict.level == "strict serializable", expected);
    if (!expected) violations++;
  }
  // What is compared must be worth comparing.
  EXPECT_GT(violations, histories / 20);
  EXPECT_LT(violations, histories * 19 / 20);
}

TEST(ListAppend, AgreesWithReference) { agree_with_reference({}, 100'000, "append"); }

TEST(ListAppend, AgreesWithReferenceWhenManyOutcomesAreUnknown) {
  agree_with_reference({.transactions_max = 7, .keys = 1, .unknown = 0.4, .spoilt = 0.1}, 20'000,
                       "append-unknown");
}

TEST(ListAppend, AgreesWithReferenceWhenNothingIsAtomic) {
  agree_with_reference({.clients = 4, .failed = 0, .torn = 1, .spoilt = 0}, 20'000, "append-torn");
}

TEST(ListAppend, SoundHistoriesAreSound) {
  for (uint64_t seed = 0; seed < 1'000; seed++) {
    base::RandomStream random(seed, "append-sound");
    const SerialOptions options{.clients = 1 + static_cast<uint32_t>(random.below(8)),
                                .transactions_max = 100,
                                .keys = 1 + static_cast<uint32_t>(random.below(5)),
                                .torn = 0,
                                .spoilt = 0};
    const History history = SerialGenerator(options, random).make();
    const Verdict verdict = check_list_append(history);
    ASSERT_EQ(verdict.outcome, Outcome::kOk) << "seed " << seed << ": " << verdict.summary;
  }
}

struct Planted {
  std::string_view anomaly;
  std::string_view level;  // The strongest that holds.
  TxnScript script;
};

TxnScript script() { return TxnScript("appendtxn"); }

std::vector<Planted> planted_among_open() {
  return {
      {"G0", "none",
       script().together({{R"([["rpush","x",1],["rpush","y",1]])", R"(["OK","OK"])"},
                          {R"([["rpush","x",2],["rpush","y",2]])", R"(["OK","OK"])"},
                          {R"([["lrange","x"],["lrange","y"]])", "[[1,2],[2,1]]"}})},
      {"G1b", "read uncommitted",
       script().together(
           {{R"([["rpush","x",1],["rpush","x",2]])", "[1,2]"}, {R"([["lrange","x"]])", "[[1]]"}})},
      {"G1c", "read uncommitted",
       script().together({{R"([["rpush","x",1],["lrange","y"]])", "[1,[1]]"},
                          {R"([["rpush","y",1],["lrange","x"]])", "[1,[1]]"}})},
      {"lost-update", "read committed",
       script().together({{R"([["lrange","x"],["rpush","x",1]])", R"([[],"OK"])"},
                          {R"([["lrange","x"],["rpush","x",2]])", R"([[],"OK"])"}})},
      {"G-single", "read committed",
       script().together({{R"([["rpush","x",1],["rpush","y",1]])", "[1,1]"},
                          {R"([["lrange","x"],["lrange","y"]])", "[[1],[]]"}})},
      {"G-nonadjacent", "read committed",
       script().together({{R"([["lrange","x"],["lrange","z"]])", "[[],[1]]"},
                          {R"([["rpush","x",1],["rpush","w",1]])", "[1,1]"},
                          {R"([["lrange","w"],["lrange","y"]])", "[[1],[]]"},
                          {R"([["rpush","y",1],["rpush","z",1]])", "[1,1]"}})},
      {"G2-item", "strong snapshot isolation",
       script().together({{R"([["lrange","x"],["rpush","y",1]])", "[[],1]"},
                          {R"([["lrange","y"],["rpush","x",1]])", "[[],1]"}})},
  };
}

std::vector<Planted> planted_among_values() {
  return {
      {"internal", "none", script().txn(0, R"([["lrange","x"],["lrange","x"]])", "[[],[1]]")},
      {"internal", "none", script().txn(0, R"([["rpush","x",1],["lrange","x"]])", "[1,[]]")},
      {"internal", "none", script().txn(0, R"([["rpush","x",1],["rpush","x",2]])", "[1,3]")},
      {"garbage", "none", script().txn(0, R"([["lrange","x"]])", "[[7]]")},
      {"garbage", "none", script().txn(0, R"([["rpush","x",1]])", "[2]")},
      {"garbage", "none",
       script()
           .txn(0, R"([["rpush","x",1]])", "[1]")
           .txn(0, R"([["rpush","x",3]])", "[3]")
           .txn(0, R"([["rpush","x",4]])", "[4]")},
      {"duplicate-elements", "none",
       script().txn(0, R"([["rpush","x",1]])", "[1]").txn(0, R"([["lrange","x"]])", "[[1,1]]")},
      {"incompatible-order", "none",
       script().together({{R"([["rpush","x",1]])", R"(["OK"])"},
                          {R"([["rpush","x",2]])", R"(["OK"])"},
                          {R"([["lrange","x"]])", "[[1,2]]"},
                          {R"([["lrange","x"]])", "[[2]]"}})},
      {"incompatible-order", "none",
       script().together({{R"([["rpush","x",1]])", "[1]"}, {R"([["rpush","x",2]])", "[1]"}})},
      {"incompatible-order", "none",
       script().together({{R"([["rpush","x",1]])", "[2]"},
                          {R"([["rpush","x",2]])", "[1]"},
                          {R"([["lrange","x"]])", "[[1,2]]"}})},
      {"G1a", "read uncommitted",
       script().invoke(0, R"([["rpush","x",1]])").fail(0).txn(1, R"([["lrange","x"]])", "[[1]]")},
      {"G1a", "read uncommitted",
       script().txn(0, R"([["rpush","x",1]])", "null").txn(1, R"([["lrange","x"]])", "[[1]]")},
  };
}

std::vector<Planted> planted_in_time() {
  return {
      {"G0-process", "serializable",
       script()
           .invoke(1, R"([["lrange","x"]])")
           .txn(0, R"([["rpush","x",1]])", R"(["OK"])")
           .txn(0, R"([["rpush","x",2]])", R"(["OK"])")
           .ok(1, "[[2,1]]")},
      {"G0-realtime", "strong session serializable",
       script()
           .invoke(2, R"([["lrange","x"]])")
           .txn(0, R"([["rpush","x",1]])", R"(["OK"])")
           .txn(1, R"([["rpush","x",2]])", R"(["OK"])")
           .ok(2, "[[2,1]]")},
      {"G1c-process", "serializable",
       script().txn(0, R"([["lrange","x"]])", "[[1]]").txn(0, R"([["rpush","x",1]])", "[1]")},
      {"G1c-realtime", "strong session serializable",
       script().txn(0, R"([["lrange","x"]])", "[[1]]").txn(1, R"([["rpush","x",1]])", "[1]")},
      {"G-single-process", "serializable",
       script().txn(0, R"([["rpush","x",1]])", "[1]").txn(0, R"([["lrange","x"]])", "[[]]")},
      {"G-single-realtime", "strong session serializable",
       script().txn(0, R"([["rpush","x",1]])", "[1]").txn(1, R"([["lrange","x"]])", "[[]]")},
      {"G2-item-process", "serializable",
       script()
           .invoke(1, R"([["rpush","x",1],["lrange","y"]])")
           .txn(0, R"([["rpush","y",1]])", "[1]")
           .txn(0, R"([["lrange","x"]])", "[[]]")
           .ok(1, "[1,[]]")},
      {"G2-item-realtime", "strong session serializable",
       script()
           .invoke(1, R"([["rpush","x",1],["lrange","y"]])")
           .txn(2, R"([["rpush","y",1]])", "[1]")
           .txn(0, R"([["lrange","x"]])", "[[]]")
           .ok(1, "[1,[]]")},
      {"G-nonadjacent-process", "serializable",
       script()
           .invoke(1, R"([["rpush","x",1],["rpush","w",1]])")
           .invoke(2, R"([["lrange","w"],["lrange","y"]])")
           .txn(0, R"([["rpush","y",1]])", "[1]")
           .txn(0, R"([["lrange","x"]])", "[[]]")
           .ok(1, "[1,1]")
           .ok(2, "[[1],[]]")},
      {"G-nonadjacent-realtime", "strong session serializable",
       script()
           .invoke(1, R"([["rpush","x",1],["rpush","w",1]])")
           .invoke(2, R"([["lrange","w"],["lrange","y"]])")
           .txn(3, R"([["rpush","y",1]])", "[1]")
           .txn(0, R"([["lrange","x"]])", "[[]]")
           .ok(1, "[1,1]")
           .ok(2, "[[1],[]]")},
  };
}

void expect_planted(const std::vector<Planted>& table) {
  for (const Planted& planted : table) {
    const History history = planted.script.history();
    const Verdict verdict = check_list_append(history);
    EXPECT_EQ(verdict.outcome, Outcome::kViolation) << planted.anomaly;
    EXPECT_EQ(verdict.anomaly, planted.anomaly) << verdict.summary;
    EXPECT_EQ(verdict.level, planted.level) << verdict.summary;
    EXPECT_FALSE(verdict.explanation.empty());
    EXPECT_FALSE(verdict.operations.empty());
    EXPECT_FALSE(SerialReference(history).explains()) << planted.anomaly;
  }
}

TEST(ListAppend, CyclesHaveTheirNames) { expect_planted(planted_among_open()); }
TEST(ListAppend, ImpossibleValuesHaveTheirNames) { expect_planted(planted_among_values()); }
TEST(ListAppend, CyclesInTimeHaveTheirNames) { expect_planted(planted_in_time()); }

TEST(ListAppend, DirtyUpdateIsNamedBesideTheAbortedRead) {
  const History history = script()
                              .invoke(0, R"([["rpush","x",1]])")
                              .fail(0)
                              .txn(1, R"([["rpush","x",2]])", R"(["OK"])")
                              .txn(1, R"([["lrange","x"]])", "[[1,2]]")
                              .history();
  const Verdict verdict = check_list_append(history);
  EXPECT_EQ(verdict.anomalies, (std::vector<std::string>{"G1a", "dirty-update"}));
}

TEST(ListAppend, EveryEdgeSaysWhy) {
  const Verdict verdict = check_list_append(planted_among_open()[4].script.history());
  ASSERT_GE(verdict.explanation.size(), 2U);
  EXPECT_EQ(verdict.explanation[0].text,
            "G-single: 1 < 0 because 1 read y with 0 elements and did not see 1, which 0 appended");
  EXPECT_EQ(verdict.explanation[1].text,
            "G-single: 0 < 1 because 1 read x with 1 elements, the last of which 0 appended");
  EXPECT_EQ(verdict.operations, (std::vector<OperationId>{0, 1}));
}

TEST(ListAppend, CyclesAreDrawn) {
  const Verdict verdict = check_list_append(planted_among_open()[4].script.history());
  EXPECT_TRUE(verdict.dot.starts_with("digraph anomalies {\n")) << verdict.dot;
  EXPECT_NE(verdict.dot.find("label=\"G-single\""), std::string::npos) << verdict.dot;
  EXPECT_NE(verdict.dot.find("a0t1 -> a0t0 [label=\"rw\""), std::string::npos) << verdict.dot;
  EXPECT_NE(verdict.dot.find("a0t0 -> a0t1 [label=\"wr\""), std::string::npos) << verdict.dot;
  EXPECT_NE(verdict.dot.find(R"(rpush \"x\" 1 -> 1\l)"), std::string::npos) << verdict.dot;
  EXPECT_TRUE(
      check_list_append(script().txn(0, R"([["rpush","x",1]])", "[1]").history()).dot.empty());
}

// Elements that an answer counts and nobody saw are of whoever may have appended them.
TEST(ListAppend, UnknownTransactionsFillGaps) {
  TxnScript filled = script();
  filled.invoke(1, R"([["rpush","x",1],["rpush","y",1]])").info(1);
  filled.txn(0, R"([["rpush","x",2]])", "[2]");
  EXPECT_EQ(check_list_append(filled.history()).outcome, Outcome::kOk);
  // It took effect, so y has its element by now.
  filled.txn(0, R"([["lrange","y"]])", "[[]]");
  const Verdict verdict = check_list_append(filled.history());
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.anomaly, "G-single-process") << verdict.summary;
}

TEST(ListAppend, RepeatedValuesLeaveItUndecided) {
  const History history = script()
                              .txn(0, R"([["rpush","x",1]])", "[1]")
                              .txn(0, R"([["rpush","x",1]])", "[2]")
                              .history();
  const Verdict verdict = check_list_append(history);
  EXPECT_EQ(verdict.outcome, Outcome::kUndecided);
  EXPECT_NE(verdict.summary.find("only unique values"), std::string::npos) << verdict.summary;
}

}  // namespace
}  // namespace seatrial::checkers
