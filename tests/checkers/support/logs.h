// Partitioned logs, as plainly as possible: a log in memory, small random histories of it, and the
// slow and obvious judge. Shares nothing with the checkers but the history.
//
// The judge keeps, event by event, every log that a correct one could be by then: its records, its
// durable end (the end of what can be found), and which operations have taken effect, each at some
// moment between its two events, those of unknown outcome at any later one or never. Where
// offsets.h promises less than a log that does everything at one instant, so does the judge:
//   - a flush may cover less than there is, and in steps: what it tells was the durable end at some
//     moment, and while or after it runs the end may rise as far as it tells, but no further;
//   - in "kafka" nobody tells of flushes: the durable end rises by itself, from batch to batch;
//   - a poll beyond the end may be refused or find nothing, unless it asks for more than was ever
//     sent, in the whole history: then it has to be refused;
//   - a poll ("kafka") may find less than there is, but something, also the front of a batch; a
//     read ("log") finds all, up to its limit.
#pragma once

#include "base/check.h"
#include "base/random.h"
#include "checkers/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace seatrial::checkers {

// One partition of a tiny history.
class PartitionReference {
 public:
  PartitionReference(const History& history, KeyId key) : history_(history), key_(key) {
    for (const Operation& operation : history.operations()) {
      if (operation.key == key) operations_.push_back({&operation, records_.size()});
      if (operation.key == key) add_records(operation);
    }
    CHECK(operations_.size() <= 32 && records_.size() <= kRecordsMax);
  }

  bool explains() {
    std::set<State> states = {State{}};
    for (uint32_t event = 0; event < history_.events() && !states.empty(); event++) {
      states = saturate(states);
      for (size_t i = 0; i < operations_.size(); i++) {
        const Operation& operation = *operations_[i].operation;
        if (operation.invoke_at == event) begin(i);
        if (operation.complete_at != event || !operation.ok()) continue;
        std::erase_if(states, [&](const State& state) { return !may_answer(state, i); });
      }
      for (const Crash& crash : history_.crashes()) {
        if (crash.at == event && (crash.key == kNoKey || crash.key == key_)) states = cut(states);
      }
    }
    return !states.empty();
  }

 private:
  static constexpr size_t kRecordsMax = 32;

  struct Sent {
    const Operation* operation = nullptr;
    size_t first = 0;  // In records_.
  };
  struct Record {
    Value value;
    const Value* time = nullptr;
    size_t left = 0;  // Records of its batch behind it.
  };
  struct State {
    uint32_t placed = 0;
    uint8_t durable = 0;
    uint8_t end = 0;
    std::array<uint8_t, kRecordsMax> records{};  // By offset, as numbers of records_.
    auto operator<=>(const State&) const = default;
  };

  static bool sends(const Operation& operation) {
    return operation.function == Function::kAppend || operation.function == Function::kSend;
  }
  // acks as sent; an append is told when it is appended.
  static int64_t acks(const Operation& operation) {
    return operation.function == Function::kAppend ? 1
                                                   : operation.argument.find("acks")->as_integer();
  }
  static size_t count(const Operation& operation) {
    return operation.function == Function::kAppend ? 1
                                                   : operation.argument.find("v")->items().size();
  }

  void add_records(const Operation& operation) {
    if (operation.function == Function::kAppend) records_.push_back({operation.argument});
    if (operation.function != Function::kSend) return;
    const std::span<const Value> batch = operation.argument.find("v")->items();
    for (size_t i = 0; i < batch.size(); i++) {
      const std::span<const Value> parts = batch[i].items();
      records_.push_back({parts[0], parts.size() > 1 ? &parts[1] : nullptr, batch.size() - 1 - i});
    }
  }

  void begin(size_t i) {
    const Operation& operation = *operations_[i].operation;
    if (operation.failed()) return;
    open_.push_back(i);
    if (operation.function != Function::kFlush) return;
    cover_ = std::max(cover_, operation.ok() ? operation.result.as_integer() : kAnyEnd);
  }

