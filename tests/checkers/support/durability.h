// A store over its crashes, as plainly as possible: small random histories of it, some spoilt, and
// the slow and obvious judge of what checkers/prefix.h says. Shares nothing with the checker but
// the history.
#pragma once

#include "base/check.h"
#include "base/random.h"
#include "checkers/history.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::checkers {

// What keys hold, as [value, deadline]; nil and nil where there is nothing.
struct PlainStore {
  std::map<std::string, std::array<Value, 2>, std::less<>> keys;

  // The command's answer.
  Value perform(std::span<const Value> words) {
    const std::string_view name = words[0].as_text();
    const std::string key(words[1].as_text());
    const bool there = keys.contains(key);
    if (name == "set") {
      keys[key] = {words[2], words.size() == 4 ? words[3] : Value()};
      return Value::text("OK");
    }
    if (name == "incr") {
      if (!there) keys[key][0] = Value::integer(0);
      return keys[key][0] = Value::integer(keys[key][0].as_integer() + 1);
    }
    if (name == "del") return Value::integer(static_cast<int64_t>(keys.erase(key)));
    if (!there) return Value::integer(0);
    const bool had = !keys[key][1].is_nil();
    keys[key][1] = name == "expireat" ? words[2] : Value();
    return Value::integer(name == "expireat" || had ? 1 : 0);
  }

  std::array<Value, 2> look(std::string_view key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? std::array<Value, 2>{} : found->second;
  }
};

using Row = std::vector<OperationId>;  // Writes in their order.

inline PlainStore fold(const History& history, std::span<const OperationId> row) {
  PlainStore store;
  for (const OperationId id : row) {
    if (history.find(id) == nullptr) continue;
    for (const Value& command : history.find(id)->argument.items()) store.perform(command.items());
  }
  return store;
}

// Tries every order of the writes of every life that real time allows, and every first part of it
// that the next life may begin with. Places that no answer shows may hold anything ("ghosts"), and
// the answers to writes behind one are not judged.
class DurabilityReference {
 public:
  explicit DurabilityReference(const History& history) : history_(history) {
    CHECK(history.operations().size() <= 40);
    for (const Operation& operation : history.operations()) {
      if (operation.function == Function::kStart) {
        lives_.push_back({&operation, operation.argument.find("log")->as_text(), {}, {}, {}, {}});
      } else if (operation.function == Function::kStop) {
        lives_.back().stops.push_back(&operation);
      } else if (!operation.failed()) {
        lives_.back().operations.push_back(&operation);
      }
    }
  }

  bool explains() { return begin(0, {}); }

 private:
  struct Life {
    const Operation* start;
    std::string_view log;
    std::vector<const Operation*> stops;
    std::vector<const Operation*> operations;  // None that failed.
    Row row;                                   // As it is being tried.
    size_t base;                               // So much of it stood there at the start.
  };

  static bool is_data(const Operation& o) {
    return o.ok() && (o.function == Function::kWrite || o.function == Function::kView);
  }
  static bool serves(const Life& life) {
    return std::ranges::any_of(life.operations, [](const Operation* o) { return is_data(*o); });
  }
  static size_t shown(const Operation& o) {
    const Value& place =
        o.function == Function::kWrite ? o.result.items()[0] : *o.result.find("place");
    return static_cast<size_t>(place.as_integer());
  }
  static bool stopped(const Life& life, std::string_view how) {
    return std::ranges::any_of(
        life.stops, [&](const Operation* stop) { return stop->argument.as_text() == how; });
  }
  static Micros milliseconds(const Life& life, std::string_view name) {
    return std::chrono::milliseconds(life.start->argument.find(name)->as_integer());
  }

  bool begin(size_t at, const Row& row) {
    lives_[at].base = row.size();
    return go_on(at, row, std::vector<bool>(lives_[at].operations.size()));
  }

