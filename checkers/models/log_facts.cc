#include "checkers/models/log_facts.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

constexpr int64_t kAnyEnd = std::numeric_limits<int64_t>::max();

int64_t integer_or(const Value* value, int64_t otherwise) {
  return value == nullptr ? otherwise : value->as_integer();
}

bool is_topic(const Operation& operation) {
  return operation.function == Function::kCreateTopic ||
         operation.function == Function::kDescribeTopic;
}

bool is_send(const Operation& operation) {
  return operation.function == Function::kSend || operation.function == Function::kAppend;
}

// How many records a send holds.
int64_t count_of(const Operation& operation) {
  if (operation.function == Function::kAppend) return 1;
  return static_cast<int64_t>(operation.argument.find("v")->items().size());
}

int64_t acks_of(const Operation& operation) {
  return operation.function == Function::kAppend ? 1
                                                 : operation.argument.find("acks")->as_integer();
}

int64_t offset_of(const Value& result) {
  return result.is_list() ? result.items()[0].as_integer() : result.as_integer();
}

}  // namespace

int64_t visible_end(const Operation& operation) {
  if (!operation.ok()) return 0;
  const Value& result = operation.result;
  switch (operation.function) {
    case Function::kFlush: return result.as_integer();
    case Function::kRead:
    case Function::kPoll: {
      if (!result.is_object()) return 0;
      int64_t end = result.find("hw")->as_integer();
      for (const Value& record : result.find("recs")->items()) {
        end = std::max(end, record.items()[0].as_integer() + 1);
      }
      return end;
    }
    case Function::kListOffsets: {
      if (operation.argument == Value::text("earliest")) return 0;
      const int64_t offset = offset_of(result);
      return operation.argument.is_integer() ? offset + 1 : offset;
    }
    case Function::kSend:
      if (acks_of(operation) != kAllReplicas) return 0;
      return result.as_integer() + count_of(operation);
    default: return 0;
  }
}

bool LogPartition::crashed_between(uint32_t from, uint32_t to) const {
  const auto first = std::ranges::upper_bound(crashes, from);
  return first != crashes.end() && *first < to;
}

Micros LogPartition::reached(const std::vector<LogGrowth>& growth, int64_t offset) {
  const auto first = std::ranges::upper_bound(growth, offset, {}, &LogGrowth::end);
  return first == growth.end() ? Micros::max() : first->time;
}

// One walk over the events in their order: what is certain at each.
struct LogFacts::Sweep {
  struct Key {
    Known now;
    LogEnd topic;  // As a topic: partitions told.
    size_t epoch = 0;
    std::vector<int64_t> visible_in;  // By epoch: the greatest end told and asked within it.
  };

  explicit Sweep(const History& history)
      : keys(history.keys()),
        at_invoke(history.operations().size()),
        topic_at_invoke(history.operations().size()),
        epoch_at_invoke(history.operations().size()),
        one_epoch(history.operations().size()) {}

  void invoke(const Operation& operation, size_t index) {
    Key& key = keys[operation.key];
    at_invoke[index] = key.now;
    topic_at_invoke[index] = key.topic;
    epoch_at_invoke[index] = key.epoch;
  }

  void complete(const Operation& operation, size_t index, LogPartition& partition) {
    Key& key = keys[operation.key];
    one_epoch[index] = epoch_at_invoke[index] == key.epoch;
    if (!operation.ok()) return;
    if (is_topic(operation)) return raise(key.topic, partitions_told(operation), operation);
    const int64_t end = visible_end(operation);
    if (end > key.now.visible.end)
      partition.visible_growth.push_back({end, operation.complete_time});
    raise(key.now.visible, end, operation);
    key.now.start = std::max(key.now.start, start_told(operation));
    if (!one_epoch[index]) return;
    key.visible_in.resize(std::max(key.visible_in.size(), key.epoch + 1));
    key.visible_in[key.epoch] = std::max(key.visible_in[key.epoch], end);
    if (!is_send(operation) || operation.result.is_nil()) return;
    const int64_t appended = operation.result.as_integer() + count_of(operation);
    if (appended > key.now.appended.end) {
      partition.appended_growth.push_back({appended, operation.complete_time});
    }
    raise(key.now.appended, appended, operation);
  }

  void crash(Key& key, uint32_t at, LogPartition& partition) {
    key.epoch++;
    key.now.appended = {};
    partition.crashes.push_back(at);
    partition.appended_growth.clear();
  }

  static void raise(LogEnd& to, int64_t end, const Operation& by) {
    if (end > to.end) to = {end, &by};
  }
  static int64_t partitions_told(const Operation& operation) {
    return operation.function == Function::kCreateTopic ? operation.argument.as_integer()
                                                        : operation.result.as_integer();
  }
  static int64_t start_told(const Operation& operation) {
    if (operation.function == Function::kPoll && operation.result.is_object()) {
      return integer_or(operation.result.find("start"), 0);
    }
    const bool earliest = operation.function == Function::kListOffsets &&
                          operation.argument == Value::text("earliest");
    return earliest ? offset_of(operation.result) : 0;
  }

  std::vector<Key> keys;
  std::vector<Known> at_invoke;  // By operation, as those that follow.
  std::vector<LogEnd> topic_at_invoke;
  std::vector<size_t> epoch_at_invoke;
  std::vector<bool> one_epoch;  // No crash between its invocation and its completion.
};