  bool may_answer(const State& state, size_t i) const {
    const auto& [operation, first] = operations_[i];
    if (sends(*operation) && acks(*operation) == 0) return true;
    if ((state.placed >> i & 1) == 0) return false;
    if (!sends(*operation) || acks(*operation) != -1) return true;
    const auto base = static_cast<size_t>(operation->result.as_integer());
    return base + count(*operation) <= state.durable && state.records[base] == first;
  }

  std::set<State> saturate(const std::set<State>& from) const {
    std::set<State> reached;
    std::vector<State> work;
    const auto reach = [&](State state) {
      look(state);
      if (reached.insert(state).second) work.push_back(state);
    };
    for (const State& state : from) reach(state);
    while (!work.empty()) {
      const State state = work.back();
      work.pop_back();
      for (const size_t i : open_) {
        if (std::optional<State> next = append(state, i)) reach(*next);
      }
      for (State next = state; next.durable < state.end;) {
        next.durable++;
        if (next.durable <= cover() && ends_batch(next, next.durable)) reach(next);
      }
    }
    return reached;
  }

  // Whatever can be answered now costs nothing, and waiting for it gains nothing.
  void look(State& state) const {
    for (const size_t i : open_) {
      const Operation& operation = *operations_[i].operation;
      if (operation.ok() && !sends(operation) && agrees(state, operation)) state.placed |= 1U << i;
    }
  }

  std::optional<State> append(const State& state, size_t i) const {
    const auto& [operation, first] = operations_[i];
    if (!sends(*operation) || (state.placed >> i & 1) != 0) return std::nullopt;
    const bool told = operation->ok() && operation->result.is_integer();
    if (told && operation->result.as_integer() != state.end) return std::nullopt;
    State next = state;
    next.placed |= 1U << i;
    for (size_t k = 0; k < count(*operation); k++) {
      next.records[next.end++] = static_cast<uint8_t>(first + k);
    }
    return next;
  }

  int64_t cover() const { return history_.type() == "log" ? cover_ : kAnyEnd; }

  bool ends_batch(const State& state, size_t end) const {
    return end == 0 || records_[state.records[end - 1]].left == 0;
  }

  std::set<State> cut(const std::set<State>& states) const {
    std::set<State> after;
    for (const State& state : states) {
      for (State next = state;; next.records[--next.end] = 0) {
        if (ends_batch(next, next.end)) after.insert(next);
        if (next.end == next.durable) break;
      }
    }
    return after;
  }

  bool agrees(const State& state, const Operation& operation) const {
    const Value& result = operation.result;
    switch (operation.function) {
      case Function::kFlush: return result.as_integer() == state.durable;
      case Function::kListOffsets:
        return result.as_integer() ==
               (operation.argument == Value::text("latest") ? state.durable : 0);
      case Function::kRead: {
        const std::span<const Value> a = operation.argument.items();
        const int64_t due = std::min(a[1].as_integer(), state.durable - a[0].as_integer());
        const auto found = static_cast<int64_t>(result.find("recs")->items().size());
        return found == std::max<int64_t>(due, 0) && finds(state, a[0].as_integer(), result);
      }
      case Function::kPoll: {
        const int64_t from = operation.argument.find("from")->as_integer();
        if (!result.is_object()) return from > state.durable;
        if (from > static_cast<int64_t>(records_.size())) return false;
        const bool none = result.find("recs")->items().empty();
        return (!none || from >= state.durable) && finds(state, from, result);
      }
      default: UNREACHABLE("function {}", to_string(operation.function));
    }
  }

  bool finds(const State& state, int64_t from, const Value& result) const {
    const Value* end = result.find("hw");
    if (end != nullptr && end->as_integer() != state.durable) return false;
    for (const Value& each : result.find("recs")->items()) {
      const std::span<const Value> found = each.items();
      if (found[0].as_integer() != from || from >= state.durable) return false;
      const Record& record = records_[state.records[static_cast<size_t>(from++)]];
      if (!(found[1] == record.value)) return false;
      if (found.size() > 2 && record.time != nullptr && !(found[2] == *record.time)) return false;
    }
    return true;
  }

