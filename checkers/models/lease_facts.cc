#include "checkers/models/lease_facts.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

using Kind = LeaseCommand::Kind;

// 7 and "7" are the same value.
std::string text_of(const Value& value) {
  return value.is_integer() ? std::to_string(value.as_integer()) : std::string(value.as_text());
}

Kind kind_of(std::string_view name) {
  if (name == "get") return Kind::kGet;
  if (name == "set") return Kind::kSet;
  CHECK_MSG(name == "del", "command {}", name);
  return Kind::kDel;
}

bool watched(const std::vector<LeaseWatch>& watches, size_t key) {
  return std::ranges::find(watches, key, &LeaseWatch::key) != watches.end();
}

}  // namespace

LeaseFacts::LeaseFacts(const History& history, Micros slack) : slack_(slack), history_(history) {
  add_units(history);
  add_changes();
  if (!ambiguity_.empty()) return;
  bound_by_reads();
  bound_by_watches();
}

size_t LeaseFacts::key_index(std::string_view name) {
  const auto [found, is_new] = key_indices_.emplace(name, keys_.size());
  if (is_new) keys_.push_back({name, {}, {}});
  return found->second;
}

void LeaseFacts::add_command(LeaseUnit& unit, Kind kind, std::string_view key,
                             const Value* argument, const Value* result) {
  LeaseCommand& command = unit.commands.emplace_back();
  command.kind = kind;
  command.key = key_index(key);
  if (kind == Kind::kSet) {
    command.value = *argument;
    if (argument->is_object()) {
      command.value = *argument->find("v");
      command.px = std::chrono::milliseconds(argument->find("px")->as_integer());
    }
  }
  if (result != nullptr) {
    command.told = true;
    command.result = *result;
  }
}

void LeaseFacts::read_commands(LeaseUnit& unit) {
  const Operation& operation = *unit.operation;
  if (operation.function != Function::kExec) {
    add_command(unit, kind_of(to_string(operation.function)), history_.key_name(operation.key),
                &operation.argument, operation.ok() ? &operation.result : nullptr);
    return;
  }
  const bool ran = operation.ok() && !operation.result.is_nil();
  const std::span<const Value> commands = operation.argument.items();
  for (size_t i = 0; i < commands.size(); i++) {
    const std::span<const Value> words = commands[i].items();
    add_command(unit, kind_of(words[0].as_text()), words[1].as_text(),
                words.size() > 2 ? &words[2] : nullptr,
                ran ? &operation.result.items()[i] : nullptr);
  }
}

// A process keeps what it watches until its next EXEC, whatever that answers.
void LeaseFacts::add_units(const History& history) {
  struct Process {
    std::vector<LeaseWatch> watches;
    std::vector<LeaseGlimpse> glimpses;
  };
  std::map<ProcessId, Process> processes;
  for (const Operation& operation : history.operations()) {
    Process& process = processes[operation.process];
    if (operation.function == Function::kWatch) {
      if (!operation.ok()) continue;
      for (const Value& name : operation.argument.items()) {
        const size_t key = key_index(name.as_text());
        const bool held = watched(process.watches, key);
        if (!held) process.watches.push_back({key, &operation});
      }
      continue;
    }
    LeaseUnit unit;
    unit.operation = &operation;
    unit.lo = operation.invoke_time;
    unit.effectless = operation.failed() || unit.aborted();
    unit.certain = operation.ok() && !unit.effectless;
    unit.hi = operation.ok() ? operation.complete_time : Micros::max();
    read_commands(unit);
    if (operation.function == Function::kExec) {
      unit.watches = std::move(process.watches);
      unit.glimpses = std::move(process.glimpses);
      process = Process();
    } else if (operation.function == Function::kGet && operation.ok()) {
      const size_t key = unit.commands.front().key;
      if (watched(process.watches, key)) {
        process.glimpses.push_back({key, units_.size()});
      }
    }
    units_.push_back(std::move(unit));
  }
}

