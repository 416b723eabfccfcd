// Histories to measure checkers on: clients that always have an operation open, against a plain
// store that does one thing at a time. They are all correct, and the same at each run.
#pragma once

#include "base/random.h"
#include "checkers/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::bench {

using namespace checkers;

struct Case {
  std::string type;
  uint32_t clients = 50;
  uint64_t operations = 1000;
  uint32_t keys = 10;
  bool lengths = false;  // Queues: pushes answer the length, not "OK".
};

// Runs clients that always have an operation open: begun, then done by the store at some moment,
// then answered.
template <typename Client, typename Begin, typename Apply, typename Answer>
void drive(const Case& of, base::RandomStream& random, std::vector<Client>& clients, Begin begin,
           Apply apply, Answer answer) {
  uint64_t begun = 0;
  size_t open = 0;
  while (begun < of.operations || open > 0) {
    const auto number = static_cast<uint32_t>(random.below(of.clients));
    Client& client = clients[number];
    if (!client.open) {
      if (begun == of.operations) continue;
      begin(number, client);
      client.open = true;
      client.done = false;
      begun++;
      open++;
    } else if (!client.done) {
      apply(client);
      client.done = true;
    } else {
      answer(client);
      client.open = false;
      open--;
    }
  }
}

// A store of one key, with as much of each type as the workloads use.
struct Store {
  Value text;
  int64_t number = 0;
  std::deque<int64_t> items;
  std::map<std::string, int64_t> cells;
};

// Each operation of one key.
class KeyWorkload {
 public:
  explicit KeyWorkload(const Case& of)
      : of_(of),
        recorder_(of.type, of.clients),
        random_(7, "checkers bench"),
        clients_(of.clients) {}

  History make() && {
    drive(
        of_, random_, clients_,
        [this](uint32_t number, Client& client) {
          client = {.key = key()};
          choose(client);
          client.id =
              recorder_.invoke(now(), number, client.function, client.key, argument(client));
        },
        [this](Client& client) { apply(client); },
        [this](Client& client) { recorder_.ok(now(), client.id, result(client)); });
    return std::move(recorder_).take();
  }

 private:
  struct Client {
    bool open = false;
    bool done = false;
    std::string key;
    OperationId id = 0;
    Function function = Function::kGet;
    std::string cell;
    int64_t value = 0;
    Value seen;  // kv: what a cas expects.
    Value answer;
    std::vector<Value> many;
    std::vector<std::string> names;
  };

  Micros now() { return Micros(events_++); }

  // Lists only grow: a key is left alone after some appends.
  std::string key() {
    const uint64_t key = random_.below(of_.keys);
    return fmt::format("k{}",
                       of_.type == "list" ? key + of_.keys * (values_ / (64 * of_.keys)) : key);
  }

  void choose(Client& c) {
    c.value = ++values_;
    const bool read = random_.chance(0.5);
    const double draw = random_.unit();
    const uint64_t cell = random_.below(8);
    c.cell = of_.type == "set" ? fmt::format("{}", cell) : fmt::format("f{}", cell);
    if (of_.type == "register") c.function = read ? Function::kGet : Function::kSet;
    if (of_.type == "counter") c.function = read ? Function::kGet : Function::kIncr;
    if (of_.type == "list") c.function = read ? Function::kLrange : Function::kRpush;
    if (of_.type == "queue") c.function = read ? Function::kLpop : Function::kRpush;
    if (of_.type == "kv") {
      c.function = read          ? Function::kGet
                   : draw < 0.55 ? Function::kSet
                   : draw < 0.9  ? Function::kCas
                                 : Function::kDel;
      c.seen = stores_[c.key].text;
    }
    if (of_.type == "hash") {
      c.function = read ? (draw < 0.2 ? Function::kHgetall : Function::kHget)
                        : (draw < 0.15 ? Function::kHdel : Function::kHset);
    }
    if (of_.type == "set") {
      c.function = read ? (draw < 0.2 ? Function::kSmembers : Function::kSismember)
                        : (draw < 0.6 ? Function::kSadd : Function::kSrem);
    }
  }

