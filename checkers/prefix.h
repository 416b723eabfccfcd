// A store over its crashes: what is there is at every moment exactly what its first N writes make,
// and each start goes on from a prefix of what was there before, as long as was promised
// ("prefix": write, view, save, start, stop; see prefix_shapes.h).
//
// What it reasons with. The server numbers the writes itself and keeps their order, and each view
// shows both beside the keys; so there is nothing to search, and the checker is exact: it accepts
// what some correct server can have answered. One thing is left open, so that it stays so: a place
// that no answer shows may be any write's, and what writes behind it were answered is not judged.
// An answered operation belongs to the life that was the latest to have started when it was
// invoked: its connection stood then. A write of unknown outcome may take any one place of that
// life, or none; a failed one takes none.
//
// Within a life the places of answered operations follow real time. A life's order is some first
// part of the order of the life before it, then writes of its own; what a life shows of an earlier
// one's writes was in all those between. At least so much of the order must be there:
//   kill, exit      all writes that were answered, in this life or an earlier one, whatever the
//                   policy of the log is, and what a view has shown in a life under always
//   power loss      always: the same. everysec: what of it was answered more than late_ms before
//                   the life ended, and what this life answered more than window_ms before a later
//                   write that it answered as well was asked for. no: nothing
//   log "off"       what was there when an answered save was asked for: with what the life began,
//                   and what was answered by then; nothing else
//   end             everything, also where the power is lost later; with log "off" only if a last
//                   save was made, which counts as a save for later lives too
// A loss of power counts for the last life that answered anything, also where it comes later,
// before the next such life has started: nobody had made its writes durable meanwhile.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

// Anomalies: "lost-acknowledged" (a life begins with less than was promised); "hole" (a later life
// lacks a write in the middle, or has another in its place), "resurrected-write" (it has one that
// an earlier start had lost), "aborted-write", "duplicate-write", "misplaced" (a view's order
// contradicts an answer), "garbage" (something nobody wrote, or not yet), "stale-view" and
// "place-order" (real time, within a life), "torn-view" (a view's order is not as long as its
// place says), "mixed-state" (a key's value is not what those writes make: of an older or a newer
// write), "lost-key", "resurrected-key", "wrong-deadline", "wrong-answer".
Verdict check_prefix(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
