// Holds the choice of a primary to its promise, by what nodes accepted and what observers saw
// (election_shapes.h): at most one node becomes the primary of an epoch; once calm has come, in
// bounded time one node is the primary and everybody agrees.
//
// The rules, the gravest first; a violation is named by the first that is broken:
//   two-primaries      two nodes accepted to be the primary of one epoch, or were seen as such
//   phantom-primary    an observer names a primary that nobody had asked to be it in that epoch
//   failed-promotion   the same, and those who asked were told that it certainly did not happen
//   epoch-regress      what an observer tells of lies in an earlier epoch than what it had told
//   no-primary         past the calm's bound an observer knows of no primary
//   disagreement       past the bound two observers name different primaries, or epochs
//   unsettled          past the bound a node still became the primary
//
// A promotion of unknown outcome may have happened. What is past the bound begins after calm's own
// end plus its `within`, by the history's time. Where nobody observes past the bound, whether they
// agree cannot be told: kUndecided. A history without calm is held to the first four rules alone.
// Each group of nodes is judged for itself, in time linear in the history.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

Verdict check_election(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