  Value argument(const Client& c) {
    switch (c.function) {
      case Function::kSet:
      case Function::kRpush: return Value::integer(c.value);
      case Function::kCas: pair_ = {c.seen, Value::integer(c.value)}; return Value::list(pair_);
      case Function::kHset:
        pair_ = {Value::text(c.cell), Value::integer(c.value)};
        return Value::list(pair_);
      case Function::kHget:
      case Function::kHdel: return Value::text(c.cell);
      case Function::kSadd:
      case Function::kSrem:
      case Function::kSismember: return Value::integer(std::stoll(c.cell));
      default: return {};
    }
  }

  void apply(Client& c) {
    Store& store = stores_[c.key];
    const auto flag = [&](bool yes) { c.answer = Value::integer(yes ? 1 : 0); };
    switch (c.function) {
      case Function::kGet:
        c.answer = of_.type == "counter" ? Value::integer(store.number) : store.text;
        break;
      case Function::kIncr: c.answer = Value::integer(++store.number); break;
      case Function::kSet:
        store.text = Value::integer(c.value);
        c.answer = Value::text("OK");
        break;
      case Function::kCas:
        flag(store.text == c.seen);
        if (store.text == c.seen) store.text = Value::integer(c.value);
        break;
      case Function::kDel:
        flag(!store.text.is_nil());
        store.text = {};
        break;
      case Function::kRpush:
        store.items.push_back(c.value);
        c.answer = of_.type == "queue" && !of_.lengths
                       ? Value::text("OK")
                       : Value::integer(static_cast<int64_t>(store.items.size()));
        break;
      case Function::kLpop:
        c.answer = store.items.empty() ? Value() : Value::integer(store.items.front());
        if (!store.items.empty()) store.items.pop_front();
        break;
      case Function::kLrange:
        for (int64_t item : store.items) c.many.push_back(Value::integer(item));
        break;
      case Function::kHset:
      case Function::kSadd: flag(store.cells.insert_or_assign(c.cell, c.value).second); break;
      case Function::kHdel:
      case Function::kSrem: flag(store.cells.erase(c.cell) > 0); break;
      case Function::kSismember: flag(store.cells.contains(c.cell)); break;
      case Function::kHget:
        if (store.cells.contains(c.cell)) c.answer = Value::integer(store.cells[c.cell]);
        break;
      default:  // Reads of all.
        for (const auto& [name, value] : store.cells) {
          c.names.push_back(name);
          c.many.push_back(Value::integer(value));
        }
    }
  }

  Value result(Client& c) {
    if (c.function == Function::kLrange) return Value::list(c.many);
    if (c.function != Function::kHgetall && c.function != Function::kSmembers) return c.answer;
    members_.clear();
    for (size_t i = 0; i < c.names.size(); i++) {
      if (c.function == Function::kSmembers) {
        members_.push_back(Value::integer(std::stoll(c.names[i])));
      } else {
        members_.push_back(Value::text(c.names[i]));
        members_.push_back(c.many[i]);
      }
    }
    return c.function == Function::kHgetall ? Value::object(members_) : Value::list(members_);
  }

  const Case& of_;
  Recorder recorder_;
  base::RandomStream random_;
  std::vector<Client> clients_;
  std::map<std::string, Store> stores_;
  std::array<Value, 2> pair_;
  std::vector<Value> members_;
  int64_t values_ = 0;
  int64_t events_ = 0;
};

// Transactions: MULTI and EXEC with WATCH over values ("txn"), or appends and readings of lists
// ("appendtxn").
class TransactionWorkload {
 public:
  explicit TransactionWorkload(const Case& of)
      : of_(of),
        recorder_(of.type, of.clients),
        random_(7, "checkers bench"),
        clients_(of.clients) {}

