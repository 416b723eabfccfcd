// Histories with one planted anomaly of each kind, written by hand: each must be rejected, by
// that name, with the operations that show it.
#include "checkers/check.h"
#include "checkers/hjl.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

// Events as "client function key argument" or "client ok result"; one client has one open.
class Script {
 public:
  Script(std::string type, uint32_t clients) : recorder_(std::move(type), clients) {
    open_.resize(clients);
  }

  Script& at(int64_t milliseconds) {
    now_ = std::chrono::milliseconds(milliseconds);
    return *this;
  }
  Script& call(uint32_t client, Function function, std::string_view key,
               const Value& argument = {}) {
    open_[client] = recorder_.invoke(tick(), client, function, key, argument);
    return *this;
  }
  Script& watch(uint32_t client, std::string_view key) {
    const std::array keys = {Value::text(key)};
    open_[client] = recorder_.invoke(tick(), client, Function::kWatch, Value::list(keys));
    return ok(client, Value::text("OK"));
  }
  // Commands: a number sets the key to it, nil gets it.
  Script& exec(uint32_t client, std::vector<std::pair<std::string, Value>> commands) {
    std::vector<std::array<Value, 3>> words;
    std::vector<Value> lists;
    words.reserve(commands.size());
    for (const auto& [key, value] : commands) {
      words.push_back({Value::text(value.is_nil() ? "get" : "set"), Value::text(key), value});
      lists.push_back(Value::list(std::span(words.back()).first(value.is_nil() ? 2 : 3)));
    }
    open_[client] = recorder_.invoke(tick(), client, Function::kExec, Value::list(lists));
    return *this;
  }
  Script& answers(uint32_t client, std::vector<Value> results) {
    return ok(client, Value::list(results));
  }
  Script& ok(uint32_t client, const Value& result) {
    recorder_.ok(tick(), open_[client], result);
    return *this;
  }
  Script& fail(uint32_t client) {
    recorder_.fail(tick(), open_[client]);
    return *this;
  }
  Script& info(uint32_t client) {
    recorder_.info(tick(), open_[client]);
    return *this;
  }
  // A whole operation, answered.
  Script& done(uint32_t client, Function function, std::string_view key, const Value& argument,
               const Value& result) {
    return call(client, function, key, argument).ok(client, result);
  }
  Script& set(uint32_t client, std::string_view key, int64_t value) {
    return done(client, Function::kSet, key, Value::integer(value), kOk);
  }
  Script& get(uint32_t client, std::string_view key, const Value& result) {
    return done(client, Function::kGet, key, {}, result);
  }
  Script& set_px(uint32_t client, std::string_view key, int64_t value, int64_t px) {
    const std::array members = {Value::text("px"), Value::integer(px), Value::text("v"),
                                Value::integer(value)};
    return done(client, Function::kSet, key, Value::object(members), kOk);
  }

  Verdict check(std::string_view model) const {
    auto verdict = checkers::check(model, recorder_.history());
    EXPECT_TRUE(verdict) << verdict.error().message();
    return *verdict;
  }
  const History& history() const { return recorder_.history(); }

  static inline const Value kOk = Value::text("OK");

 private:
  Micros tick() { return now_ += Micros(1); }

  Recorder recorder_;
  std::vector<OperationId> open_;
  Micros now_{0};
};

Value number(int64_t n) { return Value::integer(n); }

void expect_anomaly(const Script& script, std::string_view model, std::string_view anomaly,
                    const std::vector<OperationId>& operations) {
  const Verdict verdict = script.check(model);
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.anomaly, anomaly) << verdict.summary;
  EXPECT_EQ(verdict.operations, operations) << verdict.summary;
  for (OperationId id : operations) {
    EXPECT_NE(std::ranges::find(verdict.sub_history, id), verdict.sub_history.end());
  }
}

void expect_ok(const Script& script, std::string_view model) {
  const Verdict verdict = script.check(model);
  EXPECT_EQ(verdict.outcome, Outcome::kOk) << verdict.summary;
}

TEST(Anomalies, StaleRead) {
  Script s("register", 2);
  s.set(0, "x", 1).set(1, "x", 2).get(0, "x", number(1)).get(1, "x", number(2));
  expect_anomaly(s, "register", "stale-read", {0, 1, 2});
  const Verdict verdict = s.check("register");
  EXPECT_EQ(verdict.linearized, (std::vector<OperationId>{0, 1}));
  EXPECT_EQ(verdict.explanation.size(), 2U);
}

TEST(Anomalies, StaleReadAmongCas) {
  Script s("kv", 2);
  const std::array swap = {number(1), number(2)};
  s.set(0, "x", 1).done(1, Function::kCas, "x", Value::list(swap), number(1));
  s.get(0, "x", number(1));
  expect_anomaly(s, "kv", "stale-read", {1, 2});
}

