#include "checkers/rule_findings.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::checkers {

void RuleFindings::add(std::string_view anomaly, uint32_t at, std::string summary,
                       std::vector<OperationId> operations, std::vector<Sentence> why) {
  const auto row = std::ranges::find(anomalies_, anomaly);
  CHECK_MSG(row != anomalies_.end(), "anomaly {}", anomaly);
  all_.push_back({.rank = static_cast<size_t>(row - anomalies_.begin()),
                  .at = at,
                  .summary = std::move(summary),
                  .operations = std::move(operations),
                  .why = std::move(why)});
}

void RuleFindings::describe(const History& history, Verdict& verdict) {
  CHECK(!all_.empty());
  std::ranges::stable_sort(all_, {}, [](const RuleFinding& f) { return std::pair(f.rank, f.at); });
  const RuleFinding& worst = all_.front();
  verdict.outcome = Outcome::kViolation;
  verdict.anomaly = anomalies_[worst.rank];
  verdict.summary = fmt::format("{}: {}", verdict.anomaly, worst.summary);
  verdict.operations = verdict.sub_history = worst.operations;
  verdict.explanation = worst.why;
  for (OperationId each : worst.operations) {
    verdict.explanation.push_back(quote(history, *history.find(each)));
  }
  constexpr size_t kOthersMax = 10;
  for (size_t i = 1; i < std::min(all_.size(), kOthersMax + 1); i++) {
    verdict.explanation.push_back(
        {fmt::format("also {}: {}", anomalies_[all_[i].rank], all_[i].summary),
         all_[i].operations});
  }
}

}  // namespace seatrial::checkers
