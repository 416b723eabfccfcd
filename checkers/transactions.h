// Strict serializability of WATCH/EXEC histories ("txn"): some order of all gets, sets and
// transactions explains every answer, keeps real time, and honours each WATCH: an EXEC goes
// through if and only if no watched key was written since its WATCH. So an EXEC that answered
// nil needs a write that can lie in its window (there are no spurious aborts), and one of unknown
// outcome may have gone through or not.
//
// Decided by the general search (search.h) over models/transactions.h, which is exact; what the
// budget does not decide is kUndecided. A violation is explained by the few transactions that
// contradict each other and by the dependencies among them, named as Adya does (Weak
// Consistency, 1999): write (ww), read (wr) and anti-dependencies (rw) plus real time. With unique
// values a committed EXEC over watched keys that it had read is a read-modify-write, which gives
// the order of versions.
//
// Nothing acknowledged is lost: as in linearizability.h, an acknowledged EXEC precedes the reads
// after the last recovery, so losing its writes is a violation here.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

Verdict check_transactions(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
