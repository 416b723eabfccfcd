#include "checkers/transactions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "checkers/dependencies.h"
#include "checkers/minimize.h"
#include "checkers/models/transactions.h"

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
    if (result.outcome == Outcome::kViolation) verdict = explain();
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
    Budget budget = options_.budget;
    budget.nodes_max = options_.budget.explain_nodes_max - spent_;
    const SearchResult result = search_units(kept, events, budget, order);
    spent_ += result.nodes + units_.size();
    return result.outcome == Outcome::kViolation;
  }

  Verdict explain() {
    Minimizer minimizer(units_.size(), history_.events(),
                        [this](const std::vector<bool>& kept, uint32_t events) {
                          return fails(kept, events, nullptr);
                        });
    minimizer.shorten(ends());
    std::vector<size_t> certain;
    const auto is_certain = [&](size_t i) {
      return minimizer.kept()[i] && units_[i].completion == Completion::kOk &&
             units_[i].operation->complete_at < minimizer.events();
    };
    for (size_t i = 0; i < units_.size(); i++) {
      if (is_certain(i)) certain.push_back(i);
    }
    minimizer.weaken(std::move(certain));
    std::vector<const Unit*> guilty;
    for (size_t i = 0; i < units_.size(); i++) {
      if (is_certain(i)) guilty.push_back(&units_[i]);
    }
    Verdict verdict = describe_conflict(history_, keys_, units_, guilty);
    verdict.checker = kChecker;
    // The last prefix that does not fail, in an order that explains it.
    const std::vector<bool> all(units_.size(), true);
    spent_ = 0;
    fails(all, minimizer.events() - 1, &verdict.linearized);
    return verdict;
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