TEST(Anomalies, LostWrite) {
  Script s("register", 2);
  s.set(0, "x", 1).get(1, "x", Value());
  expect_anomaly(s, "register", "lost-write", {0, 1});
}

TEST(Anomalies, AbortedRead) {
  Script s("register", 2);
  s.call(0, Function::kSet, "x", number(1)).fail(0).get(1, "x", number(1));
  expect_anomaly(s, "register", "aborted-read", {1});
  EXPECT_EQ(s.check("register").sub_history, (std::vector<OperationId>{0, 1}));
}

TEST(Anomalies, PhantomRead) {
  Script s("register", 2);
  s.set(0, "x", 1).get(1, "x", number(7));
  expect_anomaly(s, "register", "phantom-read", {1});
}

TEST(Anomalies, FutureRead) {
  Script s("register", 2);
  s.get(1, "x", number(1)).set(0, "x", 1);
  expect_anomaly(s, "register", "future-read", {0});
}

TEST(Anomalies, LostUpdateOfCounters) {
  Script s("kvx", 2);
  s.set(0, "n", 5).done(0, Function::kIncr, "n", {}, number(6));
  s.done(1, Function::kIncr, "n", {}, number(6));
  expect_anomaly(s, "kvx", "lost-update", {1, 2});
}

TEST(Anomalies, LostUpdateOfCas) {
  Script s("kv", 2);
  const std::array first = {number(1), number(2)};
  const std::array second = {number(1), number(3)};
  s.set(0, "x", 1).call(0, Function::kCas, "x", Value::list(first));
  s.call(1, Function::kCas, "x", Value::list(second)).ok(0, number(1)).ok(1, number(1));
  expect_anomaly(s, "kv", "lost-update", {1, 2});
}

TEST(Anomalies, IncrementAppliedTwice) {
  Script s("kvx", 1);
  s.done(0, Function::kIncr, "n", {}, number(1)).get(0, "n", number(2));
  expect_anomaly(s, "kvx", "phantom-read", {1});
}

TEST(Anomalies, ExpiredRead) {
  Script s("kvx", 2);
  s.at(0).set_px(0, "x", 1, 100).at(103).get(1, "x", number(1));
  expect_anomaly(s, "kvx", "expired-read", {0, 1});
  Script in_time("kvx", 2);
  in_time.at(0).set_px(0, "x", 1, 100).at(101).get(1, "x", number(1));
  expect_ok(in_time, "kvx");
}

TEST(Anomalies, EarlyExpiry) {
  Script s("kvx", 2);
  s.at(0).set_px(0, "x", 1, 100).at(97).get(1, "x", Value());
  expect_anomaly(s, "kvx", "early-expiry", {0, 1});
  Script in_time("kvx", 2);
  in_time.at(0).set_px(0, "x", 1, 100).at(99).get(1, "x", Value());
  expect_ok(in_time, "kvx");
}

TEST(Anomalies, IncrKeepsTheDeadlineAndSetClearsIt) {
  Script kept("kvx", 1);
  kept.at(0).set_px(0, "n", 1, 100).done(0, Function::kIncr, "n", {}, number(2));
  kept.at(200).get(0, "n", number(2));
  EXPECT_EQ(kept.check("kvx").anomaly, "expired-read");
  Script cleared("kvx", 1);
  cleared.at(0).set_px(0, "n", 1, 100).set(0, "n", 2).at(200).get(0, "n", number(2));
  expect_ok(cleared, "kvx");
}

TEST(Anomalies, ClockSkewWidensTheWindow) {
  Script s("kvx", 2);
  s.at(0).set_px(0, "x", 1, 100).at(120).get(1, "x", number(1));
  EXPECT_EQ(s.check("kvx").outcome, Outcome::kViolation);
  Options options;
  options.clock_skew = std::chrono::milliseconds(25);
  EXPECT_EQ(check("kvx", s.history(), options)->outcome, Outcome::kOk);
}

TEST(Anomalies, UnknownWritesExplainWhatTheyCan) {
  Script s("register", 3);
  s.call(0, Function::kSet, "x", number(1)).info(0).get(1, "x", Value());
  s.get(1, "x", number(1));
  expect_ok(s, "register");
  s.get(1, "x", Value());
  EXPECT_EQ(s.check("register").outcome, Outcome::kViolation);
}

TEST(Anomalies, LostUpdateOfTransactions) {
  Script s("txn", 2);
  s.set(0, "a", 1).watch(0, "a").watch(1, "a").get(0, "a", number(1)).get(1, "a", number(1));
  s.exec(0, {{"a", number(2)}}).exec(1, {{"a", number(3)}});
  s.answers(0, {Script::kOk}).answers(1, {Script::kOk});
  expect_anomaly(s, "txn", "lost-update", {5, 6});
}

TEST(Anomalies, LostWatch) {
  Script s("txn", 2);
  s.watch(0, "a").set(1, "a", 1).exec(0, {{"a", number(2)}}).answers(0, {Script::kOk});
  expect_anomaly(s, "txn", "lost-watch", {0, 1, 2});
}

