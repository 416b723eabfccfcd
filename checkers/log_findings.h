// What is wrong with a log, as its rules find it: the names in the order of their gravity.
// offsets.h says what each name means.
#pragma once

#include "checkers/history.h"
#include "checkers/rule_findings.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::checkers {

// All names, the gravest first.
std::span<const std::string_view> log_anomalies();

class LogFindings {
 public:
  // `at`: whose answer shows it; `other`: what it contradicts, if that is one operation.
  void add(std::string_view anomaly, const Operation& at, std::string summary,
           const Operation* other = nullptr);
  // Several operations that contradict each other, in an order that tells the story; and why.
  void add(std::string_view anomaly, std::span<const Operation* const> operations,
           std::string summary, std::vector<Sentence> why = {});

  bool empty() const { return found_.empty(); }
  void describe(const History& history, Verdict& verdict) { found_.describe(history, verdict); }

 private:
  RuleFindings found_{log_anomalies()};
};

}  // namespace seatrial::checkers
