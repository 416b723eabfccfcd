// Linearizability where the answers tell the order, in O(n log n): counters that only rise, lists
// that only grow.
//
// The state climbs a line of levels: a counter's number, a list's length. An answered increment or
// append says from which level to which it went, a reading at which level it was, so there is one
// order up to readings of the same level, which can go by their invocation. The history is
// linearizable if and only if no two climbs overlap, no reading lies inside a climb, the order
// agrees with real time (one sweep), and the levels that no answer accounts for are filled by
// operations of unknown outcome that were invoked in time: the earliest first (Hall's condition
// for nested intervals). Lists whose values are unique are traceable in the same sense as in
// Elle (Kingsbury and Alvaro, VLDB 2020): the longest reading tells who appended at which level.
#pragma once

#include "checkers/history.h"

#include <optional>
#include <span>
#include <vector>

namespace seatrial::checkers {

struct LevelsResult {
  bool linearizable = true;
  // Where not: a few operations that already contradict each other.
  std::vector<const Operation*> conflict;
};

// Not linearizable, for these: by invocation, each once.
LevelsResult conflict_of(std::vector<const Operation*> operations);

// Of one key, failed operations left out. nullopt where the answers do not tell the order: a
// counter counts down, or steps of unknown outcome differ in size; a list is popped from, a value
// is appended twice with unknown outcome, lengths are not told.
std::optional<LevelsResult> check_counter_levels(std::span<const Claim> operations);
std::optional<LevelsResult> check_list_levels(std::span<const Claim> operations);

}  // namespace seatrial::checkers
