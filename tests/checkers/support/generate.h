// Small histories for the judges to agree on: a few clients run random operations against the
// plain store, some outcomes stay unknown or fail, and then some results are spoilt.
#pragma once

#include "base/random.h"
#include "tests/checkers/support/store.h"

#include <array>
#include <vector>

namespace seatrial::checkers {

struct GenerateOptions {
  uint32_t clients = 3;
  uint32_t operations_max = 9;
  uint32_t keys = 2;
  double unknown = 0.15;
  double failed = 0.07;
  double spoilt = 0.12;  // Share of results replaced by something near.
};

class Generator {
 public:
  Generator(std::string type, GenerateOptions options, base::RandomStream& random)
      : type_(type),
        options_(options),
        random_(random),
        recorder_(type, options.clients),
        clients_(options.clients) {
    flavour_ = random_.below(3);
  }

  History make() && {
    const uint64_t operations = 1 + random_.below(options_.operations_max);
    uint64_t started = 0;
    while (started < operations || anyone_open()) {
      now_ += Micros(random_.below(3) == 0 ? 0 : static_cast<int64_t>(random_.below(1500)));
      expire();
      if (!late_.empty() && random_.chance(0.2)) {
        take_effect(late_.back());
        late_.pop_back();
      }
      const auto client = static_cast<uint32_t>(random_.below(options_.clients));
      Client& state = clients_[client];
      if (!state.open) {
        if (started == operations) continue;
        begin(client);
        started++;
      } else if (!state.done && random_.chance(0.6)) {
        take_effect(state);
      } else if (random_.chance(0.7)) {
        finish(client);
      }
    }
    return std::move(recorder_).take();
  }

 private:
  struct Client {
    bool open = false;
    bool done = false;  // It has taken effect.
    Completion planned = Completion::kOk;
    OperationId id = 0;
    Store::Reply reply;
    std::vector<std::string> watched;  // txn: read next, then exec.
    uint64_t step = 0;
  };

  bool anyone_open() const {
    for (const Client& client : clients_) {
      if (client.open) return true;
    }
    return false;
  }

  std::string key() { return fmt::format("k{}", random_.below(options_.keys)); }

  Value fresh() {
    if (type_ == "register" || type_ == "txn") return Value::integer(++last_value_);
    if (type_ == "kv" && flavour_ == 2) {
      return Value::text(std::array{"a", "b", "ab"}[random_.below(3)]);
    }
    return Value::integer(static_cast<int64_t>(random_.below(3)));
  }

  void begin(uint32_t client) {
    Client& state = clients_[client];
    const double draw = random_.unit();
    state.planned = draw < options_.unknown                     ? Completion::kUnknown
                    : draw < options_.unknown + options_.failed ? Completion::kFailed
                                                                : Completion::kOk;
    state.open = true;
    state.done = false;
    if (type_ == "txn") {
      begin_txn(client);
      return;
    }
    const Function function = pick_function();
    Value argument;
    std::array<Value, 4> parts;
    switch (function) {
      case Function::kCas:
        parts = {random_.chance(0.3) ? Value() : fresh(), fresh(), {}, {}};
        argument = Value::list(std::span(parts).first(2));
        break;
      case Function::kSet:
        argument = fresh();
        if (type_ == "kvx" && random_.chance(0.6)) {
          parts = {Value::text("px"), Value::integer(1 + static_cast<int64_t>(random_.below(4))),
                   Value::text("v"), argument};
          argument = Value::object(parts);
        }
        break;
      case Function::kGetset:
      case Function::kAppend: argument = fresh(); break;
      default: break;
    }
    state.id = recorder_.invoke(now_, client, function, key(), argument);
  }

  Function pick_function() {
    if (random_.chance(0.4)) return Function::kGet;
    if (type_ == "register") return Function::kSet;
    static constexpr std::array<std::array<Function, 5>, 3> kKv = {{
        {Function::kSet, Function::kCas, Function::kCas, Function::kDel, Function::kGetset},
        {Function::kSet, Function::kIncr, Function::kIncr, Function::kDel, Function::kGetset},
        {Function::kSet, Function::kAppend, Function::kAppend, Function::kDel, Function::kCas},
    }};
    return kKv[type_ == "kvx" ? 1 : flavour_][random_.below(5)];
  }

  // Mostly watch, get..., exec; now and then a plain get or set, also in between.
  void begin_txn(uint32_t client) {
    Client& state = clients_[client];
    if (random_.chance(state.step == 0 ? 0.4 : 0.1)) {
      const bool is_get = random_.chance(0.4);
      state.id = recorder_.invoke(now_, client, is_get ? Function::kGet : Function::kSet, key(),
                                  is_get ? Value() : fresh());
      return;
    }
    const uint64_t step = state.step++;
    if (step == 0 && random_.chance(0.85)) {
      state.watched = {key()};
      if (random_.chance(0.4)) state.watched.push_back(key());
      std::vector<Value> keys;
      for (const std::string& name : state.watched) keys.push_back(Value::text(name));
      state.id = recorder_.invoke(now_, client, Function::kWatch, Value::list(keys));
      return;
    }
    if (step > 0 && step <= state.watched.size() && random_.chance(0.8)) {
      state.id = recorder_.invoke(now_, client, Function::kGet, state.watched[step - 1]);
      return;
    }
    exec(client);
  }

