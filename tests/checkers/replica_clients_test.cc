#include "checkers/replica_clients.h"

#include <gtest/gtest.h>

#include <map>

namespace seatrial::checkers {
namespace {

using Reason = ReplicationObservation::Reason;
using Data = std::map<std::string, std::pair<std::string, int64_t>>;  // Value, deadline or 0.

// A log and a history by hand. Nodes hold keys "0/a" and so on; times are in microseconds.
class Script {
 public:
  Script() : recorder_("replica", 3) { log_.nodes = {"kv0", "kv1", "kv2"}; }

  // The node comes to hold `data`, at this offset of history A.
  void state(int64_t at, uint32_t node, int64_t offset, const Data& data,
             Reason reason = Reason::kApplied) {
    ReplicationObservation observation{.time = Micros(at),
                                       .life = {node, 1},
                                       .reason = reason,
                                       .primary = node == 0,
                                       .id = "A",
                                       .offset = offset,
                                       .digest = digest(data)};
    Data& held = held_[node];
    for (const auto& [key, value] : held) {
      if (!data.contains(key)) observation.changes.push_back({number(key), std::nullopt});
    }
    for (const auto& [key, value] : data) {
      if (const auto old = held.find(key); old != held.end() && old->second == value) continue;
      const Micros gone_at = value.second == 0 ? Micros::max() : Micros(value.second);
      observation.changes.push_back({number(key), value.first, gone_at});
    }
    held = data;
    log_.observations.push_back(std::move(observation));
  }

  // Operations of client `client`, which last from `from` to `to`.
  void get(int64_t from, int64_t to, std::string_view key, std::string_view value,
           uint32_t client = 0) {
    finish(to, recorder_.invoke(Micros(from), client, Function::kGet, key), reply(value));
  }
  void set(int64_t from, int64_t to, std::string_view key, std::string_view value) {
    finish(to, recorder_.invoke(Micros(from), 0, Function::kSet, key, Value::text(value)),
           Value::text("OK"));
  }
  void wait(int64_t from, int64_t to, int64_t replicas) {
    finish(to, recorder_.invoke(Micros(from), 0, Function::kWait, "kv0:", Value::integer(2)),
           Value::integer(replicas));
  }
  void watch(int64_t from, int64_t to, std::string_view key) {
    const Value keys[] = {Value::text(key)};
    finish(to, recorder_.invoke(Micros(from), 0, Function::kWatch, Value::list(keys)),
           Value::text("OK"));
  }
  // Reads of an EXEC; nothing read: it was aborted.
  void exec(int64_t from, int64_t to, const std::vector<std::string>& keys,
            const std::vector<std::string>& values) {
    std::vector<std::vector<Value>> words(keys.size());
    std::vector<Value> commands;
    for (size_t i = 0; i < keys.size(); i++) {
      words[i] = {Value::text("get"), Value::text(keys[i])};
      commands.push_back(Value::list(words[i]));
    }
    std::vector<Value> results;
    for (const std::string& value : values) results.push_back(reply(value));
    finish(to, recorder_.invoke(Micros(from), 0, Function::kExec, Value::list(commands)),
           values.empty() ? Value() : Value::list(results));
  }

  Verdict judge() const { return check_replica_clients(log_, recorder_.history()); }
  // The anomaly, or "" where all is well.
  std::string anomaly() const { return judge().anomaly; }
  // The same where clocks may be off by so much.
  std::string anomaly(std::vector<ClockErrors> clocks) const {
    ReplicationLog log = log_;
    log.clocks = std::move(clocks);
    return check_replica_clients(log, recorder_.history()).anomaly;
  }
  std::string anomaly(Micros skew) const {
    return anomaly(std::vector<ClockErrors>(log_.nodes.size(), {-skew, skew}));
  }

