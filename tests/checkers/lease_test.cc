#include "checkers/lease.h"
#include "checkers/check.h"
#include "checkers/hjl.h"

#include <gtest/gtest.h>

#include <vector>

namespace seatrial::checkers {
namespace {

using std::chrono::milliseconds;

// Writes a history by hand: times in microseconds, one operation after the other unless opened
// and closed apart.
class Script {
 public:
  Script() : recorder_("lease", 4) {}

  OperationId open(int64_t at, uint32_t client, std::string_view f, std::string_view key) {
    const Function function = *parse_function("lease", f);
    if (function != Function::kWatch) return recorder_.invoke(Micros(at), client, function, key);
    const Value keys[] = {Value::text(key)};
    return recorder_.invoke(Micros(at), client, function, Value::list(keys));
  }
  OperationId open_exec(int64_t at, uint32_t client, const std::vector<Value>& commands) {
    return recorder_.invoke(Micros(at), client, Function::kExec, Value::list(commands));
  }
  void ok(int64_t at, OperationId id, const Value& result) { recorder_.ok(Micros(at), id, result); }
  void fail(int64_t at, OperationId id) { recorder_.fail(Micros(at), id); }
  void info(int64_t at, OperationId id) { recorder_.info(Micros(at), id); }

  // Each lasts from `at` to `at` + 100.
  void watch(int64_t at, uint32_t client, std::string_view key) {
    ok(at + 100, open(at, client, "watch", key), Value::text("OK"));
  }
  void get(int64_t at, uint32_t client, std::string_view key, std::string_view value) {
    ok(at + 100, open(at, client, "get", key), value.empty() ? Value() : Value::text(value));
  }
  void del(int64_t at, uint32_t client, std::string_view key, int64_t gone = 1) {
    ok(at + 100, open(at, client, "del", key), Value::integer(gone));
  }
  void exec(int64_t at, uint32_t client, const std::vector<Value>& commands,
            const std::vector<Value>& results) {
    ok(at + 100, open_exec(at, client, commands), Value::list(results));
  }
  void abort(int64_t at, uint32_t client, const std::vector<Value>& commands) {
    ok(at + 100, open_exec(at, client, commands), {});
  }

  // Commands of an EXEC.
  Value read(std::string_view key) { return list({Value::text("get"), Value::text(key)}); }
  Value remove(std::string_view key) { return list({Value::text("del"), Value::text(key)}); }
  Value write(std::string_view key, std::string_view value, int64_t px = 0) {
    const Value plain = Value::text(value);
    if (px == 0) return list({Value::text("set"), Value::text(key), plain});
    std::span<Value> members = arena_.make<Value>(4);
    members[0] = Value::text("px");
    members[1] = Value::integer(px);
    members[2] = Value::text("v");
    members[3] = plain;
    return list({Value::text("set"), Value::text(key), Value::object(members)});
  }

