#include "checkers/linearizability.h"

#include "base/check.h"
#include "checkers/explain.h"
#include "checkers/zones.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

std::vector<CellHistory> split_by_key(const History& history, const EventTimes& times) {
  std::vector<CellHistory> cells(history.keys());
  for (KeyId key = 0; key < cells.size(); key++) {
    cells[key].history = &history;
    cells[key].times = &times;
    cells[key].key = key;
  }
  for (const Operation& operation : history.operations()) {
    CHECK_MSG(operation.key != kNoKey, "operation {} has no key", operation.id);
    CellHistory& cell = cells[operation.key];
    if (operation.failed()) {
      cell.failed.push_back(&operation);
    } else {
      cell.operations.push_back({&operation, operation.completion});
    }
  }
  return cells;
}

Verdict undecided(const CellHistory& cell, const SearchResult& result) {
  Verdict verdict;
  verdict.outcome = Outcome::kUndecided;
  verdict.checker = "linearizability";
  verdict.summary =
      fmt::format("key \"{}\" is undecided: the budget ended after {} steps and {} MiB",
                  cell.history->key_name(cell.key), result.nodes, result.bytes >> 20);
  verdict.nodes = result.nodes;
  return verdict;
}

// The shortest prefix in which zones conflict, found by halving, and what conflicts there.
Verdict explain_zones(const CellHistory& cell, const Options& options) {
  std::vector<uint32_t> ends;
  for (const auto& [operation, completion] : cell.operations) {
    if (operation->ok()) ends.push_back(operation->complete_at + 1);
  }
  std::ranges::sort(ends);
  const auto first = std::ranges::partition_point(ends, [&](uint32_t events) {
    return check_zones(prefix(cell.operations, events)).linearizable;
  });
  CHECK(first != ends.end());
  const ZonesResult zones = check_zones(prefix(cell.operations, *first));
  return explain_violation(cell, zones.conflict, *first, options);
}

Verdict unexplained(const CellHistory& cell) {
  Verdict verdict;
  verdict.outcome = Outcome::kViolation;
  verdict.checker = "linearizability";
  verdict.anomaly = "not-linearizable";
  verdict.summary = fmt::format("key \"{}\" is not linearizable", cell.history->key_name(cell.key));
  return verdict;
}

// `budget` is what is left for this key.
Verdict check_cell(const CellHistory& cell, const Options& options, const Budget& budget) {
  if (key_type(*cell.history) == KeyType::kString && zones_apply(cell.operations)) {
    if (check_zones(cell.operations).linearizable) return {};
    return options.explain ? explain_zones(cell, options) : unexplained(cell);
  }
  const SearchResult result =
      search_cell(cell, cell.operations, cell.history->events(), options, budget);
  switch (result.outcome) {
    case Outcome::kOk: break;
    case Outcome::kUndecided: return undecided(cell, result);
    case Outcome::kViolation: {
      Verdict verdict = options.explain ? explain_violation(cell, options) : unexplained(cell);
      verdict.nodes = result.nodes;
      return verdict;
    }
  }
  Verdict verdict;
  verdict.nodes = result.nodes;
  return verdict;
}

}  // namespace

Verdict check_linearizability(const History& history, const Options& options) {
  const EventTimes times(history);
  const std::vector<CellHistory> cells = split_by_key(history, times);
  Verdict verdict;
  verdict.checker = "linearizability";
  verdict.summary = fmt::format("{} operations on {} keys are linearizable",
                                history.operations().size(), cells.size());
  Budget left = options.budget;
  for (const CellHistory& cell : cells) {
    Verdict of_cell = check_cell(cell, options, left);
    of_cell.nodes += verdict.nodes;
    left.nodes_max = options.budget.nodes_max - std::min(of_cell.nodes, options.budget.nodes_max);
    if (of_cell.outcome == Outcome::kViolation) return of_cell;
    verdict.nodes = of_cell.nodes;
    // A key that is undecided does not excuse the others: one of them may be wrong for certain.
    if (of_cell.outcome == Outcome::kUndecided) {
      left = options.budget;
      if (verdict.outcome == Outcome::kOk) verdict = std::move(of_cell);
    }
  }
  return verdict;
}

}  // namespace seatrial::checkers
