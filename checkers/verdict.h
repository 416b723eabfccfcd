// What a checker says about a history.
//
// kUndecided is an honest answer: the budget ended first. It is never ok and never a violation.
#pragma once

#include "checkers/history.h"
#include "checkers/sentence.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::checkers {

enum class Outcome : uint8_t { kOk, kViolation, kUndecided };

std::string_view to_string(Outcome outcome);

struct Verdict {
  Outcome outcome = Outcome::kOk;
  std::string checker;  // "linearizability", "strict-serializability", "bank".
  std::string anomaly;  // Of a violation: "stale-read", "lost-update"...; else empty.
  std::string summary;  // One sentence for a person, also when ok or undecided.
  // Of transactions: all kinds of anomaly found, the one above first; the strongest level of
  // isolation that holds ("read committed"); the cycles as Graphviz. Empty where not told.
  std::vector<std::string> anomalies;
  std::string level;
  std::string dot;
  std::vector<Sentence> explanation;  // Why, step by step.
  // The operations that the summary names.
  std::vector<OperationId> operations;
  // A violation's smallest sub-history found: with all else weakened to "perhaps, at any time
  // from its invocation on", these operations alone cannot be explained.
  std::vector<OperationId> sub_history;
  // The longest prefix that could be put in order, in that order.
  std::vector<OperationId> linearized;
  uint64_t nodes = 0;  // Configurations visited.

  bool ok() const { return outcome == Outcome::kOk; }
};

// Several checks of one history: a violation counts most, then undecided, then ok.
Verdict worst(std::vector<Verdict> verdicts);

}  // namespace seatrial::checkers
