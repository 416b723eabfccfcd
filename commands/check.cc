// seatrial check: a checker on anyone's history.
#include "checkers/check.h"
#include "commands/commands.h"
#include "reports/run_result.h"

#include <fmt/format.h>

#include <fstream>

namespace seatrial::commands {

namespace {

// The cycles of the verdict; without any the drawing is empty.
bool write_dot(const CheckCommand& command, const std::string& dot) {
  std::ofstream out(command.dot, std::ios::binary);
  out << (dot.empty() ? "digraph anomalies {\n}\n" : dot);
  out.flush();
  if (out) return true;
  fmt::print(stderr, "seatrial check: {}: cannot be written\n", command.dot);
  return false;
}

}  // namespace

int check(const CheckCommand& command) {
  std::ifstream file(command.history, std::ios::binary);
  if (!file) {
    fmt::print(stderr, "seatrial check: {}: cannot be read\n", command.history);
    return kExitUsage;
  }
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto verdict = checkers::check(command.model, bytes);
  if (!verdict) {
    fmt::print(stderr, "seatrial check: {}: {}\n", command.history, verdict.error().message());
    return kExitUsage;
  }
  fmt::print("{}: {}", verdict->checker, to_string(verdict->outcome));
  if (!verdict->anomaly.empty()) fmt::print(" ({})", verdict->anomaly);
  fmt::print("\n{}\n", verdict->summary);
  for (const std::string& sentence : verdict->explanation) fmt::print("  {}\n", sentence);
  if (!command.dot.empty() && !write_dot(command, verdict->dot)) return kExitUsage;
  if (!verdict->sub_history.empty()) {
    fmt::print("  the smallest sub-history found: operations {}\n",
               fmt::join(verdict->sub_history, ", "));
  }
  switch (verdict->outcome) {
    case checkers::Outcome::kOk: return kExitGood;
    case checkers::Outcome::kViolation: return exit_code(reports::Verdict::kViolation);
    case checkers::Outcome::kUndecided: break;
  }
  // The budget ended first: nothing was found, and nothing was shown.
  return exit_code(reports::Verdict::kStuck);
}

}  // namespace seatrial::commands
