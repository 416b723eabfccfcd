#include "checkers/read_write.h"
#include "checkers/hjl.h"
#include "tests/checkers/support/script.h"
#include "tests/checkers/support/serial.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

void agree_with_reference(SerialOptions options, uint64_t histories, std::string_view stream) {
  options.type = "rwtxn";
  uint64_t violations = 0;
  for (uint64_t seed = 0; seed < histories; seed++) {
    base::RandomStream random(seed, stream);
    const History history = SerialGenerator(options, random).make();
    const bool expected = SerialReference(history).explains();
    Options fast;
    fast.explain = seed % 16 == 0;
    const Verdict verdict = check_read_write(history, fast);
    ASSERT_EQ(verdict.outcome, expected ? Outcome::kOk : Outcome::kViolation)
        << "seed " << seed << "\n"
        << write_hjl(history) << verdict.summary;
    if (!expected) violations++;
  }
  EXPECT_GT(violations, histories / 20);
  EXPECT_LT(violations, histories * 19 / 20);
}

TEST(ReadWrite, AgreesWithReference) { agree_with_reference({.torn = 0.3}, 100'000, "rw"); }

TEST(ReadWrite, AgreesWithReferenceWhenManyOutcomesAreUnknown) {
  agree_with_reference({.transactions_max = 7, .keys = 1, .unknown = 0.4, .spoilt = 0.15}, 10'000,
                       "rw-unknown");
}

TEST(ReadWrite, AgreesWithReferenceWhenNothingIsAtomic) {
  agree_with_reference({.clients = 4, .commands_max = 4, .failed = 0, .torn = 1, .spoilt = 0},
                       10'000, "rw-torn");
}

struct Planted {
  std::string_view anomaly;
  std::string_view level;  // The strongest that is not ruled out.
  TxnScript script;
};

TxnScript script() { return TxnScript("rwtxn"); }

std::vector<Planted> planted() {
  return {
      {"internal", "none", script().txn(0, R"([["set","x",1],["get","x"]])", R"(["OK",2])")},
      {"garbage", "none", script().txn(0, R"([["get","x"]])", "[7]")},
      {"G1a", "read uncommitted",
       script().invoke(0, R"([["set","x",1]])").fail(0).txn(1, R"([["get","x"]])", "[1]")},
      {"G1b", "read uncommitted",
       script().together(
           {{R"([["set","x",1],["set","x",2]])", R"(["OK","OK"])"}, {R"([["get","x"]])", "[1]"}})},
      {"G0", "none",
       script().together(
           {{R"([["get","x"],["set","x",1],["set","y",1]])", R"([null,"OK","OK"])"},
            {R"([["set","x",2],["get","y"],["set","y",2]])", R"(["OK",null,"OK"])"}})},
      {"G1c", "read uncommitted",
       script().together({{R"([["set","x",1],["get","y"]])", R"(["OK",1])"},
                          {R"([["set","y",1],["get","x"]])", R"(["OK",1])"}})},
      {"lost-update", "read committed",
       script().together({{R"([["get","x"],["set","x",1]])", R"([null,"OK"])"},
                          {R"([["get","x"],["set","x",2]])", R"([null,"OK"])"}})},
      {"G-single", "read committed",
       script().together({{R"([["set","x",1],["set","y",1]])", R"(["OK","OK"])"},
                          {R"([["get","x"],["get","y"]])", "[1,null]"}})},
      {"G-nonadjacent", "read committed",
       script().together({{R"([["get","x"],["get","z"]])", "[null,1]"},
                          {R"([["set","x",1],["set","w",1]])", R"(["OK","OK"])"},
                          {R"([["get","w"],["get","y"]])", "[1,null]"},
                          {R"([["set","y",1],["set","z",1]])", R"(["OK","OK"])"}})},
      {"G2-item", "strong snapshot isolation",
       script().together({{R"([["get","x"],["set","y",1]])", R"([null,"OK"])"},
                          {R"([["get","y"],["set","x",1]])", R"([null,"OK"])"}})},
      {"G-single-process", "serializable",
       script().txn(0, R"([["set","x",1]])", R"(["OK"])").txn(0, R"([["get","x"]])", "[null]")},
      {"G-single-realtime", "strong session serializable",
       script().txn(0, R"([["set","x",1]])", R"(["OK"])").txn(1, R"([["get","x"]])", "[null]")},
      {"G1c-realtime", "strong session serializable",
       script().txn(0, R"([["get","x"]])", "[1]").txn(1, R"([["set","x",1]])", R"(["OK"])")},
  };
}

TEST(ReadWrite, PlantedAnomaliesHaveTheirNames) {
  for (const Planted& planted : planted()) {
    const History history = planted.script.history();
    const Verdict verdict = check_read_write(history);
    EXPECT_EQ(verdict.outcome, Outcome::kViolation) << planted.anomaly;
    EXPECT_EQ(verdict.anomaly, planted.anomaly) << verdict.summary;
    EXPECT_EQ(verdict.level, planted.level) << verdict.summary;
    EXPECT_FALSE(SerialReference(history).explains()) << planted.anomaly;
  }
}

// No version order tells, but the search does.
TEST(ReadWrite, SearchFindsWhatNoDependencyShows) {
  const History history = script()
                              .txn(0, R"([["set","x",1]])", R"(["OK"])")
                              .txn(0, R"([["set","x",2]])", R"(["OK"])")
                              .txn(1, R"([["get","x"]])", "[1]")
                              .history();
  const Verdict verdict = check_read_write(history);
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.anomaly, "stale-read") << verdict.summary;
}

}  // namespace
}  // namespace seatrial::checkers
