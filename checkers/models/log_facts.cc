#include "checkers/models/log_facts.h"

#include "base/check.h"
#include "checkers/log_shapes.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

constexpr int64_t kAnyEnd = std::numeric_limits<int64_t>::max();
// More than any client has time for; what a history claims must not cost memory without end.
constexpr int64_t kTriesMax = 1 << 14;

int64_t integer_or(const Value* value, int64_t otherwise) {
  return value == nullptr ? otherwise : value->as_integer();
}

bool is_topic(Function function) {
  return function == Function::kCreateTopic || function == Function::kDescribeTopic;
}

bool is_send(Function function) {
  return function == Function::kSend || function == Function::kAppend;
}

// Whether it asks one partition something, or a topic.
bool has_one_partition(Function function) {
  switch (function) {
    case Function::kTxn:
    case Function::kAssign:
    case Function::kSubscribe:
    case Function::kJoin:
    case Function::kCommit:
    case Function::kCommitted: return false;
    default: return true;
  }
}

int64_t offset_of(const Value& result) {
  return result.is_list() ? result.items()[0].as_integer() : result.as_integer();
}

}  // namespace

// One of an operation's sends, polls, ...: most have one, a transaction may have many.
struct LogFacts::Part {
  const Operation* operation = nullptr;
  const Value* argument = nullptr;
  const Value* result = nullptr;  // Null where there is none.
  uint32_t partition = 0;
  Function function = Function::kGet;
  size_t batch = 0;  // Of a send, in its partition.

  bool sends() const { return is_send(function); }
  // How many records a send holds.
  int64_t count() const {
    if (function == Function::kAppend) return 1;
    return static_cast<int64_t>(argument->find("v")->items().size());
  }
  int64_t acks() const {
    if (function == Function::kAppend) return 1;
    return integer_or(argument->find("acks"), kAllReplicas);
  }
  // The end up to which its answer shows the partition to be visible; 0: it says nothing.
  int64_t visible_end(bool has_transactions) const;
  int64_t start_told() const;
};

int64_t LogFacts::Part::visible_end(bool has_transactions) const {
  if (result == nullptr) return 0;
  switch (function) {
    case Function::kFlush: return result->as_integer();
    case Function::kRead:
    case Function::kPoll: {
      if (!result->is_object()) return 0;
      int64_t end = integer_or(result->find("hw"), 0);
      for (const Value& record : result->find("recs")->items()) {
        end = std::max(end, record.items()[0].as_integer() + 1);
      }
      return end;
    }
    case Function::kListOffsets: {
      if (*argument == Value::text("earliest")) return 0;
      const int64_t offset = offset_of(*result);
      return argument->is_integer() ? offset + 1 : offset;
    }
    case Function::kSend:
      // Behind an open transaction, what is there cannot be found yet.
      if (has_transactions || acks() != kAllReplicas || result->is_nil()) return 0;
      return result->as_integer() + count();
    default: return 0;
  }
}

