// Isolation of list-append transactions ("appendtxn"): each an exec of rpush and lrange on lists
// that only grow, of values that are appended to a list at most once.
//
// The lists tell their own order (models/append_history.h), which gives every ww, wr and rw
// dependency; with the order of processes and of real time they are strictly serializable if and
// only if there is no cycle and no answer that contradicts itself. Elle's observation (Kingsbury
// and Alvaro, VLDB 2020), and exact here:
//  - Elements that nobody read and whose place no answer tells stand behind all others, and among
//    themselves as it pleases.
//  - A transaction of unknown outcome counts once something it appended was seen. Where an
//    answer counts an element that nobody saw, it must be of one of those: each choice is tried,
//    and when there are too many the verdict is kUndecided.
//
// The verdict names every kind of anomaly found, with the shortest cycle of each, and the
// strongest level of isolation that still holds. Time and memory are linear in what was appended
// and read.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

Verdict check_list_append(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
