#include "checkers/models/transactions.h"

#include "base/check.h"
#include "checkers/models/cell.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

namespace seatrial::checkers {
namespace {

bool is_scalar(const Value& value) { return value.is_integer() || value.is_text(); }

const Value* find_key(std::span<const KeyValue> pairs, uint32_t key) {
  const auto found = std::ranges::find(pairs, key, &KeyValue::key);
  return found == pairs.end() ? nullptr : &found->value;
}

void read(Unit& unit, uint32_t key, const Value& result) {
  if (!is_scalar(result) && !result.is_nil()) {
    unit.contradicts_itself = true;
    return;
  }
  const Value value = canonical(result);
  const Value* own = find_key(unit.writes, key);
  if (own == nullptr) own = find_key(unit.reads, key);
  if (own == nullptr) {
    unit.reads.push_back({key, value});
  } else if (*own != value) {
    unit.contradicts_itself = true;
  }
}

void write(Unit& unit, uint32_t key, const Value& argument) {
  const auto found = std::ranges::find(unit.writes, key, &KeyValue::key);
  if (found == unit.writes.end()) {
    unit.writes.push_back({key, canonical(argument)});
  } else {
    found->value = canonical(argument);
  }
}

void fill_exec(Unit& unit, KeyTable& keys) {
  const Operation& operation = *unit.operation;
  unit.aborted = operation.ok() && operation.result.is_nil();
  const std::span<const Value> commands = operation.argument.items();
  std::span<const Value> results;
  if (operation.ok() && !unit.aborted) {
    if (operation.result.is_list()) results = operation.result.items();
    unit.contradicts_itself = results.size() != commands.size() || !operation.result.is_list();
  }
  for (size_t i = 0; i < commands.size(); i++) {
    const std::span<const Value> words = commands[i].items();
    const uint32_t key = keys.intern(words[1].as_text());
    const Value* result = i < results.size() ? &results[i] : nullptr;
    if (words[0].as_text() == "set") {
      write(unit, key, words[2]);
      if (result != nullptr && *result != Value::text("OK")) unit.contradicts_itself = true;
    } else if (result != nullptr) {
      read(unit, key, *result);
    }
  }
  for (uint32_t number = 0; number < unit.watches.size(); number++) {
    for (const Value& name : unit.watches[number]->argument.items()) {
      const uint32_t key = keys.intern(name.as_text());
      if (!unit.watches_key(key)) unit.watched.push_back({key, number});
    }
  }
}

}  // namespace

bool Unit::reads_key(uint32_t key) const { return find_key(reads, key) != nullptr; }
bool Unit::writes_key(uint32_t key) const { return find_key(writes, key) != nullptr; }

bool Unit::watches_key(uint32_t key) const {
  return std::ranges::find(watched, key, &Watched::key) != watched.end();
}

uint32_t KeyTable::intern(std::string_view key) {
  const auto [found, is_new] = ids_.try_emplace(key, size());
  if (is_new) names_.push_back(key);
  return found->second;
}

std::vector<Unit> split_units(const History& history, KeyTable& keys) {
  std::vector<Unit> units;
  std::unordered_map<ProcessId, std::vector<const Operation*>> watching;
  for (const Operation& operation : history.operations()) {
    if (operation.failed()) continue;
    Unit unit;
    unit.operation = &operation;
    unit.completion = operation.completion;
    switch (operation.function) {
      case Function::kWatch:
        if (operation.ok()) watching[operation.process].push_back(&operation);
        continue;
      case Function::kGet:
        if (!operation.ok()) continue;
        read(unit, keys.intern(history.key_name(operation.key)), operation.result);
        break;
      case Function::kSet:
        write(unit, keys.intern(history.key_name(operation.key)), operation.argument);
        unit.contradicts_itself = operation.ok() && operation.result != Value::text("OK");
        break;
      case Function::kExec:
        unit.watches = std::exchange(watching[operation.process], {});
        fill_exec(unit, keys);
        break;
      default: UNREACHABLE("{} is no function of transactions", to_string(operation.function));
    }
    units.push_back(std::move(unit));
  }
  return units;
}

Unit weakened(const Unit& unit) {
  Unit weak;
  weak.operation = unit.operation;
  weak.completion = Completion::kUnknown;
  // One that aborted wrote nothing.
  if (!unit.aborted) weak.writes = unit.writes;
  return weak;
}

Transactions::Transactions(std::span<const Unit* const> units, uint32_t keys, uint32_t events)
    : keys_(keys) {
  number_versions(units);
  find_spoilers(units, events);
  for (const Unit* unit : units) {
    if (unit->operation->invoke_at < events) add_unit(*unit, events);
  }
  give_slots();
  give_classes();
  states_.resize(width_, kIdle);
  for (uint32_t key = 0; key < keys_; key++) states_[key] = key;
  scratch_.resize(width_);
  table_.resize(64, kNoStep);
  std::ranges::copy(content(0), scratch_.begin());
  states_.clear();
  CHECK(intern() == initial());
  for (uint32_t step = 0; step < steps_.size(); step++) count(step, +1);
}

void Transactions::number_versions(std::span<const Unit* const> units) {
  uint32_t next = 2 * keys_;
  for (const Unit* unit : units) {
    for (const KeyValue& pair : unit->reads) {
      CHECK(pair.key < keys_);
      if (pair.value.is_nil()) continue;
      if (versions_.try_emplace(pair, next).second) next++;
    }
  }
  needed_.resize(next);
  made_.resize(next);
}

// The keys whose writes may be why an exec aborted.
void Transactions::find_spoilers(std::span<const Unit* const> units, uint32_t events) {
  spoils_.resize(keys_, false);
  for (const Unit* unit : units) {
    if (!unit->aborted || unit->operation->complete_at >= events) continue;
    for (const Unit::Watched& watched : unit->watched) spoils_[watched.key] = true;
  }
}

// Whether a unit of unknown outcome can make anything possible: it writes what someone reads, or
// what someone who aborted had watched.
bool Transactions::matters(const Unit& unit) const {
  return !unit.aborted && std::ranges::any_of(unit.writes, [&](const KeyValue& pair) {
    return spoils_[pair.key] || versions_.contains(pair);
  });
}

VersionId Transactions::version_of(const KeyValue& pair) const {
  if (pair.value.is_nil()) return pair.key;
  const auto found = versions_.find(pair);
  return found == versions_.end() ? keys_ + pair.key : found->second;
}

void Transactions::add_unit(const Unit& unit, uint32_t events) {
  const Operation& operation = *unit.operation;
  const bool ok = unit.completion == Completion::kOk && operation.complete_at < events;
  if (!ok && !matters(unit)) return;
  Action action;
  if (ok) {
    for (const KeyValue& pair : unit.reads) action.reads.push_back({pair.key, version_of(pair)});
  }
  if (!unit.aborted) {
    for (const KeyValue& pair : unit.writes) action.writes.push_back({pair.key, version_of(pair)});
  }
  if (!unit.watches.empty()) action.window = add_window(unit, ok);
  if (ok && (unit.contradicts_itself || (unit.aborted && unit.watches.empty()))) {
    action.kind = Kind::kImpossible;
  } else if (unit.aborted) {
    action.kind = Kind::kAbort;
  } else if (!unit.watches.empty()) {
    action.kind = ok ? Kind::kCommit : Kind::kMaybeCommit;
  } else {
    action.kind = action.writes.empty() ? Kind::kRead : Kind::kWrite;
  }
  add_step(operation, ok, std::move(action));
}

uint32_t Transactions::add_window(const Unit& unit, bool known) {
  const auto index = static_cast<uint32_t>(windows_.size());
  Window window;
  window.first_phase = static_cast<uint32_t>(window_of_phase_.size());
  window.slot = 0;
  window.must_commit = known && !unit.aborted;
  window.must_abort = known && unit.aborted;
  window.keys = unit.watched;
  for (const Operation* watch : unit.watches) {
    Action action;
    action.kind = window.must_abort ? Kind::kWatchToAbort : Kind::kWatchToCommit;
    action.window = index;
    action.phase = static_cast<uint32_t>(window_of_phase_.size());
    window_of_phase_.push_back(index);
    add_step(*watch, true, std::move(action));
  }
  spans_.emplace_back(EventTimes::at(unit.watches.front()->invoke_at),
                      known ? EventTimes::at(unit.operation->complete_at) : kNeverAt);
  windows_.push_back(std::move(window));
  return index;
}

void Transactions::add_step(const Operation& operation, bool ok, Action action) {
  Step step;
  step.call = EventTimes::at(operation.invoke_at);
  if (ok) step.ret = EventTimes::at(operation.complete_at);
  steps_.push_back(step);
  actions_.push_back(std::move(action));
  sources_.push_back(&operation);
}

// Windows that do not overlap share a slot of the state.
void Transactions::give_slots() {
  std::vector<uint32_t> order(windows_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](uint32_t window) { return spans_[window].first; });
  using Busy = std::pair<uint32_t, uint32_t>;  // End, slot.
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
  uint32_t slots = 0;
  for (uint32_t window : order) {
    const auto [start, end] = spans_[window];
    uint32_t slot = slots;
    if (!busy.empty() && busy.top().first < start) {
      slot = busy.top().second;
      busy.pop();
    } else {
      slots++;
    }
    windows_[window].slot = slot;
    busy.emplace(end, slot);
  }
  width_ = keys_ + slots;
}

