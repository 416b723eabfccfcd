// The sequential specification of a store with WATCH and EXEC: all keys at once, set and get,
// watched transactions.
//
// Units are what takes effect at one instant: a get, a set, an exec; and a watch, which only
// starts a window that its process's next exec ends. An exec with an answer commits, and nobody
// writes a watched key in its window; one that answered nil aborted, and somebody did; one of
// unknown outcome commits in a clean window or does nothing.
//
// What keeps the search short:
//  - A write that would spoil the window of an exec known to commit is refused.
//  - A watch whose exec aborted is placed as early as possible, one whose exec commits as late as
//    possible: neither can hurt.
//  - A value that someone must still read is not overwritten while nobody is left to write it.
#pragma once

#include "checkers/history.h"
#include "checkers/search.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seatrial::checkers {

using VersionId = uint32_t;

// One key with one value; nil is a value.
struct KeyValue {
  uint32_t key = 0;
  Value value;
};

// A get, set or exec, with the watches that belong to it.
struct Unit {
  const Operation* operation = nullptr;
  std::vector<const Operation*> watches;
  Completion completion = Completion::kOk;
  bool aborted = false;
  bool contradicts_itself = false;  // A result that its own commands rule out.
  std::vector<KeyValue> reads;      // From outside: before a write of its own.
  std::vector<KeyValue> writes;     // The last one of each key.
  // Keys, each once, and which of the watches names it first.
  struct Watched {
    uint32_t key;
    uint32_t since;
  };
  std::vector<Watched> watched;

  bool commits() const { return completion == Completion::kOk && !aborted; }
  bool reads_key(uint32_t key) const;
  bool writes_key(uint32_t key) const;
  bool watches_key(uint32_t key) const;
};

// Numbers for keys, whether they come as such or in the text of an exec.
class KeyTable {
 public:
  uint32_t intern(std::string_view key);
  std::string_view name(uint32_t key) const { return names_[key]; }
  uint32_t size() const { return static_cast<uint32_t>(names_.size()); }

 private:
  std::vector<std::string_view> names_;  // In the history's memory.
  std::unordered_map<std::string_view, uint32_t> ids_;
};

// The history's units, in the order of their invocation. Watches that no exec follows, and reads
// of unknown outcome, say nothing and are left out; so are failed operations.
std::vector<Unit> split_units(const History& history, KeyTable& keys);

// The unit with its outcome taken away: it may have happened, whatever it had watched.
Unit weakened(const Unit& unit);

class Transactions {
 public:
  static constexpr uint64_t kRefused = std::numeric_limits<uint64_t>::max();
  static constexpr bool kRanks = false;

  // Events from `events` on have not happened yet.
  Transactions(std::span<const Unit* const> units, uint32_t keys, uint32_t events);

  std::span<const Step> steps() const { return steps_; }
  // The operation of a step.
  const Operation* operation(uint32_t step) const { return sources_[step]; }

  // Model, see search.h. A state is a number: its content is in states_.
  uint64_t initial() const { return 0; }
  uint64_t step(uint64_t state, uint32_t step);
  bool settled(uint64_t state, uint32_t step) const;
  void place(uint32_t step);
  void take_back(uint32_t step);
  bool hopeless(uint64_t from, uint64_t to) const;
  bool enables(uint32_t step, uint32_t front) const;
  bool waits(uint32_t step) const { return actions_[step].kind == Kind::kWatchToCommit; }
  uint64_t bytes() const { return states_.capacity() * 4 + table_.capacity() * 4; }

 private:
  enum class Kind : uint8_t {
    kImpossible,
    kRead,           // A get.
    kWrite,          // A set, or an exec that watches nothing.
    kWatchToCommit,  // A watch whose exec commits, or perhaps does.
    kWatchToAbort,
    kCommit,
    kMaybeCommit,  // An exec of unknown outcome that watches.
    kAbort,
  };
  struct KeyVersion {
    uint32_t key;
    VersionId version;
  };
  struct Window {
    std::vector<Unit::Watched> keys;
    uint32_t first_phase;
    uint32_t slot;
    bool must_commit;
    bool must_abort;
  };
  struct Action {
    Kind kind = Kind::kImpossible;
    uint32_t window = kNoStep;
    uint32_t phase = 0;  // Of a watch: the window's from here on.
    std::vector<KeyVersion> reads;
    std::vector<KeyVersion> writes;
  };
  // What a slot of a state holds: no window that matters, one that was spoilt and must be, or the
  // phase of one that is clean. A phase is a window and how many of its watches are placed.
  static constexpr uint32_t kIdle = 0;
  static constexpr uint32_t kSpoilt = 1;
  static constexpr uint32_t kFirstPhase = 2;

  void number_versions(std::span<const Unit* const> units);
  void find_spoilers(std::span<const Unit* const> units, uint32_t events);
  bool matters(const Unit& unit) const;
  VersionId version_of(const KeyValue& written) const;
  void add_unit(const Unit& unit, uint32_t events);
  uint32_t add_window(const Unit& unit, bool known);
  void add_step(const Operation& operation, bool ok, Action action);
  void give_slots();
  void give_classes();
  std::span<const uint32_t> content(uint64_t state) const {
    return std::span(states_).subspan(state * width_, width_);
  }
  uint32_t condition(uint64_t state, uint32_t window) const {
    return states_[state * width_ + keys_ + windows_[window].slot];
  }
  bool reads_fit(uint64_t state, const Action& action) const;
  bool watches(uint32_t window, uint32_t key) const;
  uint64_t change(uint64_t state, const Action& action, uint32_t condition);
  bool write(const Action& action);
  uint64_t intern();
  void grow_table();
  void count(uint32_t step, int32_t change);

  struct KeyValueHash {
    size_t operator()(const KeyValue& pair) const {
      return base::mix64(pair.value.hash() ^ pair.key);
    }
  };
  struct KeyValueEqual {
    bool operator()(const KeyValue& a, const KeyValue& b) const {
      return a.key == b.key && a.value == b.value;
    }
  };

  uint32_t keys_;
  std::vector<bool> spoils_;  // By key.
  std::vector<Step> steps_;
  std::vector<Action> actions_;
  std::vector<const Operation*> sources_;
  std::vector<Window> windows_;
  std::vector<uint32_t> window_of_phase_;
  std::vector<std::pair<uint32_t, uint32_t>> spans_;  // Of each window, in positions.

  // Versions that somebody reads, by number; the nil of key k is k, and all that nobody reads are
  // keys_ + k.
  std::unordered_map<KeyValue, VersionId, KeyValueHash, KeyValueEqual> versions_;

  // States: `width_` words each, the version of every key, then every slot's condition.
  size_t width_ = 0;
  size_t state_count_ = 0;
  std::vector<uint32_t> states_;
  std::vector<uint32_t> table_;
  std::vector<uint32_t> scratch_;

  std::vector<int32_t> needed_;  // By version, of what is not placed yet.
  std::vector<int32_t> made_;
  std::vector<uint32_t> placed_;
};

}  // namespace seatrial::checkers