  static constexpr int64_t kAnyEnd = std::numeric_limits<int64_t>::max();

  const History& history_;
  KeyId key_;
  std::vector<Sent> operations_;
  std::vector<Record> records_;
  std::vector<size_t> open_;  // Invoked and not failed; those of unknown outcome stay.
  int64_t cover_ = 0;         // What flushes up to now can have covered at most.
};

// Partitions have nothing to do with each other.
inline bool log_explains(const History& history) {
  for (KeyId key = 0; key < history.keys(); key++) {
    if (!PartitionReference(history, key).explains()) return false;
  }
  return true;
}

struct LogOptions {
  uint32_t clients = 3;
  uint32_t operations_max = 10;
  uint32_t partitions = 1;
  size_t batch_max = 1;  // Records of a send.
  double unknown = 0.15;
  double failed = 0.07;
  double crashes = 0.05;  // Of the steps.
  double spoilt = 0.08;   // Share of answers with something changed in them.
  double sins = 0.02;     // Share of steps at which the log itself goes astray.
  bool outlive = false;   // Who asked before a crash may be answered after it.
  bool settled = false;   // Crashes come while nothing is open, and no send may come late.

  // Where the checker may see less than there is (offsets.h).
  bool may_miss() const { return batch_max > 1 || (crashes > 0 && !settled); }
};

// A few clients run random operations against plain logs.
class LogGenerator {
 public:
  LogGenerator(std::string type, LogOptions options, base::RandomStream& random)
      : options_(options),
        random_(random),
        recorder_(type, options.clients),
        plain_(type == "log"),
        logs_(options.partitions) {
    clients_.resize(options.clients);
  }

  History make() && {
    const uint64_t operations = 1 + random_.below(options_.operations_max);
    uint64_t started = 0;
    const auto open = [&] {
      return std::ranges::any_of(clients_, [](const Client& client) { return client.open; });
    };
    while (started < operations || open()) {
      stir();
      const auto client = static_cast<uint32_t>(random_.below(options_.clients));
      Client& state = clients_[client];
      if (!state.open) {
        if (started == operations) continue;
        begin(client);
        started++;
      } else if (!state.done && random_.chance(0.6)) {
        if (state.planned != Completion::kFailed) perform(state);
        state.done = true;
      } else if (random_.chance(0.7)) {
        finish(client);
      }
    }
    return std::move(recorder_).take();
  }

 private:
  struct Record {
    int64_t value = 0;
    int64_t time = 0;
    size_t left = 0;  // Records of its batch behind it.
    bool operator==(const Record&) const = default;
  };
  struct Log {
    std::vector<Record> records;
    size_t durable = 0;
  };
  struct Answer {
    int64_t number = 0;  // An offset, or an end.
    std::vector<std::pair<int64_t, Record>> found;
    bool refused = false;
  };
  struct Client {
    bool open = false;
    bool done = false;
    Completion planned = Completion::kOk;
    OperationId id = 0;
    Function function = Function::kRead;
    size_t partition = 0;
    std::vector<Record> batch;
    int64_t acks = 1;
    int64_t from = 0;
    int64_t limit = 0;
    Answer answer;
  };

  // What happens beside the clients: late effects, flushes that nobody tells of, crashes, sins.
  void stir() {
    if (!late_.empty() && random_.chance(0.2)) {
      perform(late_.back());
      late_.pop_back();
    }
    Log& log = logs_[random_.below(logs_.size())];
    if (!plain_ && random_.chance(0.2)) flush(log, random_.below(log.records.size() + 1));
    const bool open = std::ranges::any_of(clients_, &Client::open);
    if (random_.chance(options_.crashes) && unknown_ <= 1 && !(options_.settled && open)) {
      for (Log& each : logs_) {
        const size_t lost = random_.below(each.records.size() - each.durable + 1);
        cut(each, each.records.size() - lost);
      }
      recorder_.crash(now());
      for (Client& each : clients_) {
        if (!options_.outlive && each.open && each.planned == Completion::kOk) {
          each.planned = Completion::kUnknown;
          unknown_++;
        }
      }
    }
    if (random_.chance(options_.sins)) sin(log);
  }