  // Everything that may come next in a life, and what may come after it.
  bool go_on(size_t at, const Row& row, const std::vector<bool>& done) {
    lives_[at].row = row;
    if (may_end(at, done) && leave(at)) return true;
    const std::vector<const Operation*>& operations = lives_[at].operations;
    for (size_t i = 0; i < operations.size(); i++) {
      const Operation& next = *operations[i];
      if (done[i] || !may_come(at, next, done)) continue;
      std::vector<bool> then = done;
      then[i] = true;
      Row longer = row;
      if (next.function == Function::kWrite) longer.push_back(next.id);
      if (next.ok() && !agrees(next, row)) continue;
      if (go_on(at, longer, then)) return true;
    }
    if (!awaits_more(at, row.size(), done)) return false;
    Row longer = row;
    longer.push_back(-1 - static_cast<OperationId>(at * 100 + row.size()));
    return go_on(at, longer, done);
  }

  // Some answer of this life shows a place further on.
  bool awaits_more(size_t at, size_t size, const std::vector<bool>& done) const {
    const auto& operations = lives_[at].operations;
    for (size_t i = 0; i < operations.size(); i++) {
      const bool write = is_data(*operations[i]) && operations[i]->function == Function::kWrite;
      if (write && !done[i] && shown(*operations[i]) > size + 1) return true;
    }
    return false;
  }

  bool may_end(size_t at, const std::vector<bool>& done) const {
    const auto& operations = lives_[at].operations;
    for (size_t i = 0; i < operations.size(); i++) {
      if (is_data(*operations[i]) && !done[i]) return false;
    }
    return true;
  }

  // Nothing comes before what had been answered when it was asked for. Views and saves of unknown
  // outcome tell nothing, and saves are looked at when the life is over.
  bool may_come(size_t at, const Operation& next, const std::vector<bool>& done) const {
    if (next.function != Function::kWrite && !is_data(next)) return false;
    const auto& operations = lives_[at].operations;
    for (size_t i = 0; i < operations.size(); i++) {
      if (is_data(*operations[i]) && !done[i] && operations[i]->precedes(next)) return false;
    }
    return true;
  }

  // Whether its answer is right for one that finds `row`.
  bool agrees(const Operation& operation, const Row& row) const {
    PlainStore store = fold(history_, row);
    const std::span<const Value> asked = operation.argument.items();
    if (operation.function == Function::kWrite) {
      const std::span<const Value> told = operation.result.items();
      if (told[0] != Value::integer(static_cast<int64_t>(row.size()) + 1)) return false;
      const bool judged = std::ranges::none_of(row, [](OperationId id) { return id < 0; });
      for (size_t i = 0; i < asked.size() && judged; i++) {
        if (store.perform(asked[i].items()) != told[i + 1]) return false;
      }
      return true;
    }
    if (shown(operation) != row.size()) return false;
    const std::span<const Value> order = operation.result.find("order")->items();
    if (!std::ranges::equal(order, row, {}, &Value::as_integer)) return false;
    for (size_t i = 0; i < asked.size(); i++) {
      const Value& told = operation.result.find("keys")->items()[i];
      if (!std::ranges::equal(told.items(), store.look(asked[i].as_text()))) return false;
    }
    return true;
  }

  // The next life begins with some first part of this one's row.
  bool leave(size_t at) {
    if (at + 1 == lives_.size()) return true;
    const Row row = lives_[at].row;
    const size_t least = promise(at);
    for (size_t kept = least; kept <= row.size(); kept++) {
      if (begin(at + 1, Row(row.begin(), row.begin() + static_cast<ptrdiff_t>(kept)))) return true;
    }
    lives_[at].row = row;
    return false;
  }

  // How much has to outlast the end of this life: the last that answered anything decides.
  size_t promise(size_t at) const {
    size_t last = at;
    while (last > 0 && !serves(lives_[last])) last--;
    if (!serves(lives_[last])) return 0;
    bool power = false;
    for (size_t i = last; i <= at; i++) power |= stopped(lives_[i], "power");
    size_t place = lives_[last].row.size();
    while (place > 0 && !protected_at(place, last, power)) place--;
    return place;
  }

  bool protected_at(size_t place, size_t last, bool power) const {
    const Life& life = lives_[last];
    if (stopped(life, "end-saved") || (stopped(life, "end") && life.log != "off")) return true;
    if (life.log == "off") return saved(place, last);
    if (power && life.log == "no") return false;
    for (size_t i = 0; i <= last; i++) {
      for (const Operation* o : lives_[i].operations) {
        if (!acknowledges(lives_[i], *o) || shown(*o) < place) continue;
        if (!stands(place, i, last)) continue;
        if (!power || life.log == "always" || is_old(*o, life, i == last)) return true;
      }
    }
    return false;
  }

