// Isolation of read-write-register transactions ("rwtxn"): each an exec of get and set.
//
// Values tell who wrote what was read, but not in which order versions stood: that follows only
// where a transaction read a version and then wrote the key, and for nil, which stands before all.
// From this come the certain ww, wr and rw dependencies; a cycle of theirs, or an impossible value,
// is a violation with its name (Kingsbury and Alvaro, "Elle", VLDB 2020). The converse does not
// hold: where none is found, the exact search of transactions.h decides, or says kUndecided.
//
// So the outcome is exact, but `level` of a violation is only the strongest that is not ruled out.
// Where a value was written twice, nothing is concluded from it.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

Verdict check_read_write(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
