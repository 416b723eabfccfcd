// Linearizability of one register whose written values are unique, in O(n log n): zones
// (Gibbons and Korach, "Testing Shared Memories", SIAM J. Comput. 1997).
//
// A write and the reads of its value form a cluster; in any linearization the members of a
// cluster are neighbours, up to other clusters' order. Its zone spans from its earliest return to
// its latest invocation: forward if that is a real interval (the register certainly held the value
// throughout), else backward (an interval within which the whole cluster can happen at one
// instant). The history is linearizable if and only if no read returns before its write is
// invoked, no two forward zones overlap, and no backward zone lies within a forward one. The
// initial nil counts as written before all. A write of unknown outcome returns at infinity; one
// that nobody read is left out.
#pragma once

#include "checkers/models/cell.h"

#include <span>
#include <vector>

namespace seatrial::checkers {

// Whether the operations are sets (without px) and gets only, and no value is set twice.
bool zones_apply(std::span<const Claim> operations);

struct ZonesResult {
  bool linearizable = true;
  // Where not: a few operations that already contradict each other.
  std::vector<const Operation*> conflict;
};

// The operations, in the order of their invocation, must be such that zones_apply.
ZonesResult check_zones(std::span<const Claim> operations);

}  // namespace seatrial::checkers
