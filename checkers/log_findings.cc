#include "checkers/log_findings.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

constexpr std::array kAnomalies = std::to_array<std::string_view>(
    {// What was found, and where.
     "garbage", "aborted-read", "precommitted-read", "payload-changed", "inconsistent-offsets",
     "lost-write", "duplicate", "torn-batch", "offset-reused", "nonmonotonic-send",
     "int-nonmonotonic-send", "hw-regress", "early-visible", "beyond-hw",
     // Transactions against each other.
     "G1c", "G1c-process", "G1c-realtime",
     // Readers.
     "int-poll-skip", "int-nonmonotonic-poll", "poll-skip", "nonmonotonic-poll", "withheld",
     "false-out-of-range", "past-end-accepted", "beyond-sent", "wrong-time-index", "log-bounds",
     // Groups.
     "double-owner", "unowned", "generation-regress", "stale-commit", "phantom-commit",
     "lost-commit", "undelivered",
     // The rest.
     "key-moved", "lost-topic", "protocol-error", "unseen", "late"});

// Enough to explain; a broken log breaks everything after it as well.
constexpr size_t kFindingsMax = 10'000;

}  // namespace

std::span<const std::string_view> log_anomalies() { return kAnomalies; }

void LogFindings::add(std::string_view anomaly, const Operation& at, std::string summary,
                      const Operation* other) {
  const Operation* const both[] = {other, &at};
  const bool alone = other == nullptr || other == &at;
  add(anomaly, std::span(both).subspan(alone ? 1 : 0), std::move(summary));
}

void LogFindings::add(std::string_view anomaly, std::span<const Operation* const> operations,
                      std::string summary, std::vector<std::string> why) {
  if (found_.size() == kFindingsMax) return;
  const auto row = std::ranges::find(kAnomalies, anomaly);
  CHECK_MSG(row != kAnomalies.end(), "anomaly {}", anomaly);
  Finding& finding = found_.emplace_back();
  finding.rank = static_cast<size_t>(row - kAnomalies.begin());
  const Operation& last = *operations.back();
  finding.at = last.complete_at == kNeverAt ? last.invoke_at : last.complete_at;
  finding.summary = std::move(summary);
  finding.why = std::move(why);
  for (const Operation* operation : operations) finding.operations.push_back(operation->id);
}

void LogFindings::describe(const History& history, Verdict& verdict) {
  std::ranges::stable_sort(found_, {}, [](const Finding& f) { return std::pair(f.rank, f.at); });
  const Finding& worst = found_.front();
  verdict.outcome = Outcome::kViolation;
  verdict.anomaly = kAnomalies[worst.rank];
  verdict.summary = fmt::format("{}: {}", verdict.anomaly, worst.summary);
  verdict.operations = verdict.sub_history = worst.operations;
  verdict.explanation = worst.why;
  for (OperationId each : worst.operations) {
    verdict.explanation.push_back(checkers::describe(history, *history.find(each)));
  }
  constexpr size_t kOthersMax = 10;
  for (size_t i = 1; i < std::min(found_.size(), kOthersMax + 1); i++) {
    verdict.explanation.push_back(
        fmt::format("also {}: {}", kAnomalies[found_[i].rank], found_[i].summary));
  }
}

}  // namespace seatrial::checkers
