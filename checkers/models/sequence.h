// The sequential specification of one key that holds a list: rpush, lpop, lrange; also a queue.
#pragma once

#include "checkers/history.h"
#include "checkers/models/blocks.h"
#include "checkers/models/cells.h"
#include "checkers/models/turns.h"
#include "checkers/search.h"

#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

namespace seatrial::checkers {

// Lists of numbers, each kept once, so that equal lists have equal ids. A list that only grew at
// its end or shrank at its front shares its memory with what it was.
class Sequences {
 public:
  using Id = uint32_t;
  static constexpr Id kEmpty = 0;

  Sequences();

  Id pushed(Id list, uint32_t item);
  // The list must not be empty.
  Id popped(Id list);
  uint32_t front(Id list) const { return items(list).front(); }
  uint32_t length(Id list) const { return lists_[list].end - lists_[list].begin; }
  uint64_t bytes() const;

 private:
  struct List {
    uint64_t hash = 0;  // Of the items, oldest first: sum of item * base^(distance from the end).
    uint32_t buffer = 0;
    uint32_t begin = 0;
    uint32_t end = 0;
  };

  std::span<const uint32_t> items(Id list) const {
    const List& l = lists_[list];
    return std::span(buffers_[l.buffer]).subspan(l.begin, l.end - l.begin);
  }
  Id intern(const List& list);
  void grow();
  static uint64_t power(uint32_t exponent);

  std::vector<List> lists_;
  std::vector<std::vector<uint32_t>> buffers_;
  std::vector<uint32_t> table_;  // Id plus one; 0: free.
  uint64_t buffer_items_ = 0;
};

class Sequence {
 public:
  static constexpr uint64_t kRefused = std::numeric_limits<uint64_t>::max();
  static constexpr bool kRanks = true;

  // The operations must be of one key and not failed.
  explicit Sequence(std::span<const Claim> operations);

  std::span<const Step> steps() const { return steps_; }
  const Operation* operation(uint32_t step) const { return sources_[step]; }

  // Model, see search.h. A state is the list's id.
  uint64_t initial() const { return Sequences::kEmpty; }
  uint64_t step(uint64_t state, uint32_t step);
  bool settled(uint64_t state, uint32_t step) const;
  void place(uint32_t step) { count(step, -1); }
  void take_back(uint32_t step) { count(step, +1); }
  bool hopeless(uint64_t from, uint64_t to) const;
  bool enables(uint32_t step, uint32_t front) const;
  bool waits(uint32_t) const { return false; }
  // Two pushes that find equally many items and whose items come out in the order a, b as well.
  bool outranks(uint32_t a, uint32_t b) const;
  // Pushes in the order in which their items come out.
  uint32_t hint(uint32_t step) const { return hints_[step]; }
  uint64_t bytes() const { return lists_.bytes() + blocks_.bytes() + turns_.bytes(); }

 private:
  enum class Kind : uint8_t {
    kImpossible,
    kPush,      // Appends `item`; afterwards `length` items, unless that is 0.
    kPop,       // Takes `item` from the front.
    kPopSome,   // Takes what is at the front, if anything is.
    kSeeEmpty,  // Finds nothing: a pop that answered nil, a read of no items.
    kSee,       // Finds the list `item`.
  };
  struct Action {
    Kind kind = Kind::kImpossible;
    uint32_t item = 0;
    uint32_t length = 0;
    uint32_t block = Blocks::kNone;
    uint32_t turn = Turns::kNone;  // Of a push: its number among turns_.
  };

  void add(const Claim& claim);
  Action known_action(const Operation& operation);
  void give_classes();
  void give_blocks();
  void give_turns();
  void give_hints();
  void count(uint32_t step, int32_t change);
  uint32_t intern(const Value& value);

  std::vector<Step> steps_;
  std::vector<Action> actions_;
  std::vector<const Operation*> sources_;
  std::unordered_map<Value, uint32_t, ValueHash> items_;
  Sequences lists_;
  std::vector<int32_t> pushes_;       // By item: how many push it.
  std::vector<int32_t> pushes_left_;  // Of those, how many are not placed.
  std::vector<int32_t> pops_;         // By item: how many kPop take it.
  std::vector<int32_t> pops_left_;    // By item, of kPop.
  std::vector<uint32_t> pop_of_;      // By item: the one kPop of it; kNoStep: none.
  std::vector<uint32_t> hints_;
  bool ranks_ = false;  // Whether items are pushed and popped once, and nobody sees whole lists.
  Blocks blocks_;
  Turns turns_;
};

}  // namespace seatrial::checkers