int64_t LogFacts::Part::start_told() const {
  if (function == Function::kPoll && result->is_object()) {
    return integer_or(result->find("start"), 0);
  }
  const bool earliest = function == Function::kListOffsets && *argument == Value::text("earliest");
  return earliest ? offset_of(*result) : 0;
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

  Sweep(std::vector<Part> all, size_t partitions, bool transactions)
      : parts(std::move(all)),
        keys(partitions),
        at_invoke(parts.size()),
        topic_at_invoke(parts.size()),
        epoch_at_invoke(parts.size()),
        one_epoch(parts.size()),
        has_transactions(transactions) {}

  void invoke(size_t index) {
    Key& key = keys[parts[index].partition];
    at_invoke[index] = key.now;
    topic_at_invoke[index] = key.topic;
    epoch_at_invoke[index] = key.epoch;
  }

  void complete(size_t index, LogPartition& partition) {
    const Part& part = parts[index];
    const Operation& operation = *part.operation;
    Key& key = keys[part.partition];
    one_epoch[index] = epoch_at_invoke[index] == key.epoch;
    if (part.result == nullptr) return;
    if (is_topic(part.function)) return raise(key.topic, partitions_told(part), operation);
    const int64_t end = part.visible_end(has_transactions);
    if (end > key.now.visible.end)
      partition.visible_growth.push_back({end, operation.complete_time});
    raise(key.now.visible, end, operation);
    key.now.start = std::max(key.now.start, part.start_told());
    if (!one_epoch[index]) return;
    key.visible_in.resize(std::max(key.visible_in.size(), key.epoch + 1));
    key.visible_in[key.epoch] = std::max(key.visible_in[key.epoch], end);
    if (!part.sends() || part.result->is_nil()) return;
    const int64_t appended = part.result->as_integer() + part.count();
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
  static int64_t partitions_told(const Part& part) {
    return part.function == Function::kCreateTopic ? part.argument->as_integer()
                                                   : part.result->as_integer();
  }

  std::vector<Part> parts;
  std::vector<Key> keys;
  std::vector<Known> at_invoke;  // By part, as those that follow.
  std::vector<LogEnd> topic_at_invoke;
  std::vector<size_t> epoch_at_invoke;
  std::vector<bool> one_epoch;  // No crash between its invocation and its completion.
  bool has_transactions = false;
};

LogFacts::LogFacts(const History& history) : history_(history) {
  tells_flushes_ = history.type() == "log";
  name_partitions();
  sparse_ = has_transactions_ || is_sparse_log(history);
  struct Event {
    const Operation* operation = nullptr;
    const Crash* crash = nullptr;
    size_t first_part = 0;
    size_t parts = 0;
  };
  std::vector<Event> events(history.events());
  std::vector<Part> all;
  for (const Operation& operation : history.operations()) {
    Event event = {&operation, nullptr, all.size()};
    add_parts(operation, all);
    event.parts = all.size() - event.first_part;
    events[operation.invoke_at] = event;
    if (operation.complete_at != kNeverAt) events[operation.complete_at] = event;
  }
  for (const Crash& crash : history.crashes()) events[crash.at].crash = &crash;

  Sweep sweep(std::move(all), partitions_.size(), has_transactions_);
  for (uint32_t at = 0; at < events.size(); at++) {
    const Event& event = events[at];
    if (event.crash != nullptr) {
      for (uint32_t key = 0; key < sweep.keys.size(); key++) {
        if (event.crash->key != kNoKey && event.crash->key != key) continue;
        sweep.crash(sweep.keys[key], at, partitions_[key]);
      }
      continue;
    }
    const bool invoked = event.operation->invoke_at == at;
    if (invoked && event.parts == 0) add_choice(*event.operation);
    for (size_t i = event.first_part; i < event.first_part + event.parts; i++) {
      Part& part = sweep.parts[i];
      if (invoked) {
        sweep.invoke(i);
        if (part.sends()) add_send(part, sweep.at_invoke[i]);
        continue;
      }
      sweep.complete(i, partitions_[part.partition]);
      if (part.result == nullptr) continue;
      if (is_topic(part.function)) {
        topics_.push_back({part.operation, Sweep::partitions_told(part), sweep.topic_at_invoke[i]});
      } else if (!part.sends()) {
        add_answer(part, sweep.at_invoke[i]);
      }
    }
  }
  pin(sweep);
}

// All partitions that the history names, those of its transactions at last.
void LogFacts::name_partitions() {
  for (KeyId key = 0; key < history_.keys(); key++) partition_of(history_.key_name(key));
  for (const Operation& operation : history_.operations()) {
    if (operation.function != Function::kTxn) continue;
    has_transactions_ = true;
    for (const Value& step : operation.argument.find("ops")->items()) {
      partition_of(step.items()[1].as_text());
    }
  }
}

uint32_t LogFacts::partition_of(std::string_view name) {
  const auto [at, fresh] = partition_ids_.emplace(name, static_cast<uint32_t>(partitions_.size()));
  if (fresh) partitions_.emplace_back().name = name;
  return at->second;
}

void LogFacts::add_parts(const Operation& operation, std::vector<Part>& parts) {
  if (has_one_partition(operation.function)) {
    parts.push_back({&operation, &operation.argument, operation.ok() ? &operation.result : nullptr,
                     operation.key, operation.function});
  }
  if (operation.function != Function::kTxn) return;
  const std::span<const Value> steps = operation.argument.find("ops")->items();
  for (size_t i = 0; i < steps.size(); i++) {
    const std::span<const Value> words = steps[i].items();
    const bool sends = words[0] == Value::text("send");
    parts.push_back({&operation, &words[2], operation.ok() ? &operation.result.items()[i] : nullptr,
                     partition_of(words[1].as_text()), sends ? Function::kSend : Function::kPoll});
  }
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

// An idempotent producer sends the same batch again as often as it must.
bool LogFacts::joins_earlier_attempt(const Part& part, LogPartition& partition, size_t& batch) {
  const Value* pid = part.argument->find("pid");
  if (pid == nullptr) return false;
  const std::string sequence =
      fmt::format("{}/{}/{}", pid->json(), part.argument->find("epoch")->as_integer(),
                  part.argument->find("seq")->as_integer());
  const auto [at, fresh] = partition.batch_of.emplace(sequence, partition.batches.size());
  if (fresh) return false;
  batch = at->second;
  const LogBatch& earlier = partition.batches[batch];
  const std::span<const Value> records = part.argument->find("v")->items();
  bool same = records.size() == earlier.count;
  for (size_t i = 0; same && i < records.size(); i++) {
    same = records[i].items()[0] == partition.records[earlier.first_record + i].value;
  }
  if (!same && ambiguity_.empty()) {
    ambiguity_ = fmt::format("operations {} and {} send different records to {} as batch {}",
                             earlier.operation->id, part.operation->id, partition.name, sequence);
  }
  return true;
}

void LogFacts::add_send(Part& part, const Known& known) {
  LogPartition& partition = partitions_[part.partition];
  if (part.function == Function::kAppend || !joins_earlier_attempt(part, partition, part.batch)) {
    part.batch = partition.batches.size();
    LogBatch& batch = partition.batches.emplace_back();
    batch.operation = part.operation;
    batch.known = known;
    batch.acks = part.acks();
    batch.first_record = partition.records.size();
    batch.count = static_cast<size_t>(part.count());
    add_records(part, partition);
  }
  LogBatch& batch = partition.batches[part.batch];
  batch.failed = batch.failed && part.operation->failed();
  if (part.result == nullptr || !part.result->is_integer()) return;
  const int64_t told = part.result->as_integer();
  if (batch.told == kNoOffset) {
    batch.told = told;
    batch.told_by = part.operation;
  } else if (batch.told != told) {
    partition.disputes.push_back({part.operation, part.batch, told});
  }
}

void LogFacts::add_records(const Part& part, LogPartition& partition) {
  const Value& argument = *part.argument;
  if (part.function == Function::kAppend) return add_record(partition, {.value = argument});
  LogBatch& batch = partition.batches.back();
  if (const Value* pid = argument.find("pid")) {
    batch.by = *pid;
  } else {
    batch.tries = std::clamp<int64_t>(integer_or(argument.find("tries"), 1), 1, kTriesMax);
    batch.retried = batch.tries > 1;
  }
  const Value* by = part.operation->argument.find("by");
  if (by != nullptr) batch.by = *by;
  for (const Value& item : argument.find("v")->items()) {
    const std::span<const Value> parts = item.items();
    add_record(partition, {.value = parts[0],
                           .timestamp = parts.size() > 1 ? &parts[1] : nullptr,
                           .hash = parts.size() > 2 ? &parts[2] : nullptr});
  }
}

void LogFacts::add_choice(const Operation& operation) {
  const bool subscribes = operation.function == Function::kSubscribe;
  if (!subscribes && operation.function != Function::kAssign) return;
  LogChoice choice = {.operation = &operation, .subscribes = subscribes};
  for (const Value& key : operation.argument.find(subscribes ? "topics" : "keys")->items()) {
    choice.keys.push_back(key.as_text());
  }
  std::ranges::sort(choice.keys);
  choices_[*operation.argument.find("by")].push_back(std::move(choice));
}

void LogFacts::add_answer(const Part& part, const Known& known) {
  LogPartition& partition = partitions_[part.partition];
  const Value& argument = *part.argument;
  const Value& result = *part.result;
  const Operation& operation = *part.operation;
  partition.greatest_start = std::max(partition.greatest_start, part.start_told());
  if (part.function == Function::kFlush) return;
  if (part.function == Function::kProtest) return protests_.push_back(&operation);
  if (part.function == Function::kListOffsets) {
    partition.listings.push_back({.operation = &operation,
                                  .offset = offset_of(result),
                                  .timestamp = result.is_list() ? &result.items()[1] : nullptr,
                                  .known = known});
    return;
  }
  LogReading& reading = partition.readings.emplace_back();
  reading.operation = &operation;
  reading.known = known;
  if (part.function == Function::kRead) {
    reading.from = argument.items()[0].as_integer();
    reading.limit = argument.items()[1].as_integer();
    reading.exact = true;
  } else {
    reading.from = integer_or(argument.find("from"), kNoOffset);
    reading.final = integer_or(argument.find("final"), 0) != 0;
    if (const Value* by = operation.argument.find("by")) reading.by = *by;
    if (const Value* group = argument.find("group")) reading.group = *group;
    has_final_ = has_final_ || reading.final;
  }
  reading.out_of_range = !result.is_object();
  if (reading.out_of_range) return;
  reading.rebalanced = integer_or(result.find("rebalanced"), 0) != 0;
  reading.end = integer_or(result.find("hw"), kNoOffset);
  reading.start = integer_or(result.find("start"), kNoOffset);
  reading.records = result.find("recs")->items();
}

void LogFacts::pin(const Sweep& sweep) {
  for (size_t i = 0; i < sweep.parts.size(); i++) {
    const Part& part = sweep.parts[i];
    LogPartition& partition = partitions_[part.partition];
    if (part.function == Function::kFlush && !part.operation->failed()) {
      const int64_t most = part.result == nullptr ? kAnyEnd : part.result->as_integer();
      partition.flushes.push_back({part.operation, most, sweep.at_invoke[i]});
    }
    if (!part.sends()) continue;
    LogBatch& batch = partition.batches[part.batch];
    if (batch.told_by != part.operation) continue;
    const std::vector<int64_t>& visible = sweep.keys[part.partition].visible_in;
    const size_t epoch = sweep.epoch_at_invoke[i];
    batch.pinned = sweep.one_epoch[i] && epoch < visible.size() &&
                   visible[epoch] >= batch.told + static_cast<int64_t>(batch.count);
  }
}

}  // namespace seatrial::checkers