// Unknown writes of the same are interchangeable.
void Transactions::give_classes() {
  std::map<std::vector<std::pair<uint32_t, VersionId>>, uint32_t> classes;
  for (uint32_t step = 0; step < steps_.size(); step++) {
    if (steps_[step].required() || actions_[step].kind != Kind::kWrite) continue;
    std::vector<std::pair<uint32_t, VersionId>> writes;
    for (const KeyVersion& w : actions_[step].writes) writes.emplace_back(w.key, w.version);
    std::ranges::sort(writes);
    const auto number = static_cast<uint32_t>(classes.size());
    steps_[step].same_class = classes.try_emplace(std::move(writes), number).first->second;
  }
}

bool Transactions::reads_fit(uint64_t state, const Action& action) const {
  const std::span<const uint32_t> words = content(state);
  return std::ranges::all_of(action.reads,
                             [&](const KeyVersion& r) { return words[r.key] == r.version; });
}

uint64_t Transactions::step(uint64_t state, uint32_t step) {
  const Action& action = actions_[step];
  switch (action.kind) {
    case Kind::kImpossible: return kRefused;
    case Kind::kRead: return reads_fit(state, action) ? state : kRefused;
    case Kind::kWrite: return reads_fit(state, action) ? change(state, action, kIdle) : kRefused;
    case Kind::kWatchToCommit:
    case Kind::kWatchToAbort: {
      const uint32_t now = condition(state, action.window);
      // Spoilt already, by a write after the watch before this one.
      const bool first = action.phase == windows_[action.window].first_phase;
      if (!first && now < kFirstPhase) return state;
      return change(state, action, kFirstPhase + action.phase);
    }
    case Kind::kCommit:
    case Kind::kMaybeCommit:
      if (condition(state, action.window) < kFirstPhase) return kRefused;
      return reads_fit(state, action) ? change(state, action, kIdle) : kRefused;
    case Kind::kAbort:
      if (condition(state, action.window) != kSpoilt) return kRefused;
      return change(state, action, kIdle);
  }
  return kRefused;
}

