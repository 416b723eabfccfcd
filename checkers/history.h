// What clients saw: operations with their invocation, completion and outcome, in memory. Every
// checker reads a History; a workload makes one with a Recorder, hjl.h reads and writes files.
//
// The order of events is the real-time order: A precedes B where A's completion stands before
// B's invocation. Times are for windows (expiry) and for drawing. An operation whose outcome is
// kUnknown may take effect at any instant after its invocation, or never; one that is kFailed
// took none.
//
// Invariants: operations stand in the order of their invocation; ids are unique; a process has
// at most one operation open, and none after one of unknown outcome; time never runs back.
#pragma once

#include "base/error.h"
#include "checkers/arena.h"
#include "checkers/value.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seatrial::checkers {

using base::Result;
using Micros = std::chrono::microseconds;
using OperationId = int64_t;
using ProcessId = int64_t;
using KeyId = uint32_t;

inline constexpr KeyId kNoKey = std::numeric_limits<KeyId>::max();
inline constexpr uint32_t kNeverAt = std::numeric_limits<uint32_t>::max();

// What a client can ask. Argument and result of each are in the table of history.cc.
enum class Function : uint8_t {
  kGet,
  kSet,
  kCas,
  kDel,
  kIncr,
  kGetset,
  kAppend,
  kWatch,
  kExec,
  kWait,
  kAdmin,
  kFlush,
  kRead,
  kSend,
  kPoll,
  kListOffsets,
  kCreateTopic,
  kDescribeTopic,
  kProtest,
  kTxn,
  kAssign,
  kSubscribe,
  kJoin,
  kCommit,
  kCommitted,
  kWrite,
  kView,
  kSave,
  kStart,
  kStop,
  kPromote,
  kObserve,
  kCalm,
  kRpush,
  kLpop,
  kLrange,
  kHset,
  kHget,
  kHdel,
  kHgetall,
  kSadd,
  kSrem,
  kSismember,
  kSmembers,
  kZadd,
  kZrem,
  kZscore,
  kZrange,
  kIncrby,
  kDecrby,
};

std::string_view to_string(Function function);

enum class Completion : uint8_t {
  kOk,       // Took effect once, between its two events, with this result.
  kFailed,   // Certainly took no effect.
  kUnknown,  // May take effect at any instant after its invocation, or never.
};

struct Operation {
  OperationId id = 0;
  ProcessId process = 0;
  Value argument;  // Nil where there is none.
  Value result;    // Of kOk only.
  Micros invoke_time{0};
  Micros complete_time{0};
  uint32_t invoke_at = 0;           // Number of its event in the history.
  uint32_t complete_at = kNeverAt;  // kNeverAt where the history ends before.
  KeyId key = kNoKey;
  Function function = Function::kGet;
  Completion completion = Completion::kUnknown;

  bool ok() const { return completion == Completion::kOk; }
  bool failed() const { return completion == Completion::kFailed; }
  bool unknown() const { return completion == Completion::kUnknown; }
  // Real-time order.
  bool precedes(const Operation& other) const { return ok() && complete_at < other.invoke_at; }
};

// What a log had not made durable may be gone from here on.
struct Crash {
  Micros time{0};
  uint32_t at = 0;     // Number of its event in the history.
  KeyId key = kNoKey;  // Of one partition; kNoKey: of all.
};

// An operation with the outcome it is to count with: to explain a violation, known outcomes are
// weakened to unknown ones where the rest still contradicts itself.
struct Claim {
  const Operation* operation = nullptr;
  Completion completion = Completion::kOk;  // kOk or kUnknown.
};

class History {
 public:
  explicit History(std::string type) : type_(std::move(type)) {}
  History(History&&) = default;
  History& operator=(History&&) = default;

  // The history's type as files name it: "register", "kv", "txn", "kafka"...: README.md has all.
  const std::string& type() const { return type_; }
  std::span<const Operation> operations() const { return operations_; }
  // In the order of events.
  std::span<const Crash> crashes() const { return crashes_; }
  uint32_t events() const { return events_; }
  size_t keys() const { return key_names_.size(); }
  std::string_view key_name(KeyId key) const { return key_names_[key]; }
  // Other members of a file's header, as JSON members ("\"seed\":7"), kept for writing.
  const std::string& header_members() const { return header_members_; }
  // The operation of that id; null where there is none.
  const Operation* find(OperationId id) const;

