// Counters, lists, queues, hashes, sets and sorted sets, as plainly as possible: a store, small
// random histories of it, and the slow and obvious judge. Shares nothing with the checkers but the
// history.
#pragma once

#include "base/check.h"
#include "base/random.h"
#include "checkers/history.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace seatrial::checkers {

// Answers and contents as JSON texts: numbers and texts that look alike are the same.
inline std::string plain(const Value& value) {
  if (value.is_text()) return std::string(value.as_text());
  if (!value.is_list() && !value.is_object()) return value.json();
  std::string out = value.is_list() ? "[" : "{";
  for (const Value& item : value.items()) out += plain(item) + ",";
  return out;
}

struct PlainCollection {
  int64_t number = 0;
  std::deque<std::string> items;             // Lists, queues.
  std::map<std::string, std::string> cells;  // Hashes, sets, sorted sets.
  auto operator<=>(const PlainCollection&) const = default;

  std::string perform(const Operation& operation) {
    const Value& a = operation.argument;
    const auto put = [&](const std::string& cell, const std::string& value) {
      return cells.insert_or_assign(cell, value).second ? "1" : "0";
    };
    const auto look = [&](const std::string& cell) {
      const auto found = cells.find(cell);
      return found == cells.end() ? std::string("null") : found->second;
    };
    switch (operation.function) {
      case Function::kGet: return std::to_string(number);
      case Function::kIncr: return std::to_string(++number);
      case Function::kIncrby: return std::to_string(number += a.as_integer());
      case Function::kDecrby: return std::to_string(number -= a.as_integer());
      case Function::kRpush: items.push_back(plain(a)); return std::to_string(items.size());
      case Function::kLpop: return pop();
      case Function::kLrange: return list({items.begin(), items.end()});
      case Function::kHset: return put(plain(a.items()[0]), plain(a.items()[1]));
      case Function::kZadd: return put(plain(a.items()[1]), plain(a.items()[0]));
      case Function::kHget:
      case Function::kZscore: return look(plain(a));
      case Function::kSadd: return put(plain(a), "1");
      case Function::kSismember: return cells.contains(plain(a)) ? "1" : "0";
      case Function::kHdel:
      case Function::kSrem:
      case Function::kZrem: return std::to_string(cells.erase(plain(a)));
      case Function::kHgetall: return all('{', true);
      case Function::kSmembers: return all('[', false);
      case Function::kZrange: return ranked();
      default: break;
    }
    UNREACHABLE("function {}", to_string(operation.function));
  }

 private:
  std::string pop() {
    if (items.empty()) return "null";
    std::string item = items.front();
    items.pop_front();
    return item;
  }
  static std::string list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) out += text + ",";
    return out;
  }
  std::string all(char open, bool values) const {
    std::string out(1, open);
    for (const auto& [cell, value] : cells) out += cell + "," + (values ? value + "," : "");
    return out;
  }
  std::string ranked() const {
    std::vector<std::pair<int64_t, std::string>> order;
    for (const auto& [member, score] : cells) order.emplace_back(std::stoll(score), member);
    std::ranges::sort(order);
    std::string out = "[";
    for (const auto& [score, member] : order)
      out += "[" + member + "," + std::to_string(score) + ",,";
    return out;
  }
};

// Walks over the events of a tiny history of one key and keeps every state that a correct store
// could be in.
class CollectionReference {
 public:
  explicit CollectionReference(const History& history) : history_(history) {
    CHECK(history.operations().size() <= 32 && history.keys() <= 1);
  }

  bool explains() {
    std::set<State> states = {State{}};
    for (uint32_t event = 0; event < history_.events(); event++) {
      states = saturate(states);
      for (size_t i = 0; i < history_.operations().size(); i++) {
        const Operation& operation = history_.operations()[i];
        if (operation.invoke_at == event) open_.push_back(i);
        if (operation.complete_at != event || !operation.ok()) continue;
        std::erase_if(states, [&](const State& state) { return (state.placed >> i & 1) == 0; });
      }
      if (states.empty()) return false;
    }
    return true;
  }

 private:
  struct State {
    uint32_t placed = 0;
    PlainCollection content;
    auto operator<=>(const State&) const = default;
  };

