#include "checkers/election.h"

#include "checkers/models/log_facts.h"
#include "checkers/rule_findings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace seatrial::checkers {
namespace {

constexpr std::string_view kChecker = "election";

// The gravest first.
constexpr std::array kAnomalies =
    std::to_array<std::string_view>({"two-primaries", "phantom-primary", "failed-promotion",
                                     "epoch-regress", "no-primary", "disagreement", "unsettled"});

// What an operation says of who is the primary.
struct Claimed {
  const Operation* operation = nullptr;
  int64_t epoch = 0;
  Value node;  // Nil: nobody.
};

Claimed promotion(const Operation& operation) {
  return {&operation, operation.argument.find("epoch")->as_integer(),
          *operation.argument.find("node")};
}

Claimed observation(const Operation& operation) {
  return {&operation, operation.result.find("epoch")->as_integer(),
          *operation.result.find("primary")};
}

// Who is the primary before anything happens, by the file's header.
struct Beginning {
  int64_t epoch = 0;
  std::string primary;  // As JSON; empty: nobody.
};

Beginning beginning_of(const History& history) {
  const auto header =
      nlohmann::json::parse(fmt::format("{{{}}}", history.header_members()), nullptr, false);
  Beginning beginning;
  if (!header.is_object() || !header.contains("primary")) return beginning;
  beginning.primary = header["primary"].dump();
  if (header.contains("epoch") && header["epoch"].is_number_integer()) {
    beginning.epoch = header["epoch"].get<int64_t>();
  }
  return beginning;
}

// One group of nodes.
class Group {
 public:
  Group(std::string_view name, const Beginning& beginning, RuleFindings& findings)
      : name_(name), beginning_(beginning), findings_(findings) {}

  // In the order of their completion; those without one behind.
  void add(const Operation& operation) { operations_.push_back(&operation); }

  // False where nobody observed past the calm's bound.
  bool run() {
    for (const Operation* operation : operations_) {
      if (operation->function == Function::kPromote) {
        asked_[promotion(*operation).epoch].push_back(promotion(*operation));
      }
    }
    for (const Operation* operation : operations_) {
      if (!operation->ok()) continue;
      if (operation->function == Function::kCalm) calm(*operation);
      if (operation->function == Function::kPromote) claim(promotion(*operation), "accepted");
      if (operation->function == Function::kObserve) observe(observation(*operation));
    }
    judge_epochs();
    return judge_calm();
  }

 private:
  void find(std::string_view anomaly, const Operation& at, std::string summary,
            const Operation* other = nullptr) {
    std::vector<OperationId> operations;
    if (other != nullptr) operations.push_back(other->id);
    operations.push_back(at.id);
    findings_.add(anomaly, at.complete_at, std::move(summary), std::move(operations));
  }

  void claim(const Claimed& claimed, std::string_view how) {
    if (!beginning_.primary.empty() && claimed.epoch == beginning_.epoch &&
        claimed.node.json() != beginning_.primary) {
      return find("two-primaries", *claimed.operation,
                  fmt::format("epoch {} of {} begins with {} as its primary, and operation {} "
                              "tells of {}, {}",
                              claimed.epoch, name_, beginning_.primary, claimed.operation->id,
                              claimed.node.json(), how));
    }
    const auto [at, fresh] = primaries_.emplace(claimed.epoch, claimed);
    const Claimed& first = at->second;
    if (fresh || first.node == claimed.node) return;
    find("two-primaries", *claimed.operation,
         fmt::format("epoch {} of {} has two primaries: {} by operation {}, and {}, {} by "
                     "operation {}",
                     claimed.epoch, name_, first.node.json(), first.operation->id,
                     claimed.node.json(), how, claimed.operation->id),
         first.operation);
  }

  // What an observer told cannot be followed, at a later question, by an earlier epoch.
  void judge_epochs() {
    std::vector<std::pair<uint32_t, const Operation*>> events;
    for (const Operation* operation : operations_) {
      if (operation->function != Function::kObserve || !operation->ok()) continue;
      events.emplace_back(operation->invoke_at, operation);
      events.emplace_back(operation->complete_at, operation);
    }
    std::ranges::sort(events, {}, [](const auto& event) { return event.first; });
    std::unordered_map<Value, Claimed, ValueHash> told;  // By observer: its greatest epoch.
    std::unordered_map<uint32_t, Claimed> before;        // By the event that asked.
    for (const auto& [at, operation] : events) {
      Claimed& greatest = told[*operation->argument.find("by")];
      if (operation->invoke_at == at) {
        if (greatest.operation != nullptr) before[at] = greatest;
        continue;
      }
      const Claimed seen = observation(*operation);
      const auto last = before.find(operation->invoke_at);
      if (last != before.end() && seen.epoch < last->second.epoch) regress(seen, last->second);
      if (greatest.operation == nullptr || seen.epoch > greatest.epoch) greatest = seen;
    }
  }

