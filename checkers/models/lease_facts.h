// What a history of leases says for certain: for each operation the interval in which it took
// effect if it did, and for each key what changed it and what was read. See checkers/lease.h.
//
// Invariants: facts only ever widen what may have happened; an interval's low end is its
// operation's invocation.
#pragma once

#include "checkers/history.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::checkers {

struct LeaseCommand {
  enum class Kind : uint8_t { kGet, kSet, kDel };
  Kind kind = Kind::kGet;
  size_t key = 0;
  Value value;               // Of a set.
  std::optional<Micros> px;  // Of a set with a deadline.
  bool told = false;         // Its result is known:
  Value result;
};

struct LeaseWatch {
  size_t key = 0;
  const Operation* operation = nullptr;
};

// A value, or nil, seen under a WATCH of its key.
struct LeaseGlimpse {
  size_t key = 0;
  size_t unit = 0;
};

// One command, or one EXEC with what it watched.
struct LeaseUnit {
  const Operation* operation = nullptr;
  Micros lo{0};
  Micros hi{0};
  bool effectless = false;  // Failed, or an aborted EXEC.
  bool certain = false;     // It took effect.
  std::vector<LeaseCommand> commands;
  std::vector<LeaseWatch> watches;
  std::vector<LeaseGlimpse> glimpses;

  bool aborted() const {
    return operation->function == Function::kExec && operation->ok() && operation->result.is_nil();
  }
};

// A set or del of one key.
struct LeaseChange {
  size_t unit = 0;
  bool is_set = false;
  bool is_last = true;  // Of its unit, on its key.
  bool surely = false;  // Where its unit took effect, it changed the key.
  Value value;
  std::optional<Micros> px;
};

struct LeaseKey {
  std::string_view name;
  std::vector<LeaseChange> changes;  // By invocation.
  std::map<std::string, size_t> changes_by_value;
};

class LeaseFacts {
 public:
  LeaseFacts(const History& history, Micros slack);

  const std::vector<LeaseUnit>& units() const { return units_; }
  const std::vector<LeaseKey>& keys() const { return keys_; }
  const LeaseUnit& unit_of(const LeaseChange& change) const { return units_[change.unit]; }
  // A value that was written twice to one key, for a person; empty where there is none.
  const std::string& ambiguity() const { return ambiguity_; }

  // The set that wrote `value`; null where there is none.
  const LeaseChange* writer(size_t key, const Value& value) const;
  // What the unit's own get saw; null where it asked for no such key, or was not answered.
  const Value* glimpsed(const LeaseGlimpse& glimpse) const;

  Micros alive_until(const LeaseChange& set) const;
  Micros gone_after(const LeaseChange& set) const;
  // A certain change of the key that lies after `change` and before `end`; null if there is none.
  const LeaseChange* successor(size_t key, const LeaseChange& change, Micros end) const;
  // Some other unit may have changed the key between the two instants.
  bool may_change(size_t key, Micros from, Micros to, std::initializer_list<size_t> but) const;
  // Some value of the key may have run into its deadline between the two instants.
  bool may_expire(size_t key, Micros from, Micros to) const;

 private:
  void add_units(const History& history);
  void read_commands(LeaseUnit& unit);
  void add_command(LeaseUnit& unit, LeaseCommand::Kind kind, std::string_view key,
                   const Value* argument, const Value* result);
  void add_changes();
  void bound_by_reads();
  void bound_by_watches();
  size_t key_index(std::string_view name);

  Micros slack_;
  std::vector<LeaseUnit> units_;
  std::vector<LeaseKey> keys_;
  std::map<std::string_view, size_t> key_indices_;
  std::string ambiguity_;
  const History& history_;
};

}  // namespace seatrial::checkers
