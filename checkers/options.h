// What a caller may set for a check: its limits, and what it knows about the system.
#pragma once

#include "checkers/history.h"

#include <cstdint>

namespace seatrial::checkers {

// Limits of one check. Counted, not timed: the same history gives the same verdict everywhere.
struct Budget {
  uint64_t nodes_max = 20'000'000;         // Placements that a search may try.
  uint64_t bytes_max = uint64_t{1} << 30;  // Memory that a search may hold.
  // Share for explaining a violation that is already certain; its end only makes the sub-history
  // larger than it might be.
  uint64_t explain_nodes_max = 2'000'000;
};

// When answers have to be there: from when on nothing disturbs the system, and what it may take.
struct Punctuality {
  Micros calm_from = Micros::max();
  Micros flush_interval{0};  // So long a log may wait before it flushes.
  Micros allowance{0};       // For everything else: the flush itself, the network, the others.
};

struct Options {
  Budget budget;
  // Whether to look for the smallest sub-history of a violation, its name and its reasons.
  bool explain = true;
  // kvx: how far the server's clock may gain or lose against the history's while a deadline
  // runs (jumps and drift together).
  Micros clock_skew{0};
  // offsets: how prompt its answers have to be.
  Punctuality punctuality;
};

}  // namespace seatrial::checkers
