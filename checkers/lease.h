// Leases: values with a deadline that clients take, use and give up under WATCH ("lease": get,
// set (px), del, watch, exec). Checks conditions that every correct server meets; it does not
// search for an order, so it is fast, never undecided for want of budget, and not complete.
//
// What it reasons with. Each operation takes effect at an instant of the interval from its
// invocation to its answer. For one of unknown outcome the interval is open above, until
//   - an answer shows a value that it wrote: then it certainly ran, and before that answer;
//   - something it watched certainly changed, or a value it had read under its WATCH certainly
//     expired: after that its EXEC cannot run any more.
// A deadline lies px after the instant of its set, by the server's clock, which is the history's
// plus a constant. The server counts whole milliseconds of "now" and of the deadline and removes
// when now > deadline, which is off by less than 2 ms in all; slack = 2 ms + the options' clock
// skew. So a value is certainly alive until (its set's invocation + px - slack) unless changed,
// and certainly gone after (the end of its set's interval + px + slack). That holds across kills
// and power losses, since deadlines are logged as absolute times.
// "Certainly before" is by time, strictly: what happens in the same microsecond is concurrent.
//
// The rules, the gravest first; a violation is named by the first that is broken:
//   garbage            a read shows what was never written, or only later
//   aborted-read       a read shows a write of a failed command or an aborted EXEC
//   torn-exec          a read in an EXEC does not show what the same EXEC wrote before it
//   expired-watch      an EXEC ran although a value it had read under its WATCH was certainly
//                      gone when the EXEC was invoked
//   lost-watch         an EXEC ran although a watched key certainly changed in between
//   double-grant       an EXEC took a key it had read as nil under its WATCH while another's
//                      value was certainly there
//   outlived-deadline  a read shows a value certainly past its deadline
//   stale-read         a read shows a value that a later change certainly replaced
//   early-expiry       a read shows nil while a value was certainly there and before its deadline
//   lost-write         the same for a value without a deadline
//   spurious-abort     an EXEC answered nil although nothing it watched can have changed or
//                      expired since its WATCH; a key already expired at WATCH counts as missing,
//                      and its removal changes nothing
//
// Values written to one key must be unique; where they are not, the verdict is kUndecided.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

Verdict check_leases(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