LogFacts::LogFacts(const History& history) : history_(history), partitions_(history.keys()) {
  tells_flushes_ = history.type() == "log";
  for (KeyId key = 0; key < history.keys(); key++) partitions_[key].name = history.key_name(key);
  struct Event {
    const Operation* operation = nullptr;
    const Crash* crash = nullptr;
    size_t index = 0;
  };
  std::vector<Event> events(history.events());
  for (size_t i = 0; i < history.operations().size(); i++) {
    const Operation& operation = history.operations()[i];
    events[operation.invoke_at] = {&operation, nullptr, i};
    if (operation.complete_at != kNeverAt) events[operation.complete_at] = {&operation, nullptr, i};
  }
  for (const Crash& crash : history.crashes()) events[crash.at].crash = &crash;

  Sweep sweep(history);
  for (uint32_t at = 0; at < events.size(); at++) {
    const auto [operation, crash, index] = events[at];
    if (crash != nullptr) {
      for (KeyId key = 0; key < sweep.keys.size(); key++) {
        if (crash->key != kNoKey && crash->key != key) continue;
        sweep.crash(sweep.keys[key], at, partitions_[key]);
      }
    } else if (operation->invoke_at == at) {
      sweep.invoke(*operation, index);
      if (is_send(*operation)) add_send(*operation, sweep.at_invoke[index]);
    } else {
      sweep.complete(*operation, index, partitions_[operation->key]);
      if (!operation->ok()) continue;
      if (is_topic(*operation)) {
        topics_.push_back(
            {operation, Sweep::partitions_told(*operation), sweep.topic_at_invoke[index]});
      } else if (!is_send(*operation)) {
        add_answer(*operation, sweep.at_invoke[index]);
      }
    }
  }
  pin(sweep);
}

void LogFacts::add_record(LogPartition& partition, LogRecord record) {
  record.batch = partition.batches.size() - 1;
  const size_t index = partition.records.size();
  const auto [at, fresh] = partition.record_of.emplace(record.value, index);
  if (!fresh && ambiguity_.empty()) {
    const LogBatch& first = partition.batches[partition.records[at->second].batch];
    ambiguity_ =
        fmt::format("{} is sent to {} twice, by operations {} and {}", record.value.json(),
                    partition.name, first.operation->id, partition.batches.back().operation->id);
  }
  partition.records.push_back(record);
}

void LogFacts::add_send(const Operation& operation, const Known& known) {
  LogPartition& partition = partitions_[operation.key];
  LogBatch& batch = partition.batches.emplace_back();
  batch.operation = &operation;
  batch.known = known;
  batch.acks = acks_of(operation);
  batch.first_record = partition.records.size();
  batch.count = static_cast<size_t>(count_of(operation));
  if (operation.ok() && operation.result.is_integer()) {
    batch.told = operation.result.as_integer();
  }
  if (operation.function == Function::kAppend) {
    return add_record(partition, {.value = operation.argument});
  }
  if (const Value* by = operation.argument.find("by")) batch.by = *by;
  batch.retried = integer_or(operation.argument.find("tries"), 1) > 1;
  for (const Value& item : operation.argument.find("v")->items()) {
    const std::span<const Value> parts = item.items();
    add_record(partition, {.value = parts[0],
                           .timestamp = parts.size() > 1 ? &parts[1] : nullptr,
                           .hash = parts.size() > 2 ? &parts[2] : nullptr});
  }
}

void LogFacts::add_answer(const Operation& operation, const Known& known) {
  LogPartition& partition = partitions_[operation.key];
  const Value& argument = operation.argument;
  const Value& result = operation.result;
  if (operation.function == Function::kFlush) return;
  if (operation.function == Function::kProtest) return protests_.push_back(&operation);
  if (operation.function == Function::kListOffsets) {
    partition.listings.push_back({.operation = &operation,
                                  .offset = offset_of(result),
                                  .timestamp = result.is_list() ? &result.items()[1] : nullptr,
                                  .known = known});
    return;
  }
  LogReading& reading = partition.readings.emplace_back();
  reading.operation = &operation;
  reading.known = known;
  if (operation.function == Function::kRead) {
    reading.from = argument.items()[0].as_integer();
    reading.limit = argument.items()[1].as_integer();
    reading.exact = true;
  } else {
    reading.from = integer_or(argument.find("from"), kNoOffset);
    reading.final = integer_or(argument.find("final"), 0) != 0;
    if (const Value* by = argument.find("by")) reading.by = *by;
    has_final_ = has_final_ || reading.final;
  }
  reading.out_of_range = !result.is_object();
  if (reading.out_of_range) return;
  reading.end = result.find("hw")->as_integer();
  reading.start = integer_or(result.find("start"), kNoOffset);
  reading.records = result.find("recs")->items();
}

void LogFacts::pin(const Sweep& sweep) {
  const std::span<const Operation> operations = history_.operations();
  std::vector<size_t> next(partitions_.size());  // By key: which of its batches comes next.
  for (size_t i = 0; i < operations.size(); i++) {
    const Operation& operation = operations[i];
    LogPartition& partition = partitions_[operation.key];
    if (operation.function == Function::kFlush && !operation.failed()) {
      partition.flushes.emplace_back(&operation,
                                     operation.ok() ? operation.result.as_integer() : kAnyEnd);
    }
    if (!is_send(operation)) continue;
    LogBatch& batch = partition.batches[next[operation.key]++];
    CHECK(batch.operation == &operation);
    const std::vector<int64_t>& visible = sweep.keys[operation.key].visible_in;
    const size_t epoch = sweep.epoch_at_invoke[i];
    batch.pinned = batch.told != kNoOffset && sweep.one_epoch[i] && epoch < visible.size() &&
                   visible[epoch] >= batch.told + static_cast<int64_t>(batch.count);
  }
}

}  // namespace seatrial::checkers
