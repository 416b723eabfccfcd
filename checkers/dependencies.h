// The dependencies among a few transactions that contradict each other, the cycle they form, and
// its name.
#pragma once

#include <span>
#include <vector>

#include "checkers/models/transactions.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

// Fills anomaly, summary, explanation, operations and sub_history of a violation. `units`: all of
// the history's; `guilty`: those whose outcomes together are impossible.
Verdict describe_conflict(const History& history, const KeyTable& keys, std::span<const Unit> units,
                          std::span<const Unit* const> guilty);

}  // namespace seatrial::checkers
