// Transactions for the judges to agree on, and the slow and obvious judge: it tries every serial
// order, in which those of unknown outcome may be missing, and runs each on plain maps.
//
// Shares nothing with the checkers but the history.
#pragma once

#include "base/random.h"
#include "checkers/history.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::checkers {

// All keys: lists for rpush and lrange, single values (lists of one) for set and get.
using Lists = std::map<std::string, std::vector<Value>>;

// The answer of one command.
inline Value run_command(std::span<const Value> words, Lists& lists, Arena& arena) {
  std::vector<Value>& list = lists[std::string(words[1].as_text())];
  const std::string_view name = words[0].as_text();
  if (name == "get") return list.empty() ? Value() : list.back();
  if (name == "set") {
    list = {words[2]};
    return Value::text("OK");
  }
  if (name == "rpush") {
    list.push_back(words[2]);
    return Value::integer(static_cast<int64_t>(list.size()));
  }
  std::span<Value> copy = arena.make<Value>(list.size());
  std::ranges::copy(list, copy.begin());
  return Value::list(copy);
}

class SerialReference {
 public:
  explicit SerialReference(const History& history) : history_(history) {}

  // Whether some order explains every answer and keeps real time.
  bool explains() { return place(0, {}); }

 private:
  bool place(uint32_t placed, const Lists& lists) {
    const std::span<const Operation> operations = history_.operations();
    bool all = true;
    for (size_t i = 0; i < operations.size(); i++) {
      if (operations[i].ok() && (placed >> i & 1) == 0) all = false;
    }
    if (all) return true;
    for (size_t i = 0; i < operations.size(); i++) {
      if ((placed >> i & 1) != 0 || operations[i].failed() || !may_be_next(i, placed)) continue;
      Lists next = lists;
      if (runs(operations[i], next) && place(placed | 1U << i, next)) return true;
    }
    return false;
  }

  bool may_be_next(size_t i, uint32_t placed) const {
    const std::span<const Operation> operations = history_.operations();
    for (size_t other = 0; other < operations.size(); other++) {
      const bool before = operations[other].precedes(operations[i]);
      if (before && (placed >> other & 1) == 0) return false;
    }
    return true;
  }

  static bool runs(const Operation& operation, Lists& lists) {
    if (operation.ok() && operation.result.is_nil()) return true;
    Arena arena;
    const std::span<const Value> commands = operation.argument.items();
    for (size_t i = 0; i < commands.size(); i++) {
      const Value answer = run_command(commands[i].items(), lists, arena);
      if (!operation.ok()) continue;
      const Value& told = operation.result.items()[i];
      const bool untold = commands[i].items()[0].as_text() == "rpush" && told == Value::text("OK");
      if (!untold && told != answer) return false;
    }
    return true;
  }

  const History& history_;
};

struct SerialOptions {
  std::string type = "appendtxn";
  uint32_t clients = 3;
  uint32_t transactions_max = 6;
  uint32_t commands_max = 3;
  uint32_t keys = 2;
  double unknown = 0.15;
  double failed = 0.05;
  double torn = 0.1;     // Share of transactions that do not run at one instant.
  double spoilt = 0.05;  // Share of answers replaced by something near.
  double untold = 0.3;   // Share of histories in which rpush answers "OK".
};

// Clients run random transactions against plain maps, most of them at one instant between call
// and answer.
class SerialGenerator {
 public:
  SerialGenerator(const SerialOptions& options, base::RandomStream& random)
      : options_(options),
        random_(random),
        recorder_(options.type, options.clients),
        clients_(options.clients),
        untold_(random.chance(options.untold)) {}

  History make() && {
    const uint64_t count = 1 + random_.below(options_.transactions_max);
    uint64_t started = 0;
    while (true) {
      now_ += Micros(1);
      const auto client = static_cast<uint32_t>(random_.below(options_.clients));
      Client& state = clients_[client];
      if (!state.open && started < count) {
        begin(client);
        started++;
      } else if (state.open && random_.chance(0.7)) {
        run(state);
      }
      if (state.open && random_.chance(0.4)) finish(client);
      if (started == count && nobody_open()) break;
    }
    return std::move(recorder_).take();
  }

 private:
  struct Client {
    bool open = false;
    bool torn = false;
    bool fails = false;
    OperationId id = 0;
    std::vector<Value> answers;  // Of the commands run so far.
  };

  bool nobody_open() const {
    return std::ranges::none_of(clients_, [](const Client& client) { return client.open; });
  }

  Value key() { return Value::text(arena_.copy(fmt::format("k{}", random_.below(options_.keys)))); }

  void begin(uint32_t client) {
    const bool lists = options_.type == "appendtxn";
    std::vector<Value> commands;
    const uint64_t count = 1 + random_.below(options_.commands_max);
    for (uint64_t i = 0; i < count; i++) {
      std::array<Value, 3> words = {Value::text(lists ? "rpush" : "set"), key(),
                                    Value::integer(++last_value_)};
      if (random_.chance(0.5)) words[0] = Value::text(lists ? "lrange" : "get");
      const bool reads = words[0].as_text() == "lrange" || words[0].as_text() == "get";
      commands.push_back(Value::list(std::span(words).first(reads ? 2 : 3)).copy_to(arena_));
    }
    Client& state = clients_[client];
    state = Client();
    state.open = true;
    state.torn = random_.chance(options_.torn);
    state.fails = random_.chance(options_.failed);
    state.id = recorder_.invoke(now_, client, Function::kExec, Value::list(commands));
  }

  std::span<const Value> commands_of(const Client& state) const {
    return recorder_.history().find(state.id)->argument.items();
  }

  void run(Client& state) {
    if (state.fails && !state.torn) return;
    const std::span<const Value> commands = commands_of(state);
    while (state.answers.size() < commands.size()) {
      const Value& command = commands[state.answers.size()];
      Value answer = run_command(command.items(), lists_, arena_);
      if (untold_ && command.items()[0].as_text() == "rpush") answer = Value::text("OK");
      state.answers.push_back(random_.chance(options_.spoilt) ? spoilt(answer) : answer);
      if (state.torn) break;
    }
  }

  Value spoilt(const Value& answer) {
    if (answer.is_integer()) {
      return Value::integer(
          1 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(answer.as_integer()) + 1)));
    }
    if (answer.is_nil()) return Value::integer(1 + static_cast<int64_t>(random_.below(6)));
    if (!answer.is_list() || answer.items().empty()) return answer;
    std::vector<Value> items(answer.items().begin(), answer.items().end());
    if (random_.chance(0.6)) {
      items.pop_back();
    } else {
      std::swap(items.front(), items[random_.below(items.size())]);
    }
    return Value::list(items).copy_to(arena_);
  }

  void finish(uint32_t client) {
    Client& state = clients_[client];
    const bool ran = state.answers.size() == commands_of(state).size();
    if (state.fails) {
      state.open = false;
      return recorder_.fail(now_, state.id);
    }
    if (random_.chance(options_.unknown)) {
      state.open = false;
      return recorder_.info(now_, state.id);
    }
    if (!ran) return;
    state.open = false;
    recorder_.ok(now_, state.id, Value::list(state.answers));
  }

  SerialOptions options_;
  base::RandomStream& random_;
  Recorder recorder_;
  std::vector<Client> clients_;
  Lists lists_;
  Arena arena_;
  Micros now_{0};
  int64_t last_value_ = 0;
  bool untold_;
};

}  // namespace seatrial::checkers
