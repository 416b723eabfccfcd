// seatrial check: a checker on anyone's history.
#include "checkers/check.h"
#include "checkers/picture.h"
#include "checkers/tell.h"
#include "commands/commands.h"
#include "reports/run_result.h"

#include <fmt/format.h>

#include <fstream>

namespace seatrial::commands {

namespace {

bool draw(const CheckCommand& command, std::string_view bytes, const checkers::Verdict& verdict) {
  const auto history = checkers::read_history(bytes);
  std::ofstream file(command.html, std::ios::binary);
  if (history) file << checkers::draw_picture(*history, verdict);
  file.close();
  if (history && file) return true;
  fmt::print(stderr, "seatrial check: {}: cannot be written\n", command.html);
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
  if (!command.html.empty() && !draw(command, bytes, *verdict)) return kExitUsage;
  fmt::print("{}", checkers::tell(*verdict));
  switch (verdict->outcome) {
    case checkers::Outcome::kOk: return kExitGood;
    case checkers::Outcome::kViolation: return exit_code(reports::Verdict::kViolation);
    case checkers::Outcome::kUndecided: break;
  }
  // The budget ended first: nothing was found, and nothing was shown.
  return exit_code(reports::Verdict::kStuck);
}

}  // namespace seatrial::commands