// The state with the window's condition set and the writes done.
uint64_t Transactions::change(uint64_t state, const Action& action, uint32_t condition) {
  std::ranges::copy(content(state), scratch_.begin());
  if (action.window != kNoStep) scratch_[keys_ + windows_[action.window].slot] = condition;
  if (!write(action)) return kRefused;
  return intern();
}

// Writes into the scratch state; false where that spoils a window that must stay clean.
bool Transactions::write(const Action& action) {
  for (const KeyVersion& written : action.writes) {
    scratch_[written.key] = written.version;
    for (size_t at = keys_; at < width_; at++) {
      if (scratch_[at] < kFirstPhase) continue;
      const uint32_t phase = scratch_[at] - kFirstPhase;
      const Window& window = windows_[window_of_phase_[phase]];
      const auto watched = std::ranges::find(window.keys, written.key, &Unit::Watched::key);
      if (watched == window.keys.end() || watched->since > phase - window.first_phase) continue;
      if (window.must_commit) return false;
      // One of unknown outcome can now only do nothing.
      scratch_[at] = window.must_abort ? kSpoilt : kIdle;
    }
  }
  return true;
}

uint64_t Transactions::intern() {
  if ((state_count_ + 1) * 2 > table_.size()) grow_table();
  uint64_t hash = width_;
  for (uint32_t word : scratch_) hash = base::mix64(hash ^ word);
  const size_t mask = table_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    if (table_[i] == kNoStep) {
      table_[i] = static_cast<uint32_t>(state_count_);
      states_.insert(states_.end(), scratch_.begin(), scratch_.end());
      return state_count_++;
    }
    if (std::ranges::equal(content(table_[i]), scratch_)) return table_[i];
  }
}