  static bool acknowledges(const Life& life, const Operation& o) {
    return is_data(o) && (o.function == Function::kWrite || life.log == "always");
  }

  // What an earlier life had at that place is there in a later one.
  bool stands(size_t place, size_t earlier, size_t later) const {
    const Row& row = lives_[earlier].row;
    return row.size() >= place && row[place - 1] == lives_[later].row[place - 1];
  }

  // everysec: answered long before the life's end, or before a later write was asked for.
  static bool is_old(const Operation& o, const Life& life, bool same) {
    if (!life.stops.empty()) {
      const Micros end = life.stops.front()->invoke_time;
      if (o.complete_time + milliseconds(life, "late_ms") < end) return true;
    }
    return same && std::ranges::any_of(life.operations, [&](const Operation* later) {
             return later->ok() && later->function == Function::kWrite &&
                    o.complete_time + milliseconds(life, "window_ms") < later->invoke_time;
           });
  }

  // A save that was answered was asked for when this write had been there already.
  bool saved(size_t place, size_t last) const {
    for (size_t i = 0; i <= last; i++) {
      const bool all = stopped(lives_[i], "end-saved");
      if (all && stands(place, i, last)) return true;
      for (const Operation* save : lives_[i].operations) {
        if (save->function != Function::kSave || !save->ok() || !stands(place, i, last)) continue;
        if (place <= lives_[i].base) return true;
        for (const Operation* o : lives_[i].operations) {
          if (is_data(*o) && o->precedes(*save) && shown(*o) >= place) return true;
        }
      }
    }
    return false;
  }

  const History& history_;
  std::vector<Life> lives_;
};

struct DurabilityOptions {
  uint32_t clients = 3;
  uint32_t operations_max = 10;
  double unknown = 0.15;
  double failed = 0.05;
  double spoilt = 0.15;  // Share of answers and of crashes.
  double views = 0.35;   // Share of operations.
  double changed = 0.1;  // Of lives that log otherwise than the one before.
};

// A few clients write to a store that dies now and then, and goes on with what its log had kept.
class DurabilityGenerator {
 public:
  DurabilityGenerator(DurabilityOptions options, base::RandomStream& random)
      : options_(options),
        random_(random),
        recorder_("prefix", options.clients + 1),
        clients_(options.clients) {}

  History make() && {
    const uint64_t lives = 2 + random_.below(2);
    log_ = kLogs[random_.below(kLogs.size())];
    for (uint64_t life = 0; life < lives; life++) {
      if (life > 0 && random_.chance(options_.changed)) log_ = kLogs[random_.below(kLogs.size())];
      live(1 + random_.below(1 + options_.operations_max / lives), random_.chance(0.15));
      if (life + 1 < lives || random_.chance(0.3)) die();
    }
    return std::move(recorder_).take();
  }

 private:
  static constexpr std::array<std::string_view, 4> kLogs = {"always", "everysec", "no", "off"};

  struct Client {
    bool open = false;
    bool done = false;
    bool cut = false;  // Its server has died.
    Completion planned = Completion::kOk;
    OperationId id = 0;
    Function function = Function::kWrite;
    Value result;
    size_t place = 0;
  };
  // So much of the row was told then.
  struct Told {
    size_t place = 0;
    Micros time{0};
  };

  void live(uint64_t operations, bool mute) {
    const Value members[] = {Value::text("late_ms"), Value::integer(3),        Value::text("log"),
                             Value::text(log_),      Value::text("window_ms"), Value::integer(2)};
    world(Function::kStart, Value::object(members));
    while (operations > 0) {
      Client& client = clients_[random_.below(clients_.size())];
      if (!client.open) {
        begin(client, mute);
        operations--;
      } else if (!client.done && !client.cut && random_.chance(0.7)) {
        take_effect(client);
      } else if (random_.chance(0.7)) {
        finish(client);
      }
    }
    // Some are still open when it dies.
    for (uint64_t steps = random_.below(12); steps > 0; steps--) {
      Client& client = clients_[random_.below(clients_.size())];
      if (client.open && !client.done && !client.cut) take_effect(client);
      if (client.open && random_.chance(0.7)) finish(client);
    }
  }

