#include "checkers/explain.h"

#include "base/check.h"
#include "checkers/minimize.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace seatrial::checkers {
namespace {

// What an operation saw: nothing (nullopt), or the value it found, nil included.
std::optional<Value> observed_by(const Operation& operation) {
  if (!operation.ok()) return std::nullopt;
  const bool is_one = operation.result == Value::integer(1);
  switch (operation.function) {
    case Function::kGet:
    case Function::kGetset: return canonical(operation.result);
    case Function::kCas:
      if (is_one) return canonical(operation.argument.items()[0]);
      return std::nullopt;
    case Function::kDel:
      if (!is_one) return Value();
      return std::nullopt;
    case Function::kIncr:
      if (!operation.result.is_integer() || is_one) return std::nullopt;
      return Value::integer(operation.result.as_integer() - 1);
    default: return std::nullopt;
  }
}

// Whether the operation might leave `value` behind.
bool may_write(const Operation& operation, const Value& value) {
  const Value& argument = operation.argument;
  switch (operation.function) {
    case Function::kSet:
      // With px it also leaves nil, in time.
      if (argument.is_object()) return value.is_nil() || canonical(*argument.find("v")) == value;
      return canonical(argument) == value;
    case Function::kGetset: return canonical(argument) == value;
    case Function::kCas:
      return (!operation.ok() || operation.result == Value::integer(1)) &&
             canonical(argument.items()[1]) == value;
    case Function::kDel: return value.is_nil();
    case Function::kIncr:
      return operation.ok() ? canonical(operation.result) == value : value.is_integer();
    case Function::kAppend: return !value.is_nil();
    default: return false;
  }
}

class Explainer {
 public:
  Explainer(const CellHistory& cell, const Options& options)
      : cell_(cell),
        options_(options),
        minimizer_(cell.operations.size(), cell.history->events(),
                   [this](const std::vector<bool>& kept, uint32_t events) {
                     return fails(kept, events, nullptr);
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

  bool fails(const std::vector<bool>& kept, uint32_t events, std::vector<OperationId>* order) {
    if (spent_ >= options_.budget.explain_nodes_max) return false;
    Budget budget = options_.budget;
    // One hard question must not take what a hundred easy ones need.
    budget.nodes_max = std::max<uint64_t>(options_.budget.explain_nodes_max / 50, 1000);
    const std::vector<Claim> operations = weakened(kept, events);
    const SearchResult result = search_cell(cell_, operations, events, options_, budget, order);
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
    const auto consider = [&](const Operation* operation) {
      if (std::ranges::find(chosen, operation) != chosen.end()) return;
      for (const Operation* reader : core) {
        const std::optional<Value> seen = observed_by(*reader);
        if (seen && !seen->is_nil() && may_write(*operation, *seen)) {
          chosen.push_back(operation);
          return;
        }
      }
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
    name_anomaly(guilty, verdict);
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

  void explain_order(std::span<const Operation* const> guilty, Verdict& verdict) const {
    for (size_t i = 0; i < guilty.size(); i++) {
      for (size_t j = 0; j < guilty.size(); j++) {
        if (!guilty[i]->precedes(*guilty[j])) continue;
        verdict.explanation.push_back(
            fmt::format("{} precedes {}: it had completed before the other was invoked",
                        guilty[i]->id, guilty[j]->id));
      }
    }
  }

  // The last prefix that does not fail, in an order that explains it.
  void add_prefix(Verdict& verdict) {
    const std::vector<bool> all(cell_.operations.size(), true);
    spent_ = 0;
    fails(all, minimizer_.events() - 1, &verdict.linearized);
  }

  void name_anomaly(std::span<const Operation* const> guilty, Verdict& verdict) {
    verdict.anomaly = "not-linearizable";
    for (const Operation* reader : guilty) {
      if (name_unwritten(*reader, verdict)) return;
    }
    if (name_lost_update(guilty, verdict)) return;
    if (name_expiry(guilty, verdict)) return;
    for (const Operation* reader : guilty) {
      const std::optional<Value> seen = observed_by(*reader);
      if (!seen) continue;
      // An older value although a write that left another had completed in between.
      for (const Operation* write : guilty) {
        if (write != reader && write->precedes(*reader) && !may_write(*write, *seen)) {
          verdict.anomaly = seen->is_nil() ? "lost-write" : "stale-read";
          return;
        }
      }
    }
  }

  // Values from nowhere, from failed writes, or from the future.
  bool name_unwritten(const Operation& reader, Verdict& verdict) const {
    const std::optional<Value> seen = observed_by(reader);
    if (!seen || seen->is_nil()) return false;
    bool written = false;
    for (const auto& [operation, completion] : cell_.operations) {
      if (operation == &reader || !may_write(*operation, *seen)) continue;
      if (operation->invoke_at < reader.complete_at) return false;
      written = true;
    }
    const bool failed = std::ranges::any_of(cell_.failed, [&](const Operation* operation) {
      return may_write(*operation, *seen) && operation->invoke_at < reader.complete_at;
    });
    verdict.anomaly = failed ? "aborted-read" : written ? "future-read" : "phantom-read";
    return true;
  }

  // Two took the same value away, and only once was it there.
  static bool name_lost_update(std::span<const Operation* const> guilty, Verdict& verdict) {
    const auto takes = [](const Operation& operation) {
      return operation.function == Function::kIncr || operation.function == Function::kCas ||
             operation.function == Function::kGetset;
    };
    for (size_t i = 0; i < guilty.size(); i++) {
      for (size_t j = i + 1; j < guilty.size(); j++) {
        if (!takes(*guilty[i]) || !takes(*guilty[j])) continue;
        const bool both_first = guilty[i]->function == Function::kIncr &&
                                guilty[j]->function == Function::kIncr &&
                                guilty[i]->result == guilty[j]->result;
        const std::optional<Value> seen = observed_by(*guilty[i]);
        if (!both_first && (!seen || seen != observed_by(*guilty[j]))) continue;
        verdict.anomaly = "lost-update";
        return true;
      }
    }
    return false;
  }

  // Whether other removals by expiry would have explained it.
  bool name_expiry(std::span<const Operation* const> guilty, Verdict& verdict) {
    const auto expires = [](const Claim& source) { return source.operation->argument.is_object(); };
    if (std::ranges::none_of(cell_.operations, expires)) return false;
    const auto fails_with = [&](Micros skew) {
      Options lax = options_;
      lax.clock_skew = skew;
      const SearchResult result =
          search_cell(cell_, weakened(minimizer_.kept(), minimizer_.events()), minimizer_.events(),
                      lax, options_.budget);
      return result.outcome != Outcome::kOk;
    };
    // With a clock that may be off by a year any set's removal may come at any time after it.
    if (fails_with(std::chrono::hours(24 * 365))) return false;
    const bool missed = std::ranges::any_of(guilty, [](const Operation* operation) {
      const std::optional<Value> seen = observed_by(*operation);
      return seen && seen->is_nil();
    });
    verdict.anomaly = missed ? "early-expiry" : "expired-read";
    return true;
  }

  const CellHistory& cell_;
  const Options& options_;
  Minimizer minimizer_;
  uint64_t spent_ = 0;
};

}  // namespace

SearchResult search_cell(const CellHistory& cell, std::span<const Claim> operations,
                         uint32_t events, const Options& options, const Budget& budget,
                         std::vector<OperationId>* order) {
  Cell model(operations, *cell.times,
             CellOptions{.clock_skew = options.clock_skew, .events = events});
  SearchResult result = search(model.steps(), model, budget);
  if (order != nullptr) {
    for (uint32_t step : result.order) {
      if (model.operation(step) != nullptr) order->push_back(model.operation(step)->id);
    }
  }
  return result;
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
