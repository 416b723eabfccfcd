// What a checker's rules find wrong with a history, and the verdict that the gravest of it makes.
#pragma once

#include "checkers/history.h"
#include "checkers/verdict.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::checkers {

struct RuleFinding {
  size_t rank = 0;  // Of its anomaly: 0 is the gravest.
  uint32_t at = 0;  // The event that shows it.
  std::string summary;
  std::vector<OperationId> operations;  // That contradict each other.
  std::vector<Sentence> why = {};       // Beside the operations themselves.
};

class RuleFindings {
 public:
  // `anomalies`: all names that the checker has, the gravest first. They must outlive this.
  explicit RuleFindings(std::span<const std::string_view> anomalies) : anomalies_(anomalies) {}

  void add(std::string_view anomaly, uint32_t at, std::string summary,
           std::vector<OperationId> operations, std::vector<Sentence> why = {});

  bool empty() const { return all_.empty(); }
  std::span<const RuleFinding> all() const { return all_; }
  // A violation: the gravest, and of those the earliest; some of the others in words. There must
  // be one.
  void describe(const History& history, Verdict& verdict);

 private:
  std::span<const std::string_view> anomalies_;
  std::vector<RuleFinding> all_;
};

}  // namespace seatrial::checkers