  void exec(uint32_t client) {
    Client& state = clients_[client];
    state.step = 0;
    Arena arena;
    std::vector<Value> commands;
    std::vector<std::string> targets = state.watched;
    if (targets.empty() || random_.chance(0.2)) targets.push_back(key());
    for (const std::string& name : targets) {
      std::array<Value, 3> words = {Value::text("set"), Value::text(name), fresh()};
      if (random_.chance(0.25)) words[0] = Value::text("get");
      const size_t count = words[0].as_text() == "get" ? 2 : 3;
      commands.push_back(Value::list(std::span(words).first(count)).copy_to(arena));
    }
    state.watched.clear();
    state.id = recorder_.invoke(now_, client, Function::kExec, Value::list(commands));
  }

  void take_effect(Client& state) {
    if (state.planned == Completion::kFailed) return;
    state.done = true;
    const Operation* operation = recorder_.history().find(state.id);
    const auto index = static_cast<int>(operation - recorder_.history().operations().data());
    state.reply = store_.perform(recorder_.history(), *operation, index);
    if (operation->argument.is_object()) {
      const int64_t px = operation->argument.find("px")->as_integer();
      deadlines_[index] = now_ + std::chrono::milliseconds(px);
    }
  }

  void expire() {
    for (auto entry = store_.data.begin(); entry != store_.data.end();) {
      const int owner = entry->second.owner;
      const bool due = owner >= 0 && deadlines_[owner] <= now_;
      entry = due ? store_.data.erase(entry) : std::next(entry);
    }
  }

  void finish(uint32_t client) {
    Client& state = clients_[client];
    if (state.planned == Completion::kOk && !state.done) return;
    state.open = false;
    if (state.planned == Completion::kFailed) return recorder_.fail(now_, state.id);
    if (state.planned == Completion::kUnknown) {
      if (!state.done && random_.chance(0.6)) late_.push_back(state);
      const OperationId id = state.id;
      state = Client();
      return recorder_.info(now_, id);
    }
    const Operation* operation = recorder_.history().find(state.id);
    Arena arena;
    recorder_.ok(now_, state.id, result_of(*operation, state.reply, arena));
  }

  Value result_of(const Operation& operation, const Store::Reply& reply, Arena& arena) {
    if (operation.function == Function::kExec) {
      if (reply.exec ? random_.chance(options_.spoilt / 4) : !random_.chance(options_.spoilt / 2)) {
        return {};
      }
      // One that aborted is spoilt by letting it through: it then reads what is there now.
      const std::vector<Store::Answer> answers = reply.exec ? *reply.exec : peek(operation);
      std::span<Value> results = arena.make<Value>(answers.size());
      for (size_t i = 0; i < results.size(); i++) {
        const bool is_get = operation.argument.items()[i].items()[0].as_text() == "get";
        results[i] = is_get ? scalar(answers[i], Function::kGet, arena) : Value::text("OK");
      }
      return Value::list(results);
    }
    const bool untold = operation.function == Function::kAppend && last_value_ % 2 == 0;
    if (untold || operation.function == Function::kSet || operation.function == Function::kWatch) {
      return Value::text("OK");
    }
    return scalar(reply.answer, operation.function, arena);
  }

  std::vector<Store::Answer> peek(const Operation& operation) const {
    Store copy = store_;
    copy.watches.clear();
    return *copy.exec(operation);
  }

  Value scalar(const Store::Answer& answer, Function function, Arena& arena) {
    const bool spoil = random_.chance(options_.spoilt);
    const bool is_flag = function == Function::kDel || function == Function::kCas;
    if (spoil && is_flag) return Value::integer(static_cast<int64_t>(random_.below(2)));
    const bool may_be_nil = function == Function::kGet || function == Function::kGetset;
    if (spoil && may_be_nil && random_.chance(0.3)) return {};
    if (spoil && (type_ == "register" || type_ == "txn")) {
      return Value::integer(static_cast<int64_t>(random_.below(last_value_ + 1)));
    }
    if (spoil && may_be_nil) return fresh();
    if (spoil) return Value::integer(static_cast<int64_t>(1 + random_.below(4)));
    if (!answer) return {};
    return canonical_number(*answer, arena);
  }

  static Value canonical_number(const std::string& text, Arena& arena) {
    const bool number = text.find_first_not_of("-0123456789") == std::string::npos;
    return number ? Value::integer(std::stoll(text)) : Value::text(arena.copy(text));
  }

  std::string type_;
  GenerateOptions options_;
  base::RandomStream& random_;
  Recorder recorder_;
  std::vector<Client> clients_;
  std::vector<Client> late_;  // Of unknown outcome, and yet to take effect.
  Store store_;
  std::map<int, Micros> deadlines_;
  Micros now_{1'000'000};
  int64_t last_value_ = 0;
  uint64_t flavour_ = 0;
};

}  // namespace seatrial::checkers