 private:
  friend class HistoryBuilder;

  std::string type_;
  std::string header_members_;
  std::vector<Operation> operations_;
  std::vector<Crash> crashes_;
  std::vector<std::string_view> key_names_;
  std::unordered_map<std::string_view, KeyId> key_ids_;
  std::unordered_map<OperationId, uint32_t> by_id_;
  Arena arena_;
  uint32_t events_ = 0;
};

// Makes a History event by event, from a source that may be wrong: each call says what is wrong
// with its event, and has then changed nothing.
class HistoryBuilder {
 public:
  explicit HistoryBuilder(std::string type, std::string header_members = {});

  // About so many operations will come.
  void expect(size_t operations);

  Result<void> invoke(Micros time, OperationId id, ProcessId process, Function function,
                      std::string_view key, bool has_key, const Value& argument);
  // `result` counts for kOk only.
  Result<void> complete(Micros time, OperationId id, ProcessId process, Completion how,
                        const Value& result);
  // Of the partition `key`, or of all; in histories of logs only.
  Result<void> crash(Micros time, std::string_view key, bool has_key);

  const History& history() const { return history_; }
  History take() && { return std::move(history_); }

 private:
  struct Process {
    uint32_t open = kNeverAt;  // Index of its open operation.
    bool over = false;         // One of its operations ended as unknown.
  };

  Result<void> check_time(Micros time) const;
  KeyId intern(std::string_view key);

  History history_;
  std::unordered_map<ProcessId, Process> processes_;
  Micros last_time_{std::numeric_limits<int64_t>::min()};
};

// A workload's pen. Clients are numbered from 0 to clients - 1; after an unknown outcome a client
// goes on under a new process number (client + n * clients), as the format asks. Misuse is a bug
// in the workload and fails a CHECK. Values may point into the caller's memory: they are copied.
//
//   Recorder recorder("kvx", 3);
//   OperationId id = recorder.invoke(now, 0, Function::kIncr, "k1");
//   recorder.ok(now, id, Value::integer(1));
class Recorder {
 public:
  // `header_members`: further members of the file's header, as JSON ("\"seed\":7"), or empty.
  Recorder(std::string type, uint32_t clients, std::string header_members = {});

  OperationId invoke(Micros time, uint32_t client, Function function, std::string_view key,
                     const Value& argument = {});
  // For functions without a key: watch and exec.
  OperationId invoke(Micros time, uint32_t client, Function function, const Value& argument);
  void ok(Micros time, OperationId id, const Value& result);
  void fail(Micros time, OperationId id);
  void info(Micros time, OperationId id);
  // Every log may have lost what it had not made durable.
  void crash(Micros time);

  // The client lost its connection between two operations, and with it what it watched: it goes
  // on under a new process number, since a process keeps its watches.
  void reconnect(uint32_t client);

  // What was recorded so far; operations still open count as unknown.
  const History& history() const { return builder_.history(); }
  History take() && { return std::move(builder_).take(); }

 private:
  OperationId invoke(Micros time, uint32_t client, Function function, std::string_view key,
                     bool has_key, const Value& argument);
  void complete(Micros time, OperationId id, Completion how, const Value& result);

  HistoryBuilder builder_;
  std::vector<ProcessId> processes_;  // By client.
  uint32_t clients_;
  OperationId next_id_ = 0;
};

// Whether `type` is one that histories can have here; the error names those that there are.
Result<void> check_history_type(std::string_view type);
// The function of that name in histories of `type`; the error names those that there are.
Result<Function> parse_function(std::string_view type, std::string_view name);

// Whether key and argument are such as `function` takes in histories of `type`.
Result<void> check_argument(std::string_view type, Function function, bool has_key,
                            const Value& argument);
// Whether histories of this type tell of crashes.
bool has_crashes(std::string_view type);
// Whether `result` can be an answer at all, whatever the store holds.
Result<void> check_result(Function function, const Value& argument, const Value& result);

// "3: set k1 5 -> OK", for summaries.
std::string describe(const History& history, const Operation& operation);

}  // namespace seatrial::checkers