void Transactions::grow_table() {
  std::vector<uint32_t> larger(table_.size() * 2, kNoStep);
  const size_t mask = larger.size() - 1;
  for (uint32_t state = 0; state < state_count_; state++) {
    uint64_t hash = width_;
    for (uint32_t word : content(state)) hash = base::mix64(hash ^ word);
    size_t i = hash & mask;
    while (larger[i] != kNoStep) i = (i + 1) & mask;
    larger[i] = state;
  }
  table_ = std::move(larger);
}

bool Transactions::settled(uint64_t state, uint32_t step) const {
  const Action& action = actions_[step];
  switch (action.kind) {
    case Kind::kRead: return reads_fit(state, action);
    case Kind::kWatchToAbort: return true;
    // Nothing of it is seen by others, and its window only gets in their way.
    case Kind::kCommit: return action.writes.empty() && reads_fit(state, action);
    case Kind::kAbort: return condition(state, action.window) == kSpoilt;
    default: return false;
  }
}

void Transactions::place(uint32_t step) {
  count(step, -1);
  placed_.push_back(step);
}

void Transactions::take_back(uint32_t step) {
  CHECK(!placed_.empty() && placed_.back() == step);
  placed_.pop_back();
  count(step, +1);
}

void Transactions::count(uint32_t step, int32_t change) {
  const Action& action = actions_[step];
  for (const KeyVersion& r : action.reads) needed_[r.version] += change;
  for (const KeyVersion& w : action.writes) made_[w.version] += change;
}

bool Transactions::hopeless(uint64_t from, uint64_t to) const {
  const std::span<const uint32_t> before = content(from);
  const std::span<const uint32_t> after = content(to);
  return std::ranges::any_of(actions_[placed_.back()].writes, [&](const KeyVersion& written) {
    const VersionId lost = before[written.key];
    return lost != after[written.key] && needed_[lost] > 0 && made_[lost] == 0;
  });
}

bool Transactions::watches(uint32_t window, uint32_t key) const {
  return window != kNoStep && std::ranges::find(windows_[window].keys, key, &Unit::Watched::key) !=
                                  windows_[window].keys.end();
}

bool Transactions::enables(uint32_t step, uint32_t front) const {
  const Action& wanted = actions_[front];
  if (wanted.kind == Kind::kImpossible) return false;
  const Action& action = actions_[step];
  for (const KeyVersion& written : action.writes) {
    if (wanted.kind == Kind::kAbort && watches(wanted.window, written.key)) return true;
    const auto is_it = [&](const KeyVersion& r) { return r.version == written.version; };
    if (std::ranges::any_of(wanted.reads, is_it)) return true;
  }
  // A write that would spoil a window can follow once the window is closed.
  return action.kind == Kind::kCommit &&
         std::ranges::any_of(wanted.writes, [&](const KeyVersion& written) {
           return watches(action.window, written.key);
         });
}

}  // namespace seatrial::checkers