  void begin(Client& client, bool mute) {
    client = {};
    client.open = true;
    const double draw = random_.unit();
    if (mute || draw < options_.unknown) client.planned = Completion::kUnknown;
    if (draw > 1 - options_.failed) client.planned = Completion::kFailed;
    const double kind = random_.unit();
    client.function = kind < options_.views                  ? Function::kView
                      : log_ == "off" && random_.chance(0.3) ? Function::kSave
                                                             : Function::kWrite;
    client.place = row_.size();
    client.id = recorder_.invoke(now(), index_of(client), client.function, ask(client.function));
  }

  uint32_t index_of(const Client& client) const {
    return static_cast<uint32_t>(&client - clients_.data());
  }

  Value list(std::span<const Value> items) { return Value::list(items).copy_to(arena_); }

  Value ask(Function function) {
    if (function == Function::kSave) return Value::text("save");
    if (function == Function::kView) return list(std::array{Value::text("a"), Value::text("b")});
    std::vector<Value> commands = {command()};
    if (random_.chance(0.2)) commands.push_back(command());
    return list(commands);
  }

  Value command() {
    static constexpr std::array<std::string_view, 8> kNames = {
        "set", "set", "set", "incr", "incr", "del", "expireat", "persist"};
    const std::string_view name = kNames[random_.below(kNames.size())];
    std::vector<Value> words = {Value::text(name), Value::text(random_.chance(0.5) ? "a" : "b")};
    if (name == "set") words.push_back(number(3));
    if (name == "expireat" || (name == "set" && random_.chance(0.3))) words.push_back(number(2));
    return list(words);
  }

  Value number(uint64_t below) {
    return Value::integer(static_cast<int64_t>(random_.below(below)));
  }

  void take_effect(Client& client) {
    client.done = true;
    if (client.planned == Completion::kFailed) return;
    if (client.function == Function::kSave) {
      saved_ = std::max(saved_, client.place);
      client.result = Value::text("OK");
      return;
    }
    const bool write = client.function == Function::kWrite;
    client.result = write ? written(client) : seen(client);
    if (write) row_.push_back(client.id);
    client.place = row_.size();
  }

  Row strayed() {
    Row row = row_;
    if (!row.empty() && random_.chance(0.6)) {
      row.erase(row.begin() + static_cast<ptrdiff_t>(random_.below(row.size())));
    } else if (!lost_.empty()) {
      row.push_back(lost_[random_.below(lost_.size())]);
    } else if (row.size() > 1) {
      std::swap(row.back(), row.front());
    }
    return row;
  }

  Value written(const Client& client) {
    const bool spoilt = random_.chance(options_.spoilt);
    PlainStore store = fold(recorder_.history(), spoilt ? strayed() : row_);
    const int64_t off = spoilt && random_.chance(0.3) ? random_.between(-1, 1) : 0;
    std::vector<Value> items = {Value::integer(static_cast<int64_t>(row_.size()) + 1 + off)};
    for (const Value& command : recorder_.history().find(client.id)->argument.items()) {
      items.push_back(store.perform(command.items()));
    }
    return list(items);
  }

  // Spoilt ones have the order, or the keys, of other writes; or each key of others.
  Value seen(const Client& client) {
    const bool spoilt = random_.chance(options_.spoilt);
    const Row order = spoilt && random_.chance(0.5) ? strayed() : row_;
    std::vector<Value> ids;
    for (const OperationId id : order) ids.push_back(Value::integer(id));
    std::vector<Value> slots;
    for (const Value& key : recorder_.history().find(client.id)->argument.items()) {
      const bool torn = spoilt && random_.chance(0.5);
      const PlainStore store = fold(recorder_.history(), torn ? strayed() : order);
      slots.push_back(list(store.look(key.as_text())));
    }
    const auto place = static_cast<int64_t>(
        spoilt && random_.chance(0.2) ? random_.below(order.size() + 2) : order.size());
    const Value members[] = {Value::text("keys"), Value::list(slots),   Value::text("order"),
                             Value::list(ids),    Value::text("place"), Value::integer(place)};
    return Value::object(members).copy_to(arena_);
  }

