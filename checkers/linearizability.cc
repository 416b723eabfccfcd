#include "checkers/linearizability.h"

#include "base/check.h"
#include "checkers/explain.h"
#include "checkers/levels.h"
#include "checkers/models/cells.h"
#include "checkers/queue_order.h"
#include "checkers/zones.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

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

// Whether the operations contradict each other, by the method for their kind that is near-linear;
// nullopt where there is none. Empty: they do not; else a few that do.
using Conflict = std::vector<const Operation*>;

std::optional<Conflict> find_conflict(const CellHistory& cell, std::span<const Claim> operations) {
  std::optional<LevelsResult> levels;
  switch (key_type(*cell.history)) {
    case KeyType::kString:
      if (!zones_apply(operations)) return std::nullopt;
      return check_zones(operations).conflict;
    case KeyType::kCounter: levels = check_counter_levels(operations); break;
    case KeyType::kSequence:
      levels = check_list_levels(operations);
      if (!levels) levels = check_queue_order(operations);
      break;
    case KeyType::kCells: break;
  }
  if (!levels) return std::nullopt;
  return levels->conflict;
}

// The shortest prefix in which there is a conflict, found by halving, and what conflicts there.
Verdict explain_conflict(const CellHistory& cell, const Options& options) {
  std::vector<uint32_t> ends;
  for (const auto& [operation, completion] : cell.operations) {
    if (operation->ok()) ends.push_back(operation->complete_at + 1);
  }
  std::ranges::sort(ends);
  const auto conflict_until = [&](uint32_t events) {
    return find_conflict(cell, prefix(cell.operations, events));
  };
  const auto first = std::ranges::partition_point(ends, [&](uint32_t events) {
    const auto conflict = conflict_until(events);
    return conflict && conflict->empty();
  });
  CHECK(first != ends.end());
  const auto conflict = conflict_until(*first);
  // What is answered later may tell the order of what is not yet: then the search explains it.
  if (!conflict) return explain_violation(cell, options);
  return explain_violation(cell, *conflict, *first, options);
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
Verdict check_by_search(const CellHistory& cell, const Options& options, const Budget& budget) {
  const SearchResult result =
      search_cell(cell, cell.operations, cell.history->events(), options, budget);
  Verdict verdict;
  switch (result.outcome) {
    case Outcome::kOk: break;
    case Outcome::kUndecided: verdict = undecided(cell, result); break;
    case Outcome::kViolation:
      verdict = options.explain ? explain_violation(cell, options) : unexplained(cell);
      break;
  }
  verdict.nodes = result.nodes;
  return verdict;
}

// The cells of a hash, set or sorted set, each with what touches it; readings of all touch each.
std::vector<CellHistory> split_by_cell(const CellHistory& key) {
  std::unordered_map<Value, size_t, ValueHash> numbers;
  std::vector<CellHistory> cells;
  for (const Claim& claim : key.operations) {
    if (reads_all_cells(claim.operation->function)) continue;
    const Value name = cell_effect(*claim.operation, false).cell;
    const auto [at, is_new] = numbers.try_emplace(name, cells.size());
    if (!is_new) continue;
    CellHistory& cell = cells.emplace_back();
    cell.history = key.history;
    cell.times = key.times;
    cell.key = key.key;
    cell.failed = key.failed;
    cell.only = name;
  }
  for (const Claim& claim : key.operations) {
    if (reads_all_cells(claim.operation->function)) {
      for (CellHistory& cell : cells) cell.operations.push_back(claim);
    } else {
      const Value name = cell_effect(*claim.operation, false).cell;
      cells[numbers.at(name)].operations.push_back(claim);
    }
  }
  return cells;
}

Verdict check_each_cell(const CellHistory& key, const Options& options, const Budget& budget) {
  std::vector<Verdict> verdicts(1);
  for (const CellHistory& cell : split_by_cell(key)) {
    verdicts.push_back(check_by_search(cell, options, budget));
    if (verdicts.back().outcome == Outcome::kViolation) break;
  }
  return worst(std::move(verdicts));
}

// Cells are independent unless somebody reads them all at once. If so, all are searched together;
// what contradicts itself in one cell alone is then told of that one.
Verdict check_cells(const CellHistory& key, const Options& options, const Budget& budget) {
  const bool joined = std::ranges::any_of(key.operations, [](const Claim& claim) {
    return claim.completion == Completion::kOk && reads_all_cells(claim.operation->function);
  });
  if (!joined) return check_each_cell(key, options, budget);
  Options brief = options;
  brief.explain = false;
  Verdict together = check_by_search(key, brief, budget);
  if (together.ok()) return together;
  Verdict apart = check_each_cell(key, options, budget);
  apart.nodes += together.nodes;
  if (apart.outcome == Outcome::kViolation) return apart;
  if (together.outcome == Outcome::kViolation && options.explain) {
    const uint64_t nodes = together.nodes;
    together = explain_violation(key, options);
    together.nodes = nodes;
  }
  return together;
}

Verdict check_key(const CellHistory& key, const Options& options, const Budget& budget) {
  if (const auto conflict = find_conflict(key, key.operations)) {
    if (conflict->empty()) return {};
    return options.explain ? explain_conflict(key, options) : unexplained(key);
  }
  if (key_type(*key.history) == KeyType::kCells) return check_cells(key, options, budget);
  return check_by_search(key, options, budget);
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
    Verdict of_cell = check_key(cell, options, left);
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
