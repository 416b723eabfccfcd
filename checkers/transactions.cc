#include "checkers/transactions.h"

#include "base/check.h"
#include "checkers/dependencies.h"
#include "checkers/minimize.h"
#include "checkers/models/transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace seatrial::checkers {
namespace {

constexpr std::string_view kChecker = "strict-serializability";

class Checker {
 public:
  Checker(const History& history, const Options& options)
      : history_(history), options_(options), units_(split_units(history, keys_)) {}

  Verdict run() {
    const std::vector<bool> all(units_.size(), true);
    const SearchResult result = search_units(all, history_.events(), options_.budget, nullptr);
    Verdict verdict;
    verdict.checker = kChecker;
    if (result.outcome == Outcome::kViolation) {
      verdict.anomaly = "not-serializable";
      verdict.summary = "not strictly serializable";
      if (options_.explain) verdict = explain();
    }
    verdict.outcome = result.outcome;
    verdict.nodes = result.nodes;
    if (result.outcome == Outcome::kOk) {
      verdict.summary = fmt::format("{} operations on {} keys are strictly serializable",
                                    history_.operations().size(), keys_.size());
    } else if (result.outcome == Outcome::kUndecided) {
      verdict.summary = fmt::format("undecided: the budget ended after {} steps and {} MiB",
                                    result.nodes, result.bytes >> 20);
    }
    return verdict;
  }

 private:
  SearchResult search_units(const std::vector<bool>& kept, uint32_t events, const Budget& budget,
                            std::vector<OperationId>* order) const {
    std::vector<Unit> weak;
    weak.reserve(units_.size());
    std::vector<const Unit*> chosen;
    for (size_t i = 0; i < units_.size(); i++) {
      if (kept[i]) {
        chosen.push_back(&units_[i]);
      } else {
        chosen.push_back(&weak.emplace_back(weakened(units_[i])));
      }
    }
    Transactions model(chosen, keys_.size(), events);
    SearchResult result = search(model.steps(), model, budget);
    if (order != nullptr) {
      for (uint32_t step : result.order) order->push_back(model.operation(step)->id);
    }
    return result;
  }

  bool fails(const std::vector<bool>& kept, uint32_t events, std::vector<OperationId>* order) {
    if (spent_ >= options_.budget.explain_nodes_max) return false;
    // One hard question must not take what a hundred easy ones need. Each placement makes a state
    // of all keys, which is dearer than in a single cell.
    Budget budget = options_.budget;
    budget.nodes_max = std::max<uint64_t>(options_.budget.explain_nodes_max / 500, 1000);
    const SearchResult result = search_units(kept, events, budget, order);
    spent_ += 8 * result.nodes + units_.size();
    return result.outcome == Outcome::kViolation;
  }

  Verdict explain() {
    Minimizer minimizer(units_.size(), history_.events(),
                        [this](const std::vector<bool>& kept, uint32_t events) {
                          return fails(kept, events, nullptr);
                        });
    minimizer.shorten(ends());
    const std::vector<Unit> units = prefix_units(units_, minimizer.events());
    std::optional<Conflict> conflict = find_conflict(history_, keys_, units);
    if (!conflict) conflict = find_culprit(minimizer.events());
    if (!conflict) conflict = minimized(minimizer);
    Verdict verdict = verdict_of(*conflict, units);
    // The last prefix that does not fail, in an order that explains it.
    const std::vector<bool> all(units_.size(), true);
    spent_ = 0;
    fails(all, minimizer.events() - 1, &verdict.linearized);
    return verdict;
  }

  // One exec without whose answer, or without whose watch, everything else can be explained.
  std::optional<Conflict> find_culprit(uint32_t events) const {
    for (size_t i = units_.size(); i-- > 0;) {
      const Unit& unit = units_[i];
      if (!unit.aborted || unit.operation->complete_at >= events) continue;
      if (!explained_with(i, weakened(unit), events)) continue;
      return Conflict{"spurious-abort",
                      {unit.operation},
                      {{fmt::format("{} answered nil: all else can be explained, but not together "
                                    "with a write of a watched key between its watch and it",
                                    unit.operation->id),
                        {unit.operation->id}}}};
    }
    for (size_t i = units_.size(); i-- > 0;) {
      const Unit& unit = units_[i];
      if (!unit.commits() || unit.watches.empty() || unit.operation->complete_at >= events)
        continue;
      Unit unwatched = unit;
      unwatched.watches.clear();
      unwatched.watched.clear();
      if (!explained_with(i, unwatched, events)) continue;
      return Conflict{"lost-watch",
                      {unit.operation},
                      {{fmt::format("{} went through: all else can be explained, but not without a "
                                    "write of a watched key between its watch and it",
                                    unit.operation->id),
                        {unit.operation->id}}}};
    }
    return std::nullopt;
  }