  History make() && {
    drive(
        of_, random_, clients_, [this](uint32_t number, Client&) { begin(number); },
        [this](Client& client) { apply(client); },
        [this](Client& client) { recorder_.ok(now(), client.id, result(client)); });
    return std::move(recorder_).take();
  }

 private:
  struct Command {
    bool writes = false;
    uint32_t key = 0;
    int64_t value = 0;
    std::vector<Value> answer;  // Of lrange: the whole list; else one value.
  };
  struct Client {
    bool open = false;
    bool done = false;
    bool watches = false;  // This operation is a WATCH.
    bool aborted = false;
    OperationId id = 0;
    std::vector<Command> commands;              // Of EXEC; the keys of WATCH.
    std::map<uint32_t, uint64_t> watched = {};  // Key to version.
  };
  struct Key {
    std::vector<Value> items;  // Of a value: one, or none.
    uint64_t version = 0;
  };

  Micros now() { return Micros(events_++); }
  bool lists() const { return of_.type == "appendtxn"; }

  // A key is left alone after some appends.
  uint32_t key() {
    const auto key = static_cast<uint32_t>(random_.below(of_.keys));
    if (!lists()) return key;
    return key + of_.keys * static_cast<uint32_t>(values_ / (64 * of_.keys));
  }

  void begin(uint32_t number) {
    Client& client = clients_[number];
    client.aborted = false;
    client.watches = !lists() && client.watched.empty() && random_.chance(0.5);
    client.commands.clear();
    const uint64_t count = 1 + random_.below(client.watches ? 2 : 4);
    for (uint64_t i = 0; i < count; i++) {
      client.commands.push_back({.writes = random_.chance(0.5), .key = key(), .value = 0});
      if (client.commands.back().writes) client.commands.back().value = ++values_;
    }
    const Function function = client.watches ? Function::kWatch : Function::kExec;
    client.id = recorder_.invoke(now(), number, function, argument(client));
  }

  Value argument(const Client& client) {
    parts_.clear();
    names_.clear();
    words_.assign(client.commands.size(), {});
    for (const Command& command : client.commands)
      names_.push_back(fmt::format("k{}", command.key));
    for (size_t i = 0; i < client.commands.size(); i++) {
      const Command& command = client.commands[i];
      if (client.watches) {
        parts_.push_back(Value::text(names_[i]));
        continue;
      }
      const char* name = command.writes ? (lists() ? "rpush" : "set") : lists() ? "lrange" : "get";
      words_[i] = {Value::text(name), Value::text(names_[i])};
      if (command.writes) words_[i].push_back(Value::integer(command.value));
      parts_.push_back(Value::list(words_[i]));
    }
    return Value::list(parts_);
  }

  void apply(Client& client) {
    if (client.watches) {
      for (const Command& command : client.commands) {
        client.watched.try_emplace(command.key, store_[command.key].version);
      }
      return;
    }
    for (const auto& [key, version] : std::exchange(client.watched, {})) {
      client.aborted = client.aborted || store_[key].version != version;
    }
    if (client.aborted) return;
    for (Command& command : client.commands) perform(command);
  }

  void perform(Command& command) {
    Key& key = store_[command.key];
    if (command.writes) {
      if (!lists()) key.items.clear();
      key.items.push_back(Value::integer(command.value));
      key.version++;
      const auto length = static_cast<int64_t>(key.items.size());
      command.answer = {lists() ? Value::integer(length) : Value::text("OK")};
    } else if (lists()) {
      command.answer = key.items;
    } else {
      command.answer = {key.items.empty() ? Value() : key.items.back()};
    }
  }

  Value result(const Client& client) {
    if (client.watches) return Value::text("OK");
    if (client.aborted) return {};
    parts_.clear();
    for (const Command& command : client.commands) {
      const bool whole = lists() && !command.writes;
      parts_.push_back(whole ? Value::list(command.answer) : command.answer[0]);
    }
    return Value::list(parts_);
  }