void LeaseFacts::add_changes() {
  for (size_t i = 0; i < units_.size(); i++) {
    for (const LeaseCommand& command : units_[i].commands) {
      if (command.kind == Kind::kGet) continue;
      const bool is_set = command.kind == Kind::kSet;
      if (!is_set && command.told && command.result == Value::integer(0)) continue;
      LeaseKey& key = keys_[command.key];
      if (!key.changes.empty() && key.changes.back().unit == i) key.changes.back().is_last = false;
      if (is_set) {
        const bool is_new =
            key.changes_by_value.emplace(text_of(command.value), key.changes.size()).second;
        if (!is_new && ambiguity_.empty()) {
          ambiguity_ =
              fmt::format("{} is written to {} more than once", command.value.json(), key.name);
        }
      }
      key.changes.push_back({.unit = i,
                             .is_set = is_set,
                             .surely = is_set || command.told,
                             .value = command.value,
                             .px = command.px});
    }
  }
}

// Who wrote what an answer shows took effect, and before that answer.
void LeaseFacts::bound_by_reads() {
  for (const LeaseUnit& reader : units_) {
    for (const LeaseCommand& command : reader.commands) {
      if (command.kind != Kind::kGet || !command.told || command.result.is_nil()) continue;
      const LeaseChange* const set = writer(command.key, command.result);
      if (set == nullptr) continue;
      LeaseUnit& unit = units_[set->unit];
      if (unit.effectless) continue;
      unit.certain = true;
      unit.hi = std::min(unit.hi, reader.hi);
    }
  }
}

// An EXEC of unknown outcome cannot run after what it watched has changed or expired.
void LeaseFacts::bound_by_watches() {
  for (size_t i = 0; i < units_.size(); i++) {
    LeaseUnit& unit = units_[i];
    if (!unit.operation->unknown()) continue;
    for (const LeaseWatch& watch : unit.watches) {
      for (const LeaseChange& change : keys_[watch.key].changes) {
        const LeaseUnit& other = unit_of(change);
        const bool breaks = change.unit != i && change.surely && other.certain &&
                            other.lo > watch.operation->complete_time;
        if (breaks) unit.hi = std::min(unit.hi, other.hi);
      }
    }
    for (const LeaseGlimpse& glimpse : unit.glimpses) {
      const Value* const value = glimpsed(glimpse);
      const LeaseChange* const set = value->is_nil() ? nullptr : writer(glimpse.key, *value);
      if (set != nullptr) unit.hi = std::min(unit.hi, gone_after(*set));
    }
  }
}

const LeaseChange* LeaseFacts::writer(size_t key, const Value& value) const {
  const auto found = keys_[key].changes_by_value.find(text_of(value));
  return found == keys_[key].changes_by_value.end() ? nullptr : &keys_[key].changes[found->second];
}

const Value* LeaseFacts::glimpsed(const LeaseGlimpse& glimpse) const {
  const LeaseCommand& command = units_[glimpse.unit].commands.front();
  CHECK(command.kind == Kind::kGet && command.told);
  return &command.result;
}

Micros LeaseFacts::alive_until(const LeaseChange& set) const {
  return set.px ? unit_of(set).lo + *set.px - slack_ : Micros::max();
}

Micros LeaseFacts::gone_after(const LeaseChange& set) const {
  const Micros hi = unit_of(set).hi;
  return set.px && hi != Micros::max() ? hi + *set.px + slack_ : Micros::max();
}

const LeaseChange* LeaseFacts::successor(size_t key, const LeaseChange& change, Micros end) const {
  const Micros begin = unit_of(change).hi;
  for (const LeaseChange& other : keys_[key].changes) {
    const LeaseUnit& unit = unit_of(other);
    if (other.surely && unit.certain && unit.lo > begin && unit.hi < end) return &other;
  }
  return nullptr;
}

bool LeaseFacts::may_change(size_t key, Micros from, Micros to,
                            std::initializer_list<size_t> but) const {
  return std::ranges::any_of(keys_[key].changes, [&](const LeaseChange& change) {
    const LeaseUnit& unit = unit_of(change);
    return !unit.effectless && unit.hi >= from && unit.lo <= to &&
           std::ranges::find(but, change.unit) == but.end();
  });
}

bool LeaseFacts::may_expire(size_t key, Micros from, Micros to) const {
  return std::ranges::any_of(keys_[key].changes, [&](const LeaseChange& set) {
    if (!set.is_set || !set.px || unit_of(set).effectless || unit_of(set).lo > to) return false;
    return gone_after(set) >= from && alive_until(set) <= to &&
           successor(key, set, from) == nullptr;
  });
}

}  // namespace seatrial::checkers
