// Linearizability of histories over independent keys ("register", "kv", "kvx", "counter", "list",
// "queue", "hash", "set", "zset"): each key's operations are judged alone (Herlihy and Wing 1990:
// linearizability is local; Horn and Kroening 2015 call the splitting P-compositionality).
//
// Per key the cheapest exact method is chosen: zones (zones.h) for reads and writes of unique
// values, levels (levels.h) for counters that only rise and lists that only grow, else the general
// search (search.h) over the model of the type (models/cell.h, counter.h, sequence.h, cells.h).
// Hashes, sets and sorted sets are split further, into cells, where nobody reads them whole.
//
// Nothing acknowledged is lost: there is no separate durability check, because this is one.
// A write that was answered precedes every operation invoked later, so a history that reads each
// key once more after the last recovery is linearizable only if each acknowledged write, or one
// that may have come after it, is still there; a write of unknown outcome may be there or not.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

Verdict check_linearizability(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
