// The sequential specification of one key that holds a number: incr, incrby, decrby, get. At
// first it is 0.
#pragma once

#include "checkers/history.h"
#include "checkers/search.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace seatrial::checkers {

// What an operation on a counter says: it found `from` and left `to`, where that is known.
struct CounterEffect {
  bool possible = true;          // Whether any counter can answer so.
  bool reads = false;            // A get: changes nothing.
  int64_t amount = 0;            // What it adds.
  std::optional<int64_t> found;  // Where the answer counts.
};

// `known`: whether the operation's result counts.
CounterEffect counter_effect(const Operation& operation, bool known);

class Counter {
 public:
  static constexpr uint64_t kRefused = std::numeric_limits<uint64_t>::max();

  // The operations must be of one key and not failed.
  explicit Counter(std::span<const Claim> operations);

  std::span<const Step> steps() const { return steps_; }
  const Operation* operation(uint32_t step) const { return sources_[step]; }

  // Model, see search.h. A state is the number, moved so that none is negative.
  uint64_t initial() const { return state_of(0); }
  uint64_t step(uint64_t state, uint32_t step) const;
  bool settled(uint64_t state, uint32_t step) const;
  void place(uint32_t step) { count(step, -1); }
  void take_back(uint32_t step) { count(step, +1); }
  bool hopeless(uint64_t from, uint64_t to) const;
  bool enables(uint32_t step, uint32_t front) const;
  bool waits(uint32_t) const { return false; }
  uint64_t bytes() const { return wanted_.capacity() * sizeof(Wanted); }

 private:
  struct Wanted {
    int64_t number = 0;
    int32_t left = 0;  // Operations not placed that must find it.
  };
  static constexpr int64_t kOffset = int64_t{1} << 62;

  static uint64_t state_of(int64_t number) { return static_cast<uint64_t>(number + kOffset); }
  static int64_t number_of(uint64_t state) { return static_cast<int64_t>(state) - kOffset; }
  void count(uint32_t step, int32_t change);

  std::vector<Step> steps_;
  std::vector<CounterEffect> effects_;
  std::vector<const Operation*> sources_;
  std::vector<Wanted> wanted_;          // By number.
  std::vector<uint32_t> wanted_place_;  // By step; kNoStep: it asks for nothing.
  size_t first_wanted_ = 0;             // None before this one is left.
  bool rises_ = true;                   // Nothing makes the number smaller.
};

}  // namespace seatrial::checkers
