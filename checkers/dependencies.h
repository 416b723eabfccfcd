// Dependencies among transactions: which must come before which, why, and where that is a cycle.
//
// Nodes are units and watches. With unique written values a read names its writer (wr). What read
// a version and replaced it, in one exec or under a watch, follows its writer directly (ww), and
// follows all others that read the version (rw). Whoever wrote the key after that writer had
// completed comes after the version's readers (rw); whoever had completed before a read comes
// before the writer of what it read (ww). A window of an exec that went through excludes writers:
// they come before its watch or after it. Real time adds the rest. Each edge is certain, so a
// cycle proves a violation; the converse does not hold, which is why search.h decides.
//
// Adya, Liskov and O'Neil, "Generalized Isolation Level Definitions", ICDE 2000; Kingsbury and
// Alvaro, "Elle", VLDB 2020; Huang et al., "mini-transactions" (MTC), arXiv 2504.02344. Real-time
// edges go through a chain of clock nodes, those among writers of a key through chains of their
// own, so that the graph stays linear in the history.
#pragma once

#include "checkers/models/transactions.h"
#include "checkers/verdict.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace seatrial::checkers {

// What contradicts itself, in terms of a verdict.
struct Conflict {
  std::string anomaly;
  std::vector<const Operation*> operations;
  std::vector<Sentence> explanation;
};

// The units as they count when only the events before `events` have happened.
std::vector<Unit> prefix_units(std::span<const Unit> units, uint32_t events);

// The first conflict that is found without search: values from nowhere, lost updates, cycles,
// aborts without a cause. nullopt where none of them shows.
std::optional<Conflict> find_conflict(const History& history, const KeyTable& keys,
                                      std::span<const Unit> units);

}  // namespace seatrial::checkers