TEST(Anomalies, SpuriousAbort) {
  Script s("txn", 2);
  s.set(1, "a", 1).watch(0, "a").set(1, "b", 1).exec(0, {{"a", number(2)}}).ok(0, Value());
  expect_anomaly(s, "txn", "spurious-abort", {3});
  Script caused("txn", 2);
  caused.watch(0, "a").set(1, "a", 1).exec(0, {{"a", number(2)}}).ok(0, Value());
  expect_ok(caused, "txn");
  Script perhaps("txn", 2);
  perhaps.call(1, Function::kSet, "a", number(1)).info(1).watch(0, "a");
  perhaps.exec(0, {{"a", number(2)}}).ok(0, Value());
  expect_ok(perhaps, "txn");
}

TEST(Anomalies, AbortedTransactionLeavesNothing) {
  Script s("txn", 2);
  s.watch(0, "a").set(1, "a", 1).exec(0, {{"b", number(2)}}).ok(0, Value());
  s.get(1, "b", number(2));
  expect_anomaly(s, "txn", "aborted-read", {3});
}

TEST(Anomalies, TornTransaction) {
  Script s("txn", 2);
  s.exec(0, {{"a", number(1)}, {"b", number(1)}}).answers(0, {Script::kOk, Script::kOk});
  s.exec(0, {{"a", number(2)}, {"b", number(2)}});
  s.exec(1, {{"a", Value()}, {"b", Value()}}).answers(1, {number(2), number(1)});
  s.answers(0, {Script::kOk, Script::kOk});
  const Verdict verdict = s.check("txn");
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.anomaly, "G-single") << verdict.summary;
  EXPECT_FALSE(verdict.explanation.empty());
}

TEST(Anomalies, InternalContradiction) {
  Script s("txn", 1);
  s.exec(0, {{"a", number(1)}, {"a", Value()}}).answers(0, {Script::kOk, number(5)});
  expect_anomaly(s, "txn", "internal", {0});
}

TEST(Anomalies, StaleReadOfTransactions) {
  Script s("txn", 2);
  s.set(0, "a", 1).exec(0, {{"a", number(2)}, {"b", number(2)}});
  s.answers(0, {Script::kOk, Script::kOk}).get(1, "a", number(1));
  const Verdict verdict = s.check("txn");
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.anomaly, "stale-read") << verdict.summary;
}

TEST(Anomalies, ReconnectedClientsHaveNoWatches) {
  Recorder recorder("txn", 2);
  const auto once = [&](uint32_t client, Function function, const Value& argument,
                        const Value& result) {
    recorder.ok(Micros(0), recorder.invoke(Micros(0), client, function, argument), result);
  };
  const std::array keys = {Value::text("a")};
  once(0, Function::kWatch, Value::list(keys), Script::kOk);
  recorder.ok(Micros(0), recorder.invoke(Micros(0), 1, Function::kSet, "a", number(1)),
              Script::kOk);
  recorder.reconnect(0);
  const std::array words = {Value::text("set"), Value::text("a"), number(2)};
  const std::array commands = {Value::list(words)};
  const std::array results = {Script::kOk};
  once(0, Function::kExec, Value::list(commands), Value::list(results));
  EXPECT_EQ(check("txn", recorder.history())->outcome, Outcome::kOk);
}

TEST(Bank, TotalStays) {
  Script s("txn", 2);
  const auto text = [](std::string_view t) { return Value::text(t); };
  s.exec(0, {{"a", text("70:0.1")}, {"b", text("30:0.2")}}).answers(0, {Script::kOk, Script::kOk});
  s.exec(1, {{"a", Value()}, {"b", Value()}}).answers(1, {text("60:1.1"), text("40:1.2")});
  expect_ok(s, "bank");
  s.exec(1, {{"a", Value()}, {"b", Value()}}).answers(1, {text("60:1.1"), text("30:0.2")});
  const Verdict verdict = s.check("bank");
  EXPECT_EQ(verdict.anomaly, "wrong-total");
  EXPECT_EQ(verdict.operations, (std::vector<OperationId>{2}));
}

TEST(Bank, AccountsAreThereAndHoldNumbers) {
  const auto audit = [](const Value& a, const Value& b) {
    Script s("txn", 2);
    s.exec(0, {{"a", number(70)}, {"b", number(30)}}).answers(0, {Script::kOk, Script::kOk});
    s.exec(1, {{"a", Value()}, {"b", Value()}}).answers(1, {a, b});
    return s.check("bank").anomaly;
  };
  EXPECT_EQ(audit(number(70), Value()), "missing-account");
  EXPECT_EQ(audit(Value(), Value()), "missing-account");
  EXPECT_EQ(audit(number(70), Value::text("3x")), "garbage");
  EXPECT_EQ(audit(number(71), number(29)), "");
}

}  // namespace
}  // namespace seatrial::checkers