  static bool ends_batch(const Log& log, size_t end) {
    return end == 0 || end == log.records.size() || log.records[end - 1].left == 0;
  }
  static void flush(Log& log, size_t end) {
    while (!ends_batch(log, end)) end++;
    log.durable = std::max(log.durable, end);
  }
  static void cut(Log& log, size_t end) {
    while (!ends_batch(log, end)) end--;
    log.records.resize(end);
    log.durable = std::min(log.durable, end);
  }

  void sin(Log& log) {
    if (log.records.empty()) return;
    const size_t at = random_.below(log.records.size());
    switch (random_.below(6)) {
      case 0: return log.records.resize(at), cut(log, at);
      case 1: log.durable = at; return;
      case 2: return std::swap(log.records[at], log.records.back());
      case 3: log.records.push_back(log.records[at]); return;
      case 4: log.durable = log.records.size(); return;
      default: log.records[at].time++; return;
    }
  }

  void begin(uint32_t client) {
    Client& state = clients_[client];
    state = {};
    state.open = true;
    const double draw = random_.unit();
    if (draw < options_.unknown && unknown_ < 3) state.planned = Completion::kUnknown;
    if (state.planned == Completion::kUnknown) unknown_++;
    if (draw > 1 - options_.failed) state.planned = Completion::kFailed;
    state.partition = random_.below(logs_.size());
    Arena arena;
    const Value argument = pick(state, arena);
    state.id = recorder_.invoke(now(), client, state.function, fmt::format("t-{}", state.partition),
                                argument);
  }

  Value pick(Client& state, Arena& arena) {
    const uint64_t die = random_.below(8);
    if (die < 4) return pick_records(state, arena);
    if (die == 4) {
      state.function = plain_ ? Function::kFlush : Function::kListOffsets;
      return plain_ ? Value() : Value::text("latest");
    }
    state.function = plain_ ? Function::kRead : Function::kPoll;
    const size_t end = logs_[state.partition].records.size();
    if (random_.chance(0.5)) state.from = static_cast<int64_t>(random_.below(end + 2));
    state.limit = static_cast<int64_t>(random_.chance(0.6) ? 9 : random_.below(3));
    const Value from = Value::integer(state.from);
    if (!plain_) return Value::object(std::array{Value::text("from"), from}).copy_to(arena);
    return Value::list(std::array{from, Value::integer(state.limit)}).copy_to(arena);
  }

  Value pick_records(Client& state, Arena& arena) {
    state.function = plain_ ? Function::kAppend : Function::kSend;
    const size_t count = plain_ ? 1 : 1 + random_.below(options_.batch_max);
    std::vector<Value> values;
    for (size_t i = 0; i < count; i++) {
      const Record record = {++last_, random_.between(0, 3), count - 1 - i};
      state.batch.push_back(record);
      values.push_back(
          Value::list(std::array{Value::integer(record.value), Value::integer(record.time)})
              .copy_to(arena));
    }
    if (plain_) return Value::integer(last_);
    state.acks = random_.chance(0.5) ? -1 : 1;
    if (random_.chance(0.2) && unknown_ < 3 && !options_.settled) {
      state.acks = 0;
      unknown_++;
    }
    return Value::object(std::array{Value::text("acks"), Value::integer(state.acks),
                                    Value::text("v"), Value::list(values)})
        .copy_to(arena);
  }

