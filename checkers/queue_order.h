// Linearizability of a queue whose items are unique, by the order of its items.
//
// Where pushes do not tell the queue's length, the history is linearizable if and only if nobody
// takes what was not pushed, or what another took; no item overtakes another (pushed after it by
// real time, and taken before it); and whoever found the queue empty had an instant at which no
// item was certainly there (Henzinger, Sezgin, Vafeiadis, "Aspect-oriented linearizability
// proofs", CONCUR 2013). That takes O(n log n).
//
// Where each push tells the length that it left, these still are needed, and the order of the items
// fixes the whole linearization: the k-th push, which left L items, comes right after k - L pops.
// So items are given their places one by one, which shows at once what a search along time finds
// out when an item comes to the front. An order found is proof; if the first few attempts end
// without one, others must decide.
#pragma once

#include "checkers/history.h"
#include "checkers/levels.h"

#include <optional>
#include <span>

namespace seatrial::checkers {

// Of one key, failed operations left out. nullopt where this does not decide: somebody saw more
// than the front, an item is pushed twice, the outcome of a pop or (where lengths are told) of a
// push is unknown, some pushes tell the length and some do not, or no order was found in time.
std::optional<LevelsResult> check_queue_order(std::span<const Claim> operations);

}  // namespace seatrial::checkers