  const Case& of_;
  Recorder recorder_;
  base::RandomStream random_;
  std::vector<Client> clients_;
  std::map<uint32_t, Key> store_;
  std::vector<Value> parts_;
  std::vector<std::string> names_;
  std::vector<std::vector<Value>> words_;
  int64_t values_ = 0;
  int64_t events_ = 0;
};

// A partitioned log: appends, flushes, and readers that follow it.
class LogWorkload {
 public:
  explicit LogWorkload(const Case& of)
      : of_(of),
        recorder_("log", of.clients),
        random_(7, "checkers bench"),
        clients_(of.clients),
        logs_(of.keys) {}

  History make() && {
    drive(
        of_, random_, clients_, [this](uint32_t number, Client&) { begin(number); },
        [this](Client& client) { apply(client); },
        [this](Client& client) { recorder_.ok(now(), client.id, result(client)); });
    return std::move(recorder_).take();
  }

 private:
  static constexpr int64_t kLimit = 10;  // Records of one answer.

  struct Client {
    bool open = false;
    bool done = false;
    Function function = Function::kRead;
    OperationId id = 0;
    size_t log = 0;
    int64_t value = 0;  // To append.
    int64_t from = 0;   // To read.
    int64_t answer = 0;
    std::map<size_t, int64_t> position = {};  // By log.
    std::vector<int64_t> records;
  };
  struct Log {
    std::vector<int64_t> records;
    int64_t durable = 0;
  };

  Micros now() { return Micros(events_++); }

  void begin(uint32_t number) {
    Client& client = clients_[number];
    const double draw = random_.unit();
    client.log = random_.below(of_.keys);
    client.function = draw < 0.5   ? Function::kAppend
                      : draw < 0.6 ? Function::kFlush
                                   : Function::kRead;
    client.value = ++values_;
    client.from = client.position[client.log];
    pair_ = {Value::integer(client.from), Value::integer(kLimit)};
    const Value argument = client.function == Function::kAppend ? Value::integer(client.value)
                           : client.function == Function::kRead ? Value::list(pair_)
                                                                : Value();
    client.id =
        recorder_.invoke(now(), number, client.function, fmt::format("p{}", client.log), argument);
  }

  void apply(Client& client) {
    Log& log = logs_[client.log];
    if (client.function == Function::kAppend) {
      client.answer = static_cast<int64_t>(log.records.size());
      log.records.push_back(client.value);
      return;
    }
    if (client.function == Function::kFlush) {
      log.durable = static_cast<int64_t>(log.records.size());
    }
    client.answer = log.durable;
    client.records.clear();
    if (client.function != Function::kRead) return;
    const int64_t end = std::min(log.durable, client.from + kLimit);
    for (int64_t i = client.from; i < end; i++) {
      client.records.push_back(log.records[static_cast<size_t>(i)]);
    }
    client.position[client.log] = std::max(client.from, end);
  }

  Value result(const Client& client) {
    if (client.function != Function::kRead) return Value::integer(client.answer);
    pairs_.assign(client.records.size(), {});
    records_.clear();
    for (size_t i = 0; i < client.records.size(); i++) {
      pairs_[i] = {Value::integer(client.from + static_cast<int64_t>(i)),
                   Value::integer(client.records[i])};
      records_.push_back(Value::list(pairs_[i]));
    }
    members_ = {Value::text("hw"), Value::integer(client.answer), Value::text("recs"),
                Value::list(records_)};
    return Value::object(members_);
  }

  const Case& of_;
  Recorder recorder_;
  base::RandomStream random_;
  std::vector<Client> clients_;
  std::vector<Log> logs_;
  std::array<Value, 2> pair_;
  std::vector<std::array<Value, 2>> pairs_;
  std::vector<Value> records_;
  std::array<Value, 4> members_;
  int64_t values_ = 0;
  int64_t events_ = 0;
};

inline History make_history(const Case& of) {
  if (of.type == "txn" || of.type == "appendtxn") return TransactionWorkload(of).make();
  if (of.type == "log") return LogWorkload(of).make();
  return KeyWorkload(of).make();
}

}  // namespace seatrial::bench