  void finish(Client& client) {
    if (client.planned == Completion::kOk && !client.done && !client.cut) return;
    client.open = false;
    if (client.planned == Completion::kFailed) {
      if (client.function == Function::kWrite) lost_.push_back(client.id);
      return recorder_.fail(now(), client.id);
    }
    if (client.planned == Completion::kUnknown || !client.done) {
      return recorder_.info(now(), client.id);
    }
    recorder_.ok(now(), client.id, client.result);
    if (!client.cut) tell(client);
  }

  void tell(const Client& client) {
    const bool write = client.function == Function::kWrite;
    if (write) last_write_ = recorder_.history().find(client.id)->invoke_time;
    if (write || (client.function == Function::kView && log_ == "always")) {
      told_.push_back({client.place, now_});
    }
  }

  void die() {
    static constexpr std::array<std::string_view, 6> kWays = {"end",  "end-saved", "exit",
                                                              "kill", "power",     "power"};
    const std::string_view how = kWays[random_.below(kWays.size())];
    if (random_.chance(0.3)) now_ += Micros(random_.below(4'000));
    world(Function::kStop, Value::text(how));
    const Micros end = now_;
    const bool twice = random_.chance(0.1);
    if (twice) world(Function::kStop, Value::text("power"));
    for (Client& client : clients_) cut_off(client);
    const bool orderly = how == "end-saved" || (how == "end" && log_ != "off");
    const size_t least = orderly ? row_.size() : promised(end, twice || how == "power");
    recover(least);
  }

  // Its answer may be under way, and then comes now or later.
  void cut_off(Client& client) {
    if (!client.open) return;
    client.cut = true;
    const bool answered = client.done && client.planned == Completion::kOk && random_.chance(0.4);
    if (answered) {
      tell(client);
    } else if (client.planned != Completion::kFailed) {
      client.planned = Completion::kUnknown;
    }
    if (random_.chance(0.8)) finish(client);
  }

  size_t promised(Micros end, bool power) const {
    if (log_ == "off") return std::min(saved_, row_.size());
    if (power && log_ == "no") return 0;
    size_t least = 0;
    for (const Told& told : told_) {
      const bool old = told.time + kLate < end || told.time + kWindow < last_write_;
      if (!power || log_ == "always" || old) least = std::max(least, told.place);
    }
    return std::min(least, row_.size());
  }

  // With what was promised at least; spoilt, with less, with a hole, or with what had been lost.
  void recover(size_t least) {
    const bool spoilt = random_.chance(options_.spoilt);
    const uint64_t way = random_.below(4);
    if (spoilt && way == 0 && least > 0) least = random_.below(least);
    const uint64_t range = row_.size() - least;
    const size_t kept = least + (random_.chance(0.5) ? 0 : random_.below(range + 1));
    if (spoilt && way == 1) row_ = strayed();
    const Row before = row_;
    row_.resize(std::min(kept, row_.size()));
    if (spoilt && way >= 2 && !lost_.empty()) {
      row_.push_back(lost_[random_.below(lost_.size())]);
    }
    lost_.insert(lost_.end(),
                 before.begin() + static_cast<ptrdiff_t>(std::min(kept, before.size())),
                 before.end());
    saved_ = std::min(saved_, row_.size());
    for (Told& told : told_) told.place = std::min(told.place, row_.size());
  }

  void world(Function function, const Value& argument) {
    const OperationId id = recorder_.invoke(now(), options_.clients, function, argument);
    recorder_.ok(now_, id, Value::text("OK"));
  }

  Micros now() { return now_ += Micros(random_.below(800)); }

  static constexpr Micros kWindow = std::chrono::milliseconds(2);
  static constexpr Micros kLate = std::chrono::milliseconds(3);

  DurabilityOptions options_;
  base::RandomStream& random_;
  Arena arena_;
  Recorder recorder_;
  std::vector<Client> clients_;
  std::string_view log_;
  Row row_;
  Row lost_;  // By some crash, or never done.
  std::vector<Told> told_;
  Micros last_write_{0};
  size_t saved_ = 0;
  Micros now_{1'000'000};
};

}  // namespace seatrial::checkers