  // Client 0 takes the lease "l" with value "a" for 10 ms at 1,000 us.
  void grant() { exec(1'000, 0, {write("l", "a", 10)}, {kOk}); }

  Verdict judge() const { return check_leases(recorder_.history()); }
  // The anomaly, or "" where all is well.
  std::string anomaly() const { return judge().anomaly; }
  const History& history() const { return recorder_.history(); }

  inline static const Value kOk = Value::text("OK");

 private:
  Value list(std::initializer_list<Value> words) {
    std::span<Value> items = arena_.make<Value>(words.size());
    std::ranges::copy(words, items.begin());
    return Value::list(items);
  }

  Arena arena_;
  Recorder recorder_;
};

const Value& kOk = Script::kOk;

// The grant ends at 1,100 us; its value is certainly gone after 1,100 + 10,000 + 2,000.
constexpr int64_t kGoneAfter = 13'100;
// It begins at 1,000 us; its value is certainly alive until 1,000 + 10,000 - 2,000.
constexpr int64_t kAliveUntil = 9'000;

std::string guarded_step_at(int64_t at) {
  Script script;
  script.grant();
  script.watch(2'000, 0, "l");
  script.get(3'000, 0, "l", "a");
  script.exec(at, 0, {script.write("g", "g1")}, {kOk});
  return script.anomaly();
}

TEST(Lease, ExpiredWatch) {
  EXPECT_EQ(guarded_step_at(5'000), "");
  EXPECT_EQ(guarded_step_at(kGoneAfter), "");
  EXPECT_EQ(guarded_step_at(kGoneAfter + 1), "expired-watch");
}

TEST(Lease, ExpiredWatchOfUnknownExecThatWasSeen) {
  for (const bool seen : {false, true}) {
    Script script;
    script.grant();
    script.watch(2'000, 0, "l");
    script.get(3'000, 0, "l", "a");
    const OperationId exec = script.open_exec(kGoneAfter + 1, 0, {script.write("g", "g1")});
    script.info(20'000, exec);
    script.get(30'000, 1, "g", seen ? "g1" : "");
    EXPECT_EQ(script.anomaly(), seen ? "expired-watch" : "");
  }
}

// The instant at which an unknown grant took effect is open above, until somebody sees it.
TEST(Lease, UnknownGrantMayStartLate) {
  for (const bool seen_early : {false, true}) {
    Script script;
    script.info(1'500, script.open_exec(1'000, 0, {script.write("l", "a", 10)}));
    if (seen_early) script.get(2'000, 1, "l", "a");
    script.get(50'000, 2, "l", "a");
    EXPECT_EQ(script.anomaly(), seen_early ? "outlived-deadline" : "");
  }
}

TEST(Lease, OutlivedDeadline) {
  for (const int64_t late : {0, 1}) {
    Script script;
    script.grant();
    script.get(kGoneAfter + late, 1, "l", "a");
    EXPECT_EQ(script.anomaly(), late == 0 ? "" : "outlived-deadline");
  }
}

TEST(Lease, OutlivedDeadlineInsideExec) {
  Script script;
  script.grant();
  script.exec(kGoneAfter + 1, 1, {script.read("l")}, {Value::text("a")});
  EXPECT_EQ(script.anomaly(), "outlived-deadline");
}

TEST(Lease, ClockSkewWidensTheSlack) {
  Script script;
  script.grant();
  script.get(kGoneAfter + 1, 1, "l", "a");
  const Verdict verdict =
      check_leases(script.history(), {.budget = {}, .clock_skew = milliseconds(1)});
  EXPECT_TRUE(verdict.ok()) << verdict.summary;
}

TEST(Lease, EarlyExpiry) {
  for (const int64_t late : {0, 1}) {
    Script script;
    script.grant();
    script.get(kAliveUntil - 101 + late, 1, "l", "");
    EXPECT_EQ(script.anomaly(), late == 0 ? "early-expiry" : "");
  }
}

TEST(Lease, NilIsExcusedByWhatMayHaveRemovedTheValue) {
  Script script;
  script.grant();
  script.info(1'900, script.open(1'500, 2, "del", "l"));
  script.get(5'000, 1, "l", "");
  EXPECT_EQ(script.anomaly(), "");

  Script harmless;
  harmless.grant();
  harmless.fail(1'900, harmless.open(1'500, 2, "del", "l"));
  harmless.get(5'000, 1, "l", "");
  EXPECT_EQ(harmless.anomaly(), "early-expiry");
}

TEST(Lease, LostWrite) {
  for (const bool removed : {false, true}) {
    Script script;
    script.exec(1'000, 0, {script.write("g", "g1")}, {kOk});
    if (removed) script.del(2'000, 0, "g");
    script.get(1'000'000, 1, "g", "");
    EXPECT_EQ(script.anomaly(), removed ? "" : "lost-write");
  }
}

TEST(Lease, DoubleGrant) {
  for (const bool released : {false, true}) {
    Script script;
    // The lookup is concurrent with the first grant, so that nil alone is right.
    const OperationId first = script.open_exec(1'000, 0, {script.write("l", "a", 10)});
    script.watch(1'010, 1, "l");
    const OperationId look = script.open(1'200, 1, "get", "l");
    script.ok(1'300, look, {});
    script.ok(1'400, first, Value::list(std::array{kOk}));
    if (released) script.del(1'500, 0, "l");
    script.exec(2'000, 1, {script.write("l", "b", 10)}, {kOk});
    // Released, the key has changed all the same under the WATCH.
    EXPECT_EQ(script.anomaly(), released ? "lost-watch" : "double-grant");
  }
}

TEST(Lease, GrantAfterExpiryIsFine) {
  Script script;
  script.grant();
  script.watch(20'000, 1, "l");
  script.get(20'200, 1, "l", "");
  script.exec(20'400, 1, {script.write("l", "b", 10)}, {kOk});
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Lease, LostWatch) {
  // The other's change lies entirely between WATCH and EXEC, or begins with the WATCH's end.
  for (const int64_t begin : {2'100, 2'101}) {
    Script script;
    script.watch(2'000, 0, "l");
    script.exec(begin, 1, {script.write("l", "b", 1'000)}, {kOk});
    script.exec(3'000, 0, {script.write("g", "g1")}, {kOk});
    EXPECT_EQ(script.anomaly(), begin == 2'101 ? "lost-watch" : "");
  }
}

TEST(Lease, WatchEndsWithExec) {
  Script script;
  script.watch(2'000, 0, "l");
  script.exec(2'200, 0, {script.read("l")}, {Value()});
  script.exec(2'500, 1, {script.write("l", "b", 1'000)}, {kOk});
  script.exec(3'000, 0, {script.write("g", "g1")}, {kOk});
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Lease, DeleteOfAMissingKeyTouchesNoWatch) {
  Script script;
  script.watch(2'000, 0, "l");
  script.del(2'200, 1, "l", 0);
  script.exec(3'000, 0, {script.write("g", "g1")}, {kOk});
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Lease, SpuriousAbortOfAKeyExpiredBeforeItsWatch) {
  for (const int64_t late : {0, 1}) {
    Script script;
    script.grant();
    script.watch(kGoneAfter + late, 1, "l");
    script.get(kGoneAfter + 200, 1, "l", "");
    script.abort(kGoneAfter + 400, 1, {script.write("l", "b", 10)});
    EXPECT_EQ(script.anomaly(), late == 0 ? "" : "spurious-abort");
  }
}

TEST(Lease, AbortIsExcusedByADeadlineInItsWindow) {
  for (const int64_t late : {0, 1}) {
    Script script;
    script.grant();
    script.watch(2'000, 1, "l");
    script.abort(kAliveUntil - 101 + late, 1, {script.write("l", "b", 10)});
    EXPECT_EQ(script.anomaly(), late == 0 ? "spurious-abort" : "");
  }
}

TEST(Lease, AbortIsExcusedByAnUnknownWriteThatMayBeLate) {
  Script script;
  script.info(600, script.open_exec(500, 2, {script.write("l", "x", 10)}));
  script.watch(50'000, 1, "l");
  script.abort(50'500, 1, {script.write("l", "b", 10)});
  EXPECT_EQ(script.anomaly(), "");
}

// Its WATCH is broken by a later certain change: from then on it can excuse nothing.
TEST(Lease, UnknownExecEndsWithItsWatch) {
  Script script;
  script.watch(300, 2, "l");
  script.info(600, script.open_exec(500, 2, {script.write("l", "x", 10)}));
  script.exec(1'000, 0, {script.write("l", "a", 10)}, {kOk});
  script.watch(50'000, 1, "l");
  script.abort(50'500, 1, {script.write("l", "b", 10)});
  EXPECT_EQ(script.anomaly(), "spurious-abort");
}

TEST(Lease, Garbage) {
  Script script;
  script.grant();
  script.get(2'000, 1, "l", "nobody's");
  EXPECT_EQ(script.anomaly(), "garbage");

  Script early;
  early.get(500, 1, "l", "a");
  early.grant();
  EXPECT_EQ(early.anomaly(), "garbage");
}

TEST(Lease, AbortedRead) {
  Script failed;
  failed.fail(1'100, failed.open_exec(1'000, 0, {failed.write("l", "a", 10)}));
  failed.get(2'000, 1, "l", "a");
  EXPECT_EQ(failed.anomaly(), "aborted-read");

  Script unknown;
  unknown.info(1'100, unknown.open_exec(1'000, 0, {unknown.write("l", "a", 10)}));
  unknown.get(2'000, 1, "l", "a");
  EXPECT_EQ(unknown.anomaly(), "");
}

TEST(Lease, StaleRead) {
  for (const int64_t at : {3'100, 3'101}) {
    Script script;
    script.exec(1'000, 0, {script.write("l", "a", 1'000)}, {kOk});
    script.del(3'000, 0, "l");
    script.get(at, 1, "l", "a");
    EXPECT_EQ(script.anomaly(), at == 3'101 ? "stale-read" : "");
  }
}

TEST(Lease, TornExec) {
  for (const bool torn : {false, true}) {
    Script script;
    script.exec(1'000, 0, {script.write("l", "a", 10), script.read("l"), script.remove("l")},
                {kOk, torn ? Value() : Value::text("a"), Value::integer(1)});
    EXPECT_EQ(script.anomaly(), torn ? "torn-exec" : "");
  }
}

TEST(Lease, GravestRuleNamesTheViolation) {
  Script script;
  script.grant();
  script.get(kGoneAfter + 1, 1, "l", "a");
  script.get(kGoneAfter + 1'000, 1, "l", "nobody's");
  const Verdict verdict = script.judge();
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(verdict.anomaly, "garbage");
  EXPECT_EQ(verdict.operations, std::vector<OperationId>{2});
  EXPECT_NE(verdict.explanation.back().text.find("outlived-deadline"), std::string::npos);
}

TEST(Lease, ValuesThatAreNotUniqueAreUndecided) {
  Script script;
  script.grant();
  script.exec(2'000, 1, {script.write("l", "a", 10)}, {kOk});
  EXPECT_EQ(script.judge().outcome, Outcome::kUndecided);
}

TEST(Lease, GoesThroughFilesAndTheRegistry) {
  Script script;
  script.grant();
  script.watch(2'000, 0, "l");
  script.get(3'000, 0, "l", "a");
  script.exec(20'000, 0, {script.write("g", "g1"), script.remove("l")}, {kOk, Value::integer(1)});
  const auto verdict = check("lease", write_hjl(script.history()));
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_EQ(verdict->anomaly, "expired-watch");
  EXPECT_FALSE(check("txn", script.history()));
}

}  // namespace
}  // namespace seatrial::checkers
