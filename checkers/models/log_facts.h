// What a history of a log says, partition by partition, in a form that rules can look up: who sent
// what, who found what where, and, for each operation, what was already certain when it began.
//
// Histories of type "log" and "kafka" come out the same: an append is a send of one record that is
// acknowledged once appended (acks 1), a read is a poll, a flush tells the visible end. A txn is
// its sends and polls, each of them a part of the one operation.
#pragma once

#include "checkers/history.h"

#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seatrial::checkers {

inline constexpr int64_t kNoOffset = -1;
inline constexpr int64_t kAllReplicas = -1;  // acks: told when flushed.

// An end of a log, exclusive, and the operation that told it.
struct LogEnd {
  int64_t end = 0;
  const Operation* by = nullptr;
};

// What was certain when an operation was invoked.
struct Known {
  LogEnd visible;   // Offsets below are visible, and so for ever.
  LogEnd appended;  // Offsets below were given away since the last crash.
  int64_t start = 0;
};

struct LogBatch {
  const Operation* operation =
      nullptr;                         // Its first attempt, where an idempotent producer has many.
  const Operation* told_by = nullptr;  // The attempt that was answered first.
  int64_t acks = 1;
  bool failed = true;    // All attempts did.
  bool retried = false;  // May stand there more than once...
  int64_t tries = 1;     // ...this often.
  bool pinned = false;   // Acknowledged without a flush, but known to be flushed before any crash.
  Value by;
  size_t first_record = 0;  // Of `count`, in LogPartition::records.
  size_t count = 0;
  int64_t told = kNoOffset;  // Base offset, from the reply.
  int64_t seen = kNoOffset;  // Base offset, from whoever polled one of its records first...
  const Operation* seen_by = nullptr;
  Known known;

  // Its offsets may never be anybody else's.
  bool durable() const { return told != kNoOffset && (acks == kAllReplicas || pinned); }
  int64_t base() const { return seen != kNoOffset ? seen : told; }
  // No crash took it.
  bool lasts() const { return seen != kNoOffset || durable(); }
};

struct LogRecord {
  Value value;
  const Value* timestamp = nullptr;
  const Value* hash = nullptr;
  size_t batch = 0;
  int64_t seen = kNoOffset;  // Where it was polled first...
  const Operation* seen_by = nullptr;
};

struct LogReading {
  const Operation* operation = nullptr;
  int64_t from = kNoOffset;  // As asked; kNoOffset: where the consumer stood.
  int64_t limit = std::numeric_limits<int64_t>::max();  // Records.
  bool exact = false;  // It gets all that there is, up to the limit.
  bool final = false;
  bool out_of_range = false;
  bool rebalanced = false;  // The consumer's partitions changed meanwhile.
  Value by;
  Value group;
  int64_t end = kNoOffset;  // As told.
  int64_t start = kNoOffset;
  std::span<const Value> records;  // Each [offset, value, ...].
  Known known;
};

struct LogListing {
  const Operation* operation = nullptr;
  int64_t offset = kNoOffset;
  const Value* timestamp = nullptr;
  Known known;
};

struct LogFlush {
  const Operation* operation = nullptr;
  int64_t most = 0;  // What it may have covered.
  Known known;
};

// An answer to an attempt of a batch that does not agree with an earlier one.
struct LogDispute {
  const Operation* attempt = nullptr;
  size_t batch = 0;
  int64_t told = kNoOffset;
};

// A consumer chose what it reads: partitions of its own, or topics, whose partitions then change
// without its asking.
struct LogChoice {
  const Operation* operation = nullptr;
  bool subscribes = false;
  std::vector<std::string_view> keys;  // Ascending.
};

// An end that was told for the first time, and when.
struct LogGrowth {
  int64_t end = 0;
  Micros time{0};
};

struct LogPartition {
  std::string_view name;
  std::vector<uint32_t> crashes;  // Numbers of their events.
  std::vector<LogBatch> batches;  // By invocation, as those that follow.
  std::vector<LogRecord> records;
  std::vector<LogReading> readings;  // That were answered; by completion.
  std::vector<LogListing> listings;  // Likewise.
  std::vector<LogFlush> flushes;     // By invocation.
  std::vector<LogDispute> disputes;
  std::unordered_map<Value, size_t, ValueHash> record_of;  // By value.
  std::unordered_map<std::string, size_t> batch_of;        // By an idempotent producer's sequence.
  std::vector<LogGrowth> visible_growth;                   // Ends and times, both ascending.
  std::vector<LogGrowth> appended_growth;                  // Since the last crash.
  int64_t greatest_start = 0;                              // As told by anybody.

  // A crash between the two events.
  bool crashed_between(uint32_t from, uint32_t to) const;
  // When it was first told that `offset` was below the end of a growth; Micros::max(): never.
  static Micros reached(const std::vector<LogGrowth>& growth, int64_t offset);
};

// Of a topic, not of a partition.
struct TopicTold {
  const Operation* operation = nullptr;
  int64_t partitions = 0;
  LogEnd known;  // What had been told before it began.
};

class LogFacts {
 public:
  explicit LogFacts(const History& history);

  // Those with a KeyId have its number, those that only transactions name follow; keys of topics
  // have nothing in them.
  std::vector<LogPartition>& partitions() { return partitions_; }
  const std::vector<LogPartition>& partitions() const { return partitions_; }
  const std::vector<TopicTold>& topics() const { return topics_; }
  // What the consumer of that name chose, by invocation; null: nothing.
  const std::vector<LogChoice>* choices_of(const Value& consumer) const {
    const auto found = choices_.find(consumer);
    return found == choices_.end() ? nullptr : &found->second;
  }
  // Answers that broke the protocol, as clients put it.
  const std::vector<const Operation*>& protests() const { return protests_; }
  bool has_final_readings() const { return has_final_; }
  bool has_transactions() const { return has_transactions_; }
  // Offsets have holes; only records that are known can be missed.
  bool is_sparse() const { return sparse_; }
  // A flush is an operation of its own, and nothing else makes records visible.
  bool tells_flushes() const { return tells_flushes_; }
  // Not empty: the same value was sent twice, so who wrote it cannot be told.
  const std::string& ambiguity() const { return ambiguity_; }

 private:
  struct Part;
  struct Sweep;

  void add_parts(const Operation& operation, std::vector<Part>& parts);
  uint32_t partition_of(std::string_view name);
  void name_partitions();
  void add_send(Part& part, const Known& known);
  void add_records(const Part& part, LogPartition& partition);
  bool joins_earlier_attempt(const Part& part, LogPartition& partition, size_t& batch);
  void add_record(LogPartition& partition, LogRecord record);
  void add_answer(const Part& part, const Known& known);
  void add_choice(const Operation& operation);
  void pin(const Sweep& sweep);

  const History& history_;
  std::vector<LogPartition> partitions_;
  std::unordered_map<std::string_view, uint32_t> partition_ids_;
  std::vector<TopicTold> topics_;
  std::unordered_map<Value, std::vector<LogChoice>, ValueHash> choices_;
  std::vector<const Operation*> protests_;
  bool has_final_ = false;
  bool has_transactions_ = false;
  bool sparse_ = false;
  bool tells_flushes_ = false;
  std::string ambiguity_;
};

}  // namespace seatrial::checkers