  void regress(const Claimed& seen, const Claimed& last) {
    find("epoch-regress", *seen.operation,
         fmt::format("operation {} hears of epoch {} of {} from {}, which told operation {} of "
                     "epoch {}",
                     seen.operation->id, seen.epoch, name_,
                     seen.operation->argument.find("by")->json(), last.operation->id, last.epoch),
         last.operation);
  }

  void observe(const Claimed& seen) {
    if (seen.node.is_nil()) return;
    claim(seen, "seen");
    judge_origin(seen);
  }

  // Somebody must have asked for it.
  void judge_origin(const Claimed& seen) {
    if (seen.epoch == beginning_.epoch && seen.node.json() == beginning_.primary) return;
    const Operation* failed = nullptr;
    if (const auto asked = asked_.find(seen.epoch); asked != asked_.end()) {
      for (const Claimed& promotion : asked->second) {
        if (!(promotion.node == seen.node)) continue;
        if (promotion.operation->invoke_at > seen.operation->complete_at) continue;
        if (!promotion.operation->failed()) return;
        failed = promotion.operation;
      }
    }
    find(failed == nullptr ? "phantom-primary" : "failed-promotion", *seen.operation,
         fmt::format("operation {} names {} as the primary of {} in epoch {}, {}",
                     seen.operation->id, seen.node.json(), name_, seen.epoch,
                     failed == nullptr
                         ? "which nobody had asked it to be"
                         : fmt::format("but operation {} certainly failed", failed->id)),
         failed);
  }

  // The last calm counts: an earlier one was broken off.
  void calm(const Operation& operation) { calm_ = &operation; }

  bool judge_calm() {
    if (calm_ == nullptr) return true;
    const Micros bound =
        calm_->complete_time + Micros(calm_->argument.find("within")->as_integer());
    std::optional<Claimed> first;
    for (const Operation* operation : operations_) {
      if (!operation->ok() || operation->invoke_time <= bound) continue;
      if (operation->function == Function::kPromote) judge_late(*operation);
      if (operation->function != Function::kObserve) continue;
      const Claimed seen = observation(*operation);
      if (seen.node.is_nil()) {
        find("no-primary", *operation,
             fmt::format("operation {} hears from {} that {} has no primary, past the bound of "
                         "operation {}",
                         operation->id, operation->argument.find("by")->json(), name_, calm_->id),
             calm_);
        continue;
      }
      if (!first) first = seen;
      if (first->node == seen.node && first->epoch == seen.epoch) continue;
      find("disagreement", *operation,
           fmt::format("past the bound of operation {}, operation {} hears of {} in epoch {} and "
                       "operation {} of {} in epoch {} as the primary of {}",
                       calm_->id, first->operation->id, first->node.json(), first->epoch,
                       operation->id, seen.node.json(), seen.epoch, name_),
           first->operation);
    }
    return first.has_value() ||
           std::ranges::any_of(findings_.all(), [&](const RuleFinding& finding) {
             return finding.operations.front() == calm_->id;
           });
  }

  void judge_late(const Operation& operation) {
    find("unsettled", operation,
         fmt::format("operation {} makes {} the primary of {}, past the bound of operation {}",
                     operation.id, operation.argument.find("node")->json(), name_, calm_->id),
         calm_);
  }

  std::string_view name_;
  const Beginning& beginning_;
  RuleFindings& findings_;
  std::vector<const Operation*> operations_;
  std::map<int64_t, std::vector<Claimed>> asked_;  // By epoch.
  std::map<int64_t, Claimed> primaries_;           // By epoch: the first that was known.
  const Operation* calm_ = nullptr;
};

std::vector<const Operation*> by_completion(const History& history) {
  std::vector<const Operation*> order;
  for (const Operation& operation : history.operations()) order.push_back(&operation);
  std::ranges::stable_sort(order, {}, &Operation::complete_at);
  return order;
}

}  // namespace

Verdict check_election(const History& history, const Options&) {
  Verdict verdict;
  verdict.checker = kChecker;
  verdict.nodes = history.operations().size();
  const Beginning beginning = beginning_of(history);
  RuleFindings findings(kAnomalies);
  std::vector<Group> groups;
  for (KeyId key = 0; key < history.keys(); key++) {
    groups.emplace_back(history.key_name(key), beginning, findings);
  }
  for (const Operation* operation : by_completion(history)) groups[operation->key].add(*operation);
  std::string unobserved;
  for (KeyId key = 0; key < history.keys(); key++) {
    if (!groups[key].run()) unobserved = history.key_name(key);
  }
  if (!findings.empty()) {
    findings.describe(history, verdict);
  } else if (!unobserved.empty()) {
    verdict.outcome = Outcome::kUndecided;
    verdict.summary =
        fmt::format("undecided: nobody observed {} past the bound of its calm", unobserved);
  } else {
    verdict.summary = fmt::format("{} operations on {} groups: one primary an epoch, and agreement",
                                  history.operations().size(), history.keys());
  }
  return verdict;
}

}  // namespace seatrial::checkers
