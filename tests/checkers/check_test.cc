#include "checkers/check.h"
#include "tests/checkers/support/generate.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

TEST(Check, UnknownModelsAreNamedWithThoseThatThereAre) {
  const History history("kv");
  const Result<Verdict> verdict = check("bag", history);
  ASSERT_FALSE(verdict);
  std::string models;
  for (const CheckerInfo& info : list_checkers()) {
    models += (models.empty() ? "" : ", ") + std::string(info.model);
  }
  EXPECT_EQ(verdict.error().message(), "no checker for model \"bag\", there are " + models);
}

TEST(Check, HistoriesOfAnotherTypeAreRefused) {
  const History history("txn");
  const Result<Verdict> verdict = check("kv", history);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().message(),
            "model kv takes histories of type kv register, this one is of type txn");
}

TEST(Check, EmptyHistoriesAreOk) {
  for (const CheckerInfo& info : list_checkers()) {
    EXPECT_FALSE(info.description.empty());
    const std::string type(info.types.substr(0, info.types.find(' ')));
    const Result<Verdict> verdict = check(info.model, History(type));
    ASSERT_TRUE(verdict) << verdict.error().message();
    EXPECT_EQ(verdict->outcome, Outcome::kOk) << info.model;
  }
}

TEST(Check, ReadsOtherFormatsByTheirFirstLine) {
  const Result<Verdict> log = check("kv",
                                    "INFO  jepsen.util - 0\t:invoke\t:write\t3\n"
                                    "INFO  jepsen.util - 1\t:invoke\t:read\tnil\n"
                                    "INFO  jepsen.util - 0\t:ok\t:write\t3\n"
                                    "INFO  jepsen.util - 1\t:ok\t:read\t4\n");
  ASSERT_TRUE(log) << log.error().message();
  EXPECT_EQ(log->anomaly, "phantom-read");
  const Result<Verdict> map =
      check("kv",
            "{:process 0, :type :invoke, :f :append, :key \"k\", :value \"a\"}\n"
            "{:process 0, :type :ok, :f :append, :key \"k\", :value \"a\"}\n"
            "{:process 0, :type :invoke, :f :get, :key \"k\", :value nil}\n"
            "{:process 0, :type :ok, :f :get, :key \"k\", :value \"a\"}\n");
  ASSERT_TRUE(map) << map.error().message();
  EXPECT_EQ(map->outcome, Outcome::kOk);
}

TEST(Check, MalformedForeignLinesAreNamed) {
  const auto error = [](std::string_view bytes) { return check("kv", bytes).error().message(); };
  EXPECT_EQ(error("INFO  jepsen.util - 0\t:ok\t:read\t3\n"),
            "line 1: completion without invocation: process 0 has none open");
  EXPECT_EQ(error("INFO  jepsen.util - 0\t:invoke\t:pop\t3\n"),
            "line 1: :pop, expected :read, :write or :cas");
  EXPECT_EQ(error("INFO  jepsen.util - x\t:invoke\t:read\t3\n"),
            "line 1: \"x\", expected a number");
  EXPECT_EQ(error("{:process 0, :type :invoke}\n"),
            "line 1: an operation without :f, expected :txn, :read, :write or :cas");
}

// A budget that does not suffice gives no verdict, and never a wrong one.
TEST(Check, SmallBudgetsAreUndecidedOrRight) {
  int undecided = 0;
  for (uint64_t seed = 0; seed < 500; seed++) {
    for (const char* model : {"kv", "kvx", "txn"}) {
      base::RandomStream random(seed, model);
      const GenerateOptions options{.clients = 6, .operations_max = 40, .spoilt = 0.02};
      const History history = Generator(model, options, random).make();
      const Verdict full = *check(model, history);
      ASSERT_NE(full.outcome, Outcome::kUndecided);
      Options tight;
      tight.budget.nodes_max = 8;
      const Verdict small = *check(model, history, tight);
      if (small.outcome == Outcome::kUndecided) {
        undecided++;
        EXPECT_NE(small.summary.find("undecided"), std::string::npos);
      } else {
        EXPECT_EQ(small.outcome, full.outcome);
      }
    }
  }
  EXPECT_GT(undecided, 50);
}

// The order reported for the longest good prefix is one: its operations respect real time.
TEST(Check, SubHistoriesHoldTheBlamedOperations) {
  int violations = 0;
  for (uint64_t seed = 0; seed < 2000; seed++) {
    for (const char* model : {"register", "kv", "kvx", "txn"}) {
      base::RandomStream random(seed, model);
      const History history = Generator(model, {.spoilt = 0.2}, random).make();
      const Verdict verdict = *check(model, history);
      if (verdict.ok()) continue;
      violations++;
      EXPECT_FALSE(verdict.anomaly.empty());
      EXPECT_FALSE(verdict.operations.empty());
      for (OperationId id : verdict.operations) {
        EXPECT_NE(std::ranges::find(verdict.sub_history, id), verdict.sub_history.end());
      }
      for (size_t i = 0; i < verdict.linearized.size(); i++) {
        for (size_t j = i + 1; j < verdict.linearized.size(); j++) {
          EXPECT_FALSE(
              history.find(verdict.linearized[j])->precedes(*history.find(verdict.linearized[i])));
        }
      }
    }
  }
  EXPECT_GT(violations, 500);
}

}  // namespace
}  // namespace seatrial::checkers