 private:
  static Value reply(std::string_view value) {
    return value.empty() ? Value() : Value::text(value);
  }
  static uint64_t digest(const Data& data) {
    uint64_t sum = 1;
    for (const auto& [key, value] : data) {
      sum +=
          std::hash<std::string>()(key + "=" + value.first) + static_cast<uint64_t>(value.second);
    }
    return sum;
  }
  void finish(int64_t to, OperationId id, const Value& result) {
    recorder_.ok(Micros(to), id, result);
  }
  uint32_t number(const std::string& key) {
    const auto found = std::ranges::find(log_.keys, key);
    if (found != log_.keys.end()) return static_cast<uint32_t>(found - log_.keys.begin());
    log_.keys.push_back(key);
    return static_cast<uint32_t>(log_.keys.size() - 1);
  }

  ReplicationLog log_;
  Recorder recorder_;
  std::map<uint32_t, Data> held_;
};

const Data kFirst = {{"0/a", {"1", 0}}, {"0/b", {"1", 0}}};
const Data kSecond = {{"0/a", {"2", 0}}, {"0/b", {"2", 0}}};

// kv0 and kv1 hold kFirst from 0 on, kSecond from 1,000 and 2,000 on.
Script two_states() {
  Script script;
  script.state(0, 0, 10, kFirst, Reason::kReplaced);
  script.state(0, 1, 10, kFirst, Reason::kReplaced);
  script.state(1'000, 0, 20, kSecond);
  script.state(2'000, 1, 20, kSecond);
  return script;
}

std::string reads(int64_t from, int64_t to, std::string_view value) {
  Script script = two_states();
  script.get(from, to, "kv1:0/a", value);
  return script.anomaly();
}

TEST(ReplicaReads, ShowWhatTheNodeHeldMeanwhile) {
  EXPECT_EQ(reads(1'500, 1'600, "1"), "");
  EXPECT_EQ(reads(1'500, 2'600, "1"), "");
  EXPECT_EQ(reads(1'500, 2'600, "2"), "");
  EXPECT_EQ(reads(2'500, 2'600, "2"), "");
  EXPECT_EQ(reads(1'500, 1'600, "2"), "no-such-state");
  EXPECT_EQ(reads(1'500, 1'600, "3"), "no-such-state");
  EXPECT_EQ(reads(1'500, 1'600, ""), "no-such-state");
}

TEST(ReplicaReads, NeverGoBack) {
  Script script = two_states();
  script.get(2'100, 2'200, "kv1:0/a", "2");
  script.get(2'300, 2'400, "kv1:0/a", "1");
  EXPECT_EQ(script.anomaly(), "went-back");
}

TEST(ReplicaReads, AFullResyncToALostPastSetsThemBack) {
  Script script = two_states();
  script.get(2'100, 2'200, "kv1:0/a", "2");
  script.state(2'250, 1, 10, kFirst, Reason::kReplaced);
  script.get(2'300, 2'400, "kv1:0/a", "1");
  EXPECT_EQ(script.anomaly(), "");
}

TEST(ReplicaReads, NothingIsReadFromANodeThatHasJustStarted) {
  Script script = two_states();
  script.state(3'000, 1, 0, {}, Reason::kStarted);
  script.get(3'100, 3'200, "kv1:0/a", "");
  EXPECT_EQ(script.anomaly(), "no-such-state");
}

TEST(ReplicaReads, AnExecReadsOneState) {
  Script script = two_states();
  script.exec(1'900, 2'100, {"kv1:0/a", "kv1:0/b"}, {"2", "2"});
  EXPECT_EQ(script.anomaly(), "");
  Script torn = two_states();
  torn.exec(1'900, 2'100, {"kv1:0/a", "kv1:0/b"}, {"1", "2"});
  EXPECT_EQ(torn.anomaly(), "torn-exec");
}

// kv1 holds "a" with a deadline: it is gone from 5,000 us on.
std::string reads_expiring(int64_t from, int64_t to, std::string_view value) {
  Script script;
  script.state(0, 0, 10, {{"0/a", {"1", 5'000}}}, Reason::kReplaced);
  script.state(0, 1, 10, {{"0/a", {"1", 5'000}}}, Reason::kReplaced);
  script.state(8'000, 0, 30, {});
  script.state(9'000, 1, 30, {});
  script.get(from, to, "kv1:0/a", value);
  return script.anomaly();
}

TEST(ReplicaExpiry, HidesAKeyFromItsDeadlineOn) {
  EXPECT_EQ(reads_expiring(4'000, 4'500, "1"), "");
  EXPECT_EQ(reads_expiring(4'000, 5'500, "1"), "");
  EXPECT_EQ(reads_expiring(4'000, 5'500, ""), "");
  EXPECT_EQ(reads_expiring(6'000, 6'500, ""), "");
  EXPECT_EQ(reads_expiring(9'500, 9'600, ""), "");
  EXPECT_EQ(reads_expiring(5'000, 5'500, "1"), "outlived-deadline");
  EXPECT_EQ(reads_expiring(4'000, 4'500, ""), "early-expiry");
}

std::string guarded(int64_t exec_at, std::string_view value) {
  Script script = two_states();
  script.watch(1'200, 1'300, "kv1:0/a");
  script.exec(exec_at, exec_at + 100, {"kv1:0/a"},
              value.empty() ? std::vector<std::string>() : std::vector{std::string(value)});
  return script.anomaly();
}

TEST(ReplicaWatch, FailsWhereTheKeyChangedAndOnlyThere) {
  EXPECT_EQ(guarded(1'500, "1"), "");
  EXPECT_EQ(guarded(1'950, "1"), "");
  EXPECT_EQ(guarded(1'950, ""), "");
  EXPECT_EQ(guarded(2'500, ""), "");
  EXPECT_EQ(guarded(1'500, ""), "spurious-abort");
  EXPECT_EQ(guarded(2'500, "2"), "lost-watch");
}

TEST(ReplicaWatch, FailsAfterAFullResyncEvenToTheSameData) {
  for (const bool runs : {false, true}) {
    Script script = two_states();
    script.watch(2'200, 2'300, "kv1:0/a");
    script.state(2'400, 1, 20, kSecond, Reason::kReplaced);
    script.exec(2'500, 2'600, {"kv1:0/b"},
                runs ? std::vector<std::string>{"2"} : std::vector<std::string>());
    EXPECT_EQ(script.anomaly(), runs ? "lost-watch" : "");
  }
}

TEST(ReplicaWatch, AFullResyncLeavesAMissingKeyMissing) {
  Script script = two_states();
  script.watch(2'200, 2'300, "kv1:0/c");
  script.state(2'400, 1, 20, kSecond, Reason::kReplaced);
  script.exec(2'500, 2'600, {"kv1:0/b"}, {"2"});
  EXPECT_EQ(script.anomaly(), "");
}

TEST(ReplicaWatch, FailsWhereTheKeyExpired) {
  for (const bool runs : {false, true}) {
    for (const int64_t watch_at : {4'000, 6'000}) {
      Script script;
      script.state(0, 0, 10, {{"0/a", {"1", 5'000}}}, Reason::kReplaced);
      script.watch(watch_at, watch_at + 100, "kv0:0/a");
      // A removal of what was past its deadline already changes nothing.
      script.state(6'500, 0, 30, {});
      script.exec(7'000, 7'100, {"kv0:0/b"},
                  runs ? std::vector<std::string>{""} : std::vector<std::string>());
      const std::string expected = watch_at == 4'000 && runs ? "lost-watch" : "";
      EXPECT_EQ(script.anomaly(), expected) << runs << watch_at;
    }
  }
}

TEST(ReplicaExpiry, OfAClockThatIsOffIsJudgedByHowMuch) {
  const auto reads_at = [](int64_t from, std::string_view value, int64_t skew) {
    Script script;
    script.state(0, 0, 10, {{"0/a", {"1", 5'000}}, {"0/b", {"1", 0}}}, Reason::kReplaced);
    script.get(from, from + 100, "kv0:0/a", value);
    return script.anomaly(Micros(skew));
  };
  EXPECT_EQ(reads_at(5'500, "1", 600), "");
  EXPECT_EQ(reads_at(5'500, "1", 500), "outlived-deadline");
  EXPECT_EQ(reads_at(4'400, "", 500), "");
  EXPECT_EQ(reads_at(4'400, "", 400), "early-expiry");
  EXPECT_EQ(reads_at(100'000, "1", 500), "outlived-deadline");
}

TEST(ReplicaExpiry, IsByTheClockOfTheNodeThatIsRead) {
  const auto reads_at = [](int64_t from, std::string_view value, ClockErrors clock) {
    Script script;
    script.state(0, 0, 10, {{"0/a", {"1", 5'000}}}, Reason::kReplaced);
    script.state(0, 1, 10, {{"0/a", {"1", 5'000}}}, Reason::kReplaced);
    script.get(from, from + 100, "kv1:0/a", value);
    return script.anomaly({{}, clock});
  };
  const ClockErrors ahead{Micros(2'000), Micros(2'000)};
  EXPECT_EQ(reads_at(2'850, "1", ahead), "");
  EXPECT_EQ(reads_at(2'850, "", ahead), "early-expiry");
  EXPECT_EQ(reads_at(3'000, "", ahead), "");
  EXPECT_EQ(reads_at(3'000, "1", ahead), "outlived-deadline");
  const ClockErrors behind{Micros(-2'000), Micros(-1'000)};
  EXPECT_EQ(reads_at(5'800, "", behind), "early-expiry");
  EXPECT_EQ(reads_at(6'500, "", behind), "");
  EXPECT_EQ(reads_at(6'500, "1", behind), "");
  EXPECT_EQ(reads_at(7'000, "1", behind), "outlived-deadline");
}

TEST(ReplicaExpiry, AKeyWithoutADeadlineStaysWhateverTheClock) {
  for (const bool runs : {false, true}) {
    Script script = two_states();
    script.watch(1'200, 1'300, "kv0:0/a");
    script.get(1'310, 1'320, "kv0:0/a", "2");
    script.exec(1'400, 1'500, {"kv0:0/a"},
                runs ? std::vector<std::string>{"2"} : std::vector<std::string>());
    EXPECT_EQ(script.anomaly(Micros(60'000'000)), runs ? "" : "spurious-abort");
    script.get(1'600, 1'700, "kv0:0/a", "1");
    EXPECT_EQ(script.anomaly(Micros(60'000'000)), runs ? "went-back" : "spurious-abort");
  }
  Script script = two_states();
  script.get(1'310, 1'320, "kv0:0/a", "");
  EXPECT_EQ(script.anomaly(Micros(60'000'000)), "no-such-state");
}

TEST(ReplicaWatch, AnExpiryThatAClockMayHaveShiftedIsNotHeldAgainstIt) {
  for (const auto& [skew, expected] :
       {std::pair<int64_t, std::string>{0, "lost-watch"}, {3'000, ""}}) {
    Script script;
    script.state(0, 0, 10, {{"0/a", {"1", 5'000}}}, Reason::kReplaced);
    script.watch(1'000, 1'100, "kv0:0/a");
    script.exec(7'000, 7'100, {"kv0:0/b"}, {""});
    EXPECT_EQ(script.anomaly(Micros(skew)), expected) << skew;
  }
}

std::string waits(int64_t at, int64_t replicas) {
  Script script = two_states();
  script.set(900, 1'100, "kv0:0/a", "2");
  script.wait(1'200, at, replicas);
  return script.anomaly();
}

TEST(ReplicaWait, CountsWhoHoldsTheWrite) {
  EXPECT_EQ(waits(1'500, 0), "");
  EXPECT_EQ(waits(1'500, 1), "broken-wait");
  EXPECT_EQ(waits(2'500, 1), "");
  EXPECT_EQ(waits(2'500, 2), "broken-wait");
}

TEST(ReplicaWait, AWriteIsAmongTheDataOfItsNode) {
  Script script = two_states();
  script.set(900, 1'100, "kv0:0/a", "7");
  EXPECT_EQ(script.anomaly(), "unseen-write");
}

TEST(ReplicaClients, AKeyOfNoNodeIsNotDecided) {
  Script script = two_states();
  script.get(900, 1'100, "kv9:0/a", "1");
  EXPECT_EQ(script.judge().outcome, Outcome::kUndecided);
}

}  // namespace
}  // namespace seatrial::checkers