  void perform(Client& state) {
    Log& log = logs_[state.partition];
    Answer& answer = state.answer;
    const auto end = static_cast<int64_t>(log.durable);
    switch (state.function) {
      case Function::kAppend:
      case Function::kSend:
        answer.number = static_cast<int64_t>(log.records.size());
        log.records.insert(log.records.end(), state.batch.begin(), state.batch.end());
        return;
      case Function::kFlush:
        flush(log, log.records.size());
        answer.number = static_cast<int64_t>(log.durable);
        return;
      case Function::kListOffsets: answer.number = end; return;
      default: break;
    }
    answer.number = end;
    answer.refused = !plain_ && state.from > end;
    const int64_t last = std::min(end, state.from + (plain_ ? state.limit : state.limit + 1));
    for (int64_t at = state.from; at < last; at++) {
      answer.found.emplace_back(at, log.records[static_cast<size_t>(at)]);
    }
  }

  void finish(uint32_t client) {
    Client& state = clients_[client];
    if (state.planned == Completion::kOk && !state.done) return;
    state.open = false;
    if (state.planned == Completion::kFailed) return recorder_.fail(now(), state.id);
    const bool lost = state.acks < 0 && !keeps(state) && !options_.settled;
    if (state.planned == Completion::kUnknown || lost) {
      if (!state.done && random_.chance(0.6)) late_.push_back(state);
      return recorder_.info(now(), state.id);
    }
    if (random_.chance(options_.spoilt)) spoil(state);
    Arena arena;
    recorder_.ok(now(), state.id, answer(state, arena));
  }

  // Whether all of a batch is still there, and from now on for good.
  bool keeps(const Client& state) {
    Log& log = logs_[state.partition];
    const auto base = static_cast<size_t>(state.answer.number);
    const size_t end = base + state.batch.size();
    if (log.records.size() < end || log.records[base] != state.batch[0]) return false;
    flush(log, end);
    return true;
  }

  void spoil(Client& state) {
    Answer& answer = state.answer;
    auto& found = answer.found;
    const uint64_t die = random_.below(found.empty() ? 3 : 9);
    if (die < 2) answer.number = std::max<int64_t>(0, answer.number + random_.between(-1, 1));
    if (die == 2) {
      answer.refused = !answer.refused && !plain_ && state.function == Function::kPoll;
      answer.number = random_.between(0, last_);
    }
    if (die < 3) return;
    const size_t at = random_.below(found.size());
    const auto place = found.begin() + static_cast<ptrdiff_t>(at);
    switch (die) {
      case 3: found.erase(place); return;
      case 4: found.insert(place, *place); return;
      case 5: return std::swap(found[at].second, found.front().second);
      case 6: found[at].second.value = random_.between(1, last_ + 1); return;
      case 7: found[at].second.time++; return;
      default: found.emplace_back(found.back().first + 1, Record{random_.between(1, last_), 0});
    }
  }

  Value answer(const Client& state, Arena& arena) {
    const Value number = Value::integer(state.answer.number);
    if (state.function == Function::kSend && state.acks == 0) return {};
    if (state.function != Function::kRead && state.function != Function::kPoll) return number;
    if (state.answer.refused) return Value::text("out-of-range");
    std::vector<Value> records;
    for (const auto& [offset, record] : state.answer.found) {
      const std::array parts = {Value::integer(offset), Value::integer(record.value),
                                Value::integer(record.time)};
      records.push_back(Value::list(std::span(parts).first(plain_ ? 2 : 3)).copy_to(arena));
    }
    const std::array parts = {Value::text("hw"), number, Value::text("recs"), Value::list(records)};
    const bool told = plain_ || random_.chance(0.7);
    return Value::object(std::span(parts).subspan(told ? 0 : 2)).copy_to(arena);
  }

  Micros now() { return Micros(events_++); }

  LogOptions options_;
  base::RandomStream& random_;
  Recorder recorder_;
  bool plain_;
  std::vector<Log> logs_;
  std::vector<Client> clients_;
  std::vector<Client> late_;  // Of unknown outcome, and yet to take effect.
  int unknown_ = 0;  // Operations of which nobody is told whether they happened; judging doubles.
  int64_t last_ = 0;
  int64_t events_ = 0;
};

}  // namespace seatrial::checkers