  // A list that is a set may be told in any order; null is the counter's 0.
  bool agrees(const Operation& operation, std::string answer) const {
    if (!operation.ok()) return true;
    if (operation.function == Function::kRpush && operation.result == Value::text("OK"))
      return true;
    if (operation.function == Function::kGet && operation.result.is_nil()) return answer == "0";
    if (operation.function != Function::kSmembers) return answer == plain(operation.result);
    std::vector<std::string> members;
    for (const Value& item : operation.result.items()) members.push_back(plain(item));
    std::ranges::sort(members);
    std::string told = "[";
    for (const std::string& member : members) told += member + ",";
    return answer == told;
  }

  std::set<State> saturate(const std::set<State>& from) const {
    std::set<State> reached = from;
    std::vector<State> work(from.begin(), from.end());
    while (!work.empty()) {
      const State state = std::move(work.back());
      work.pop_back();
      for (size_t i : open_) {
        const Operation& operation = history_.operations()[i];
        if ((state.placed >> i & 1) != 0 || operation.failed()) continue;
        State next = state;
        next.placed |= 1U << i;
        if (!agrees(operation, next.content.perform(operation))) continue;
        if (reached.insert(next).second) work.push_back(std::move(next));
      }
    }
    return reached;
  }

  const History& history_;
  std::vector<size_t> open_;
};

struct CollectionOptions {
  uint32_t clients = 3;
  uint32_t operations_max = 10;
  double unknown = 0.15;
  double failed = 0.07;
  double spoilt = 0.1;      // Share of answers that come from a store gone astray.
  bool untold = false;      // Appends answer "OK".
  bool unique = false;      // No value is written twice.
  bool only_rises = false;  // Counters never count down.
};

// A few clients run random operations of one key against the plain store.
class CollectionGenerator {
 public:
  CollectionGenerator(std::string type, CollectionOptions options, base::RandomStream& random)
      : type_(type), options_(options), random_(random), recorder_(type, options.clients) {
    clients_.resize(options.clients);
  }

  History make() && {
    const uint64_t operations = 1 + random_.below(options_.operations_max);
    uint64_t started = 0;
    const auto open = [&] {
      return std::ranges::any_of(clients_, [](const Client& client) { return client.open; });
    };
    while (started < operations || open()) {
      if (!late_.empty() && random_.chance(0.2)) {
        perform(late_.back());
        late_.pop_back();
      }
      const auto client = static_cast<uint32_t>(random_.below(options_.clients));
      Client& state = clients_[client];
      if (!state.open) {
        if (started == operations) continue;
        begin(client);
        started++;
      } else if (!state.done && random_.chance(0.6)) {
        if (state.planned != Completion::kFailed) state.answer = perform(state.id);
        state.done = true;
      } else if (random_.chance(0.7)) {
        finish(client);
      }
    }
    return std::move(recorder_).take();
  }

 private:
  struct Client {
    bool open = false;
    bool done = false;
    Completion planned = Completion::kOk;
    OperationId id = 0;
    std::string answer;
  };

  std::string perform(OperationId id) { return store_.perform(*recorder_.history().find(id)); }

  Value number(uint64_t below) {
    return Value::integer(static_cast<int64_t>(random_.below(below)));
  }
  Value fresh() { return options_.unique ? Value::integer(++last_) : number(3); }

  void begin(uint32_t client) {
    Client& state = clients_[client];
    const double draw = random_.unit();
    state = {};
    state.open = true;
    if (draw < options_.unknown) state.planned = Completion::kUnknown;
    if (draw > 1 - options_.failed) state.planned = Completion::kFailed;
    std::array<Value, 2> pair;
    const auto [function, argument] = pick(pair);
    state.id = recorder_.invoke(now(), client, function, "k", argument);
  }