  bool explained_with(size_t index, const Unit& instead, uint32_t events) const {
    std::vector<const Unit*> chosen;
    for (size_t i = 0; i < units_.size(); i++) chosen.push_back(i == index ? &instead : &units_[i]);
    Transactions model(chosen, keys_.size(), events);
    Budget budget = options_.budget;
    budget.nodes_max = options_.budget.explain_nodes_max / 500;
    return search(model.steps(), model, budget).outcome == Outcome::kOk;
  }

  // No dependency shows it: the operations that the contradiction needs.
  Conflict minimized(Minimizer& minimizer) {
    const auto is_certain = [&](size_t i) {
      return minimizer.kept()[i] && units_[i].completion == Completion::kOk &&
             units_[i].operation->complete_at < minimizer.events();
    };
    std::vector<size_t> certain;
    for (size_t i = 0; i < units_.size(); i++) {
      if (is_certain(i)) certain.push_back(i);
    }
    minimizer.weaken(std::move(certain));
    Conflict conflict{"not-serializable", {}, {}};
    for (size_t i = 0; i < units_.size(); i++) {
      if (is_certain(i)) conflict.operations.push_back(units_[i].operation);
    }
    conflict.explanation = {{"no order of these operations explains all their results"}};
    return conflict;
  }

  Verdict verdict_of(const Conflict& conflict, std::span<const Unit> units) const {
    Verdict verdict;
    verdict.checker = kChecker;
    verdict.anomaly = conflict.anomaly;
    verdict.explanation = conflict.explanation;
    std::vector<const Operation*> blamed = conflict.operations;
    std::ranges::sort(blamed, {}, &Operation::invoke_at);
    std::string list;
    for (const Operation* operation : blamed) {
      verdict.operations.push_back(operation->id);
      list += (list.empty() ? "" : "; ") + describe(history_, *operation);
    }
    verdict.summary = fmt::format("not strictly serializable ({}): {}", conflict.anomaly, list);
    verdict.sub_history = sub_history(blamed, units);
    return verdict;
  }

  // The blamed ones with their watches, and whoever may have written what they read.
  static std::vector<OperationId> sub_history(std::span<const Operation* const> blamed,
                                              std::span<const Unit> units) {
    std::vector<const Operation*> chosen(blamed.begin(), blamed.end());
    std::vector<KeyValue> read;
    const auto is_blamed = [&](const Unit& unit) {
      return std::ranges::find(blamed, unit.operation) != blamed.end();
    };
    for (const Unit& unit : units) {
      if (!is_blamed(unit)) continue;
      chosen.insert(chosen.end(), unit.watches.begin(), unit.watches.end());
      read.insert(read.end(), unit.reads.begin(), unit.reads.end());
    }
    for (const Unit& unit : units) {
      const bool wrote = std::ranges::any_of(unit.writes, [&](const KeyValue& pair) {
        return std::ranges::any_of(read, [&](const KeyValue& wanted) {
          return wanted.key == pair.key && wanted.value == pair.value;
        });
      });
      if (wrote && !is_blamed(unit)) chosen.push_back(unit.operation);
    }
    std::ranges::sort(chosen, {}, &Operation::invoke_at);
    const auto repeated = std::ranges::unique(chosen);
    chosen.erase(repeated.begin(), repeated.end());
    std::vector<OperationId> ids;
    for (const Operation* operation : chosen) ids.push_back(operation->id);
    return ids;
  }

  std::vector<uint32_t> ends() const {
    std::vector<uint32_t> ends;
    for (const Unit& unit : units_) {
      if (unit.completion == Completion::kOk) ends.push_back(unit.operation->complete_at + 1);
    }
    std::ranges::sort(ends);
    return ends;
  }

  const History& history_;
  const Options& options_;
  KeyTable keys_;
  std::vector<Unit> units_;
  uint64_t spent_ = 0;
};

}  // namespace

Verdict check_transactions(const History& history, const Options& options) {
  return Checker(history, options).run();
}

}  // namespace seatrial::checkers
