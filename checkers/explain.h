// Why a key's operations cannot be linearized: the shortest prefix that fails, in it the fewest
// operations whose outcomes are needed to fail, and the anomaly's name.
#pragma once

#include "checkers/models/cell.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

#include <optional>
#include <span>

namespace seatrial::checkers {

// One key's operations, in the order of their invocation; the failed ones apart.
struct CellHistory {
  const History* history = nullptr;
  const EventTimes* times = nullptr;
  KeyId key = kNoKey;
  // Hashes, sets, sorted sets: judge this cell of the key alone (models/cells.h).
  std::optional<Value> only;
  std::vector<Claim> operations;
  std::vector<const Operation*> failed;
};

// Which model judges the keys of a history.
enum class KeyType : uint8_t { kString, kCounter, kSequence, kCells };

KeyType key_type(const History& history);

// Searches for a linearization of `operations`; zones are not tried.
SearchResult search_cell(const CellHistory& cell, std::span<const Claim> operations,
                         uint32_t events, const Options& options, const Budget& budget,
                         std::vector<OperationId>* order = nullptr);

// The verdict on a key that is known not to be linearizable.
Verdict explain_violation(const CellHistory& cell, const Options& options);
// The same where it is known that the events before `events` fail for the outcomes of these
// operations alone, and that no shorter prefix fails.
Verdict explain_violation(const CellHistory& cell, std::span<const Operation* const> conflict,
                          uint32_t events, const Options& options);

// The operations as they count when only the events before `events` have happened.
std::vector<Claim> prefix(std::span<const Claim> operations, uint32_t events);

}  // namespace seatrial::checkers