  std::pair<Function, Value> pick(std::array<Value, 2>& pair) {
    const uint64_t die = random_.below(8);
    if (type_ == "counter") {
      if (die < 3) return {Function::kGet, {}};
      if (die < 6) return {Function::kIncr, {}};
      const bool up = options_.only_rises || die == 6;
      return {up ? Function::kIncrby : Function::kDecrby, number(3)};
    }
    if (type_ == "list" || type_ == "queue") {
      if (die < 4) return {Function::kRpush, fresh()};
      if (type_ == "queue" || (die == 4 && !options_.unique)) return {Function::kLpop, {}};
      return {Function::kLrange, {}};
    }
    const Value cell = number(2);
    if (type_ == "set") {
      if (die < 3) return {Function::kSadd, cell};
      if (die < 5) return {Function::kSrem, cell};
      return {die < 7 ? Function::kSismember : Function::kSmembers, die < 7 ? cell : Value()};
    }
    const bool hash = type_ == "hash";
    if (die < 3) {
      pair = {cell, fresh()};
      if (!hash) std::swap(pair[0], pair[1]);
      return {hash ? Function::kHset : Function::kZadd, Value::list(pair)};
    }
    if (die == 3) return {hash ? Function::kHdel : Function::kZrem, cell};
    if (die < 6) return {hash ? Function::kHget : Function::kZscore, cell};
    return {hash ? Function::kHgetall : Function::kZrange, {}};
  }

  void finish(uint32_t client) {
    Client& state = clients_[client];
    if (state.planned == Completion::kOk && !state.done) return;
    state.open = false;
    if (state.planned == Completion::kFailed) return recorder_.fail(now(), state.id);
    if (state.planned == Completion::kUnknown) {
      if (!state.done && random_.chance(0.6)) late_.push_back(state.id);
      return recorder_.info(now(), state.id);
    }
    const Operation& operation = *recorder_.history().find(state.id);
    Arena arena;
    recorder_.ok(now(), state.id, answer(operation, state.answer, arena));
  }

  // Spoilt ones say what the store would answer now, or after something that never happened.
  Value answer(const Operation& operation, std::string text, Arena& arena) {
    if (random_.chance(options_.spoilt)) {
      PlainCollection other = store_;
      if (random_.chance(0.5)) stray(other);
      text = other.perform(operation);
    }
    switch (operation.function) {
      case Function::kRpush:
        if (options_.untold) return Value::text("OK");
        break;
      case Function::kGet:
        if (text == "0" && random_.chance(0.5)) return {};
        break;
      case Function::kLrange:
      case Function::kSmembers: return Value::list(numbers(text, arena));
      case Function::kHgetall: return object(text, arena);
      case Function::kZrange: return scored(text, arena);
      default: break;
    }
    return text == "null" ? Value() : Value::integer(std::stoll(text));
  }

  void stray(PlainCollection& other) {
    other.number += random_.between(-1, 1);
    const std::string item = std::to_string(random_.below(last_ + 3));
    if (random_.chance(0.5) && !other.items.empty()) {
      std::swap(other.items.front(), other.items.back());
    } else {
      other.items.push_back(item);
    }
    const std::string cell = std::to_string(random_.below(2));
    if (other.cells.erase(cell) == 0) other.cells[cell] = item;
  }

  static std::span<Value> numbers(const std::string& text, Arena& arena) {
    std::vector<Value> values;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find_first_of(",[{", at), text.size());
      if (end > at) values.push_back(Value::integer(std::stoll(text.substr(at, end - at))));
      at = end + 1;
    }
    std::span<Value> kept = arena.make<Value>(values.size());
    std::ranges::copy(values, kept.begin());
    return kept;
  }
  static Value object(const std::string& text, Arena& arena) {
    std::span<Value> items = numbers(text, arena);
    for (size_t i = 0; i < items.size(); i += 2) {
      items[i] = Value::text(arena.copy(std::to_string(items[i].as_integer())));
    }
    return Value::object(items);
  }
  static Value scored(const std::string& text, Arena& arena) {
    const std::span<Value> flat = numbers(text, arena);
    std::span<Value> pairs = arena.make<Value>(flat.size() / 2);
    for (size_t i = 0; i < pairs.size(); i++) pairs[i] = Value::list(flat.subspan(2 * i, 2));
    return Value::list(pairs);
  }

  Micros now() { return Micros(events_++); }

  std::string type_;
  CollectionOptions options_;
  base::RandomStream& random_;
  Recorder recorder_;
  std::vector<Client> clients_;
  std::vector<OperationId> late_;  // Of unknown outcome, and yet to take effect.
  PlainCollection store_;
  int64_t last_ = 0;
  int64_t events_ = 0;
};

}  // namespace seatrial::checkers
