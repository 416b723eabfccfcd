// What is wrong with a log, as its rules find it: the names in the order of their gravity, and the
// verdict that the gravest makes. offsets.h says what each name means.
#pragma once

#include "checkers/history.h"
#include "checkers/verdict.h"

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
  // The gravest, and of those the earliest; some of the others in words.
  void describe(const History& history, Verdict& verdict);

 private:
  struct Finding {
    size_t rank = 0;
    uint32_t at = 0;  // Event.
    std::string summary;
    std::vector<OperationId> operations;
    std::vector<Sentence> why;
  };

  std::vector<Finding> found_;
};

}  // namespace seatrial::checkers
