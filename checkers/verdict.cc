#include "checkers/verdict.h"

#include "base/check.h"

namespace seatrial::checkers {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kViolation: return "violation";
    case Outcome::kUndecided: return "undecided";
  }
  return "?";
}

Verdict worst(std::vector<Verdict> verdicts) {
  CHECK(!verdicts.empty());
  const auto rank = [](const Verdict& verdict) {
    switch (verdict.outcome) {
      case Outcome::kOk: return 0;
      case Outcome::kUndecided: return 1;
      case Outcome::kViolation: return 2;
    }
    return 2;
  };
  size_t chosen = 0;
  uint64_t nodes = 0;
  for (size_t i = 0; i < verdicts.size(); i++) {
    nodes += verdicts[i].nodes;
    if (rank(verdicts[i]) > rank(verdicts[chosen])) chosen = i;
  }
  Verdict verdict = std::move(verdicts[chosen]);
  verdict.nodes = nodes;
  return verdict;
}

}  // namespace seatrial::checkers
