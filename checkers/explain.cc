#include "checkers/explain.h"

#include "base/check.h"
#include "checkers/anomalies.h"
#include "checkers/minimize.h"
#include "checkers/models/cells.h"
#include "checkers/models/counter.h"
#include "checkers/models/sequence.h"
#include "checkers/sights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace seatrial::checkers {
namespace {

class Explainer {
 public:
  Explainer(const CellHistory& cell, const Options& options)
      : cell_(cell),
        options_(options),
        minimizer_(cell.operations.size(), cell.history->events(),
                   [this](const std::vector<bool>& kept, uint32_t events) {
                     return fails(kept, events);
                   }) {}

  void shorten() { minimizer_.shorten(ends()); }

  void restrict_to(std::span<const Operation* const> conflict, uint32_t events) {
    std::vector<bool> kept;
    for (const Claim& claim : cell_.operations) {
      kept.push_back(std::ranges::find(conflict, claim.operation) != conflict.end());
    }
    minimizer_.restrict_to(kept, events);
  }

  Verdict run() {
    std::vector<size_t> certain;
    for (size_t i = 0; i < cell_.operations.size(); i++) {
      if (is_certain(i)) certain.push_back(i);
    }
    minimizer_.weaken(std::move(certain));
    return verdict();
  }

 private:
  bool is_certain(size_t i) const {
    const Claim& claim = cell_.operations[i];
    return minimizer_.kept()[i] && claim.completion == Completion::kOk &&
           claim.operation->complete_at < minimizer_.events();
  }

  // The ends of prefixes worth trying: each just after a return.
  std::vector<uint32_t> ends() const {
    std::vector<uint32_t> ends;
    for (const auto& [operation, completion] : cell_.operations) {
      if (operation->ok()) ends.push_back(operation->complete_at + 1);
    }
    std::ranges::sort(ends);
    return ends;
  }

  // The operations as they are to count: those not kept are perhaps there, at any time.
  std::vector<Claim> weakened(const std::vector<bool>& kept, uint32_t events) const {
    std::vector<Claim> operations = cell_.operations;
    for (size_t i = 0; i < kept.size(); i++) {
      if (!kept[i]) operations[i].completion = Completion::kUnknown;
    }
    return prefix(operations, events);
  }

  bool fails(const std::vector<bool>& kept, uint32_t events) {
    if (spent_ >= options_.budget.explain_nodes_max) return false;
    Budget budget = options_.budget;
    // One hard question must not take what a hundred easy ones need.
    budget.nodes_max = std::max<uint64_t>(options_.budget.explain_nodes_max / 50, 1000);
    const std::vector<Claim> operations = weakened(kept, events);
    const SearchResult result = search_cell(cell_, operations, events, options_, budget);
    // Building the model costs, too.
    spent_ += result.nodes + operations.size();
    return result.outcome == Outcome::kViolation;
  }

  std::vector<const Operation*> core() const {
    std::vector<const Operation*> core;
    for (size_t i = 0; i < cell_.operations.size(); i++) {
      if (is_certain(i)) core.push_back(cell_.operations[i].operation);
    }
    return core;
  }

  // The core and, since their outcomes do not matter but their values do, whoever may have
  // written what the core saw.
  std::vector<OperationId> sub_history(std::span<const Operation* const> core) const {
    std::vector<const Operation*> chosen(core.begin(), core.end());
    std::vector<Sight> seen;
    for (const Operation* reader : core) {
      for (const Sight& sight : sights_of(*reader)) {
        if (!sight.value.is_nil()) seen.push_back(sight);
      }
    }
    const auto consider = [&](const Operation* operation) {
      if (std::ranges::find(chosen, operation) != chosen.end()) return;
      const auto leaves = [&](const Sight& sight) { return may_leave(*operation, sight); };
      if (std::ranges::any_of(seen, leaves)) chosen.push_back(operation);
    };
    for (const auto& [operation, completion] : cell_.operations) {
      if (operation->invoke_at < minimizer_.events()) consider(operation);
    }
    for (const Operation* operation : cell_.failed) consider(operation);
    std::ranges::sort(chosen, {}, &Operation::invoke_at);
    std::vector<OperationId> ids;
    for (const Operation* operation : chosen) ids.push_back(operation->id);
    return ids;
  }

  Verdict verdict() {
    Verdict verdict;
    verdict.outcome = Outcome::kViolation;
    verdict.checker = "linearizability";
    const std::vector<const Operation*> guilty = core();
    for (const Operation* operation : guilty) verdict.operations.push_back(operation->id);
    verdict.sub_history = sub_history(guilty);
    verdict.anomaly = name_anomaly(guilty);
    std::string list;
    for (const Operation* operation : guilty) {
      list += (list.empty() ? "" : "; ") + describe(*cell_.history, *operation);
    }
    verdict.summary = fmt::format("key \"{}\" is not linearizable ({}): {}",
                                  cell_.history->key_name(cell_.key), verdict.anomaly, list);
    explain_order(guilty, verdict);
    add_prefix(verdict);
    return verdict;
  }

