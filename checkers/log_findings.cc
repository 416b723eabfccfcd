#include "checkers/log_findings.h"

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
                      std::string summary, std::vector<Sentence> why) {
  if (found_.all().size() == kFindingsMax) return;
  const Operation& last = *operations.back();
  std::vector<OperationId> ids;
  for (const Operation* operation : operations) ids.push_back(operation->id);
  found_.add(anomaly, last.complete_at == kNeverAt ? last.invoke_at : last.complete_at,
             std::move(summary), std::move(ids), std::move(why));
}

}  // namespace seatrial::checkers
