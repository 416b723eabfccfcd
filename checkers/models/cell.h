// The sequential specification of one key that holds a string: register, CAS register, counter,
// key-value with append and with expiry. Functions: get, set, cas, del, incr, getset, append.
//
// As in Redis, 7 and "7" are the same value; incr takes an absent key for 0, keeps the deadline;
// set, getset, cas and del clear it.
//
// Expiry (set with px). The promise: a value is never visible after its deadline by the server's
// clock, and never removed before. The deadline is px after the instant, unknown to us, at which
// the set took effect: between its invocation t0 and its completion t1. So the removal is a step
// of its own, "expire", that must happen in [t0 + px - slack, t1 + px + slack], after its set,
// and takes the value away if the deadline is still in force (not overwritten, not deleted). For a
// set of unknown outcome the window has no upper end. slack = 2 ms for the server's rounding to
// whole milliseconds (of the current time and of the deadline; it removes when now > deadline),
// plus the options' clock skew. That is sound: each removal a correct server makes lies in its
// window. It is exact up to this slack and to one coupling: that set and removal lie exactly px
// apart is not used, only both their windows.
#pragma once

#include "checkers/arena.h"
#include "checkers/history.h"
#include "checkers/search.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seatrial::checkers {

// 7 and "7" are one value: whole numbers in the form that INCR writes become integers.
Value canonical(const Value& value);

// Positions in events: maps a time to where it lies on the search's axis.
class EventTimes {
 public:
  explicit EventTimes(const History& history);

  // Just before the first event at `time` or later.
  uint32_t before(Micros time) const;
  // Just after the last event at `time` or earlier; kNeverAt when that is the last of all.
  uint32_t after(Micros time) const;
  // Where an event lies itself.
  static uint32_t at(uint32_t event) { return 2 * event + 1; }

 private:
  std::vector<Micros> times_;
};

struct CellOptions {
  Micros clock_skew{0};
  // Events from this number on have not happened yet.
  uint32_t events = kNeverAt;
};

class Cell {
 public:
  static constexpr uint64_t kRefused = std::numeric_limits<uint64_t>::max();
  static constexpr bool kRanks = false;

  // The operations must be of one key and not failed. `times` is needed only for those with px.
  Cell(std::span<const Claim> operations, const EventTimes& times, const CellOptions& options);

  std::span<const Step> steps() const { return steps_; }
  // The operation of a step; null for a removal by expiry.
  const Operation* operation(uint32_t step) const { return sources_[step]; }

  // Model, see search.h. A state is the value's number, and above it the step whose set gave it
  // the deadline in force, plus one.
  uint64_t initial() const { return kNil; }
  uint64_t step(uint64_t state, uint32_t step);
  bool settled(uint64_t state, uint32_t step) const;
  void place(uint32_t step) { count(step, -1); }
  void take_back(uint32_t step) { count(step, +1); }
  bool hopeless(uint64_t from, uint64_t to) const;
  bool enables(uint32_t step, uint32_t front) const;
  bool waits(uint32_t) const { return false; }
  uint64_t bytes() const { return arena_.size_bytes() + values_.capacity() * sizeof(Value); }

 private:
  using ValueId = uint32_t;
  static constexpr ValueId kNil = 0;
  // All values that no operation can tell apart.
  static constexpr ValueId kAnyOther = 1;
  static constexpr ValueId kNoValue = std::numeric_limits<ValueId>::max();

  enum class Kind : uint8_t {
    kImpossible,  // Has a result that no state explains.
    kRead,        // Needs `need`.
    kReadNot,     // Needs anything but `need`: a cas that answered 0.
    kWrite,       // Leaves `make`.
    kReadWrite,   // Needs `need`, leaves `make`.
    kMaybeCas,    // If it finds `need`, leaves `make`.
    kDelSome,     // Needs a value, leaves nil.
    kIncrTo,      // Needs `need`, or nil where it makes 1; leaves `make`.
    kIncr,        // Whatever it finds.
    kAppend,      // Appends `make`; afterwards `length` bytes, unless that is negative.
    kExpire,      // Takes the value away whose deadline is that of step `owner`.
  };
  struct Action {
    Kind kind = Kind::kImpossible;
    bool deadline = false;  // A kWrite with px.
    ValueId need = kNoValue;
    ValueId make = kNoValue;
    uint32_t owner = kNoStep;
    uint32_t suffix = kNoValue;  // kAppend: its group in suffixes_.
    int64_t length = -1;
  };
  void choose_abstraction(std::span<const Claim> operations);
  void add(const Claim& operation, const EventTimes& times, const CellOptions& options);
  Action known_action(const Operation& operation);
  Action unknown_action(const Operation& operation);
  void add_expiry(const Claim& operation, uint32_t set, const EventTimes& times,
                  const CellOptions& options);
  void give_classes();
  void group_suffixes();
  void find_bases();
  bool may_return(ValueId lost, ValueId now) const;
  void count(uint32_t step, int32_t change);

  ValueId intern(const Value& value);
  ValueId intern_exactly(const Value& value);
  ValueId incremented(ValueId value);
  ValueId appended(ValueId value, ValueId suffix);

  static ValueId value_of(uint64_t state) { return static_cast<ValueId>(state); }
  static uint32_t owner_of(uint64_t state) { return static_cast<uint32_t>(state >> 32); }
  static uint64_t with_value(uint64_t state, ValueId value) {
    return value == kNil ? kNil : (state >> 32 << 32 | value);
  }

  std::vector<Step> steps_;
  std::vector<Action> actions_;
  std::vector<const Operation*> sources_;

  // Values. Where nothing counts or measures them, those that no operation asks for are one.
  std::vector<Value> values_;
  std::unordered_map<Value, ValueId, ValueHash> value_ids_;
  std::vector<std::string> observed_;  // With appends: what operations ask for, sorted.
  std::vector<ValueId> incremented_;   // By value; kNoValue: not computed yet.
  std::unordered_map<uint64_t, ValueId> appended_;
  Arena arena_;
  bool exact_ = true;
  bool appends_ = false;

  // What is not placed yet, by value: who asks for exactly it, who leaves it.
  std::vector<int32_t> needed_;
  std::vector<int32_t> made_;
  std::vector<std::vector<uint32_t>> suffixes_of_;  // By value: groups of appends that end it.
  std::vector<int32_t> appends_left_;               // By group.
  // By value: numbers not far below, from which increments of unknown outcome may lead to it.
  struct Base {
    int32_t distance;
    ValueId value;
  };
  std::vector<std::vector<Base>> bases_;
  int32_t incrs_left_ = 0;  // Of unknown outcome.
};

}  // namespace seatrial::checkers