  // Who precedes whom; not told where somebody else comes between the two.
  void explain_order(std::span<const Operation* const> guilty, Verdict& verdict) const {
    for (const Operation* first : guilty) {
      uint32_t next_done = kNeverAt;  // Of those that come after it.
      for (const Operation* other : guilty) {
        if (first->precedes(*other)) next_done = std::min(next_done, other->complete_at);
      }
      for (const Operation* second : guilty) {
        if (!first->precedes(*second) || second->invoke_at > next_done) continue;
        verdict.explanation.push_back(
            {fmt::format("{} precedes {}: it had completed before the other was invoked", first->id,
                         second->id),
             {first->id, second->id}});
      }
    }
  }

  // The last prefix that does not fail, in an order that explains it.
  void add_prefix(Verdict& verdict) {
    const uint32_t events = minimizer_.events() - 1;
    search_cell(cell_, prefix(cell_.operations, events), events, options_, options_.budget,
                &verdict.linearized);
  }

  std::string_view name_anomaly(std::span<const Operation* const> guilty) {
    if (const auto name = name_by_values(cell_, guilty, minimizer_.events())) return *name;
    if (const auto name = name_expiry(guilty)) return *name;
    return name_by_order(cell_, guilty).value_or("not-linearizable");
  }

  // Whether other removals by expiry would have explained it.
  std::optional<std::string_view> name_expiry(std::span<const Operation* const> guilty) {
    const auto expires = [](const Claim& source) { return source.operation->argument.is_object(); };
    if (std::ranges::none_of(cell_.operations, expires)) return std::nullopt;
    const auto fails_with = [&](Micros skew) {
      Options lax = options_;
      lax.clock_skew = skew;
      const SearchResult result =
          search_cell(cell_, weakened(minimizer_.kept(), minimizer_.events()), minimizer_.events(),
                      lax, options_.budget);
      return result.outcome != Outcome::kOk;
    };
    // With a clock that may be off by a year any set's removal may come at any time after it.
    if (fails_with(std::chrono::hours(24 * 365))) return std::nullopt;
    const bool missed = std::ranges::any_of(guilty, [](const Operation* operation) {
      return std::ranges::any_of(sights_of(*operation),
                                 [](const Sight& sight) { return sight.value.is_nil(); });
    });
    return missed ? "early-expiry" : "expired-read";
  }

  const CellHistory& cell_;
  const Options& options_;
  Minimizer minimizer_;
  uint64_t spent_ = 0;
};

}  // namespace

KeyType key_type(const History& history) {
  static constexpr std::array<std::pair<std::string_view, KeyType>, 6> kTypes = {{
      {"counter", KeyType::kCounter},
      {"list", KeyType::kSequence},
      {"queue", KeyType::kSequence},
      {"hash", KeyType::kCells},
      {"set", KeyType::kCells},
      {"zset", KeyType::kCells},
  }};
  const auto row = std::ranges::find(kTypes, history.type(), [](const auto& r) { return r.first; });
  return row == kTypes.end() ? KeyType::kString : row->second;
}

SearchResult search_cell(const CellHistory& cell, std::span<const Claim> operations,
                         uint32_t events, const Options& options, const Budget& budget,
                         std::vector<OperationId>* order) {
  const auto run = [&](auto&& model) {
    SearchResult result = search(model.steps(), model, budget);
    if (order != nullptr) {
      for (uint32_t step : result.order) {
        if (model.operation(step) != nullptr) order->push_back(model.operation(step)->id);
      }
    }
    return result;
  };
  switch (key_type(*cell.history)) {
    case KeyType::kString: break;
    case KeyType::kCounter: return run(Counter(operations));
    case KeyType::kSequence: return run(Sequence(operations));
    case KeyType::kCells: return run(Cells(operations, cell.only ? &*cell.only : nullptr));
  }
  return run(Cell(operations, *cell.times,
                  CellOptions{.clock_skew = options.clock_skew, .events = events}));
}

std::vector<Claim> prefix(std::span<const Claim> operations, uint32_t events) {
  std::vector<Claim> prefix;
  for (Claim claim : operations) {
    if (claim.operation->invoke_at >= events) continue;
    if (claim.operation->complete_at >= events) claim.completion = Completion::kUnknown;
    prefix.push_back(claim);
  }
  return prefix;
}

Verdict explain_violation(const CellHistory& cell, const Options& options) {
  Explainer explainer(cell, options);
  explainer.shorten();
  return explainer.run();
}

Verdict explain_violation(const CellHistory& cell, std::span<const Operation* const> conflict,
                          uint32_t events, const Options& options) {
  Explainer explainer(cell, options);
  explainer.restrict_to(conflict, events);
  return explainer.run();
}

}  // namespace seatrial::checkers
