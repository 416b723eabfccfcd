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

bool write(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  fmt::print(stderr, "seatrial check: {}: cannot be written\n", path);
  return false;
}

int refuse(const CheckCommand& command, const base::Error& error) {
  fmt::print(stderr, "seatrial check: {}: {}\n", command.history, error.message());
  return kExitUsage;
}

// All of a file, also of a pipe; a long history is the largest thing in memory.
std::string read_all(std::ifstream& file) {
  constexpr size_t kChunk = 1 << 20;
  std::string bytes;
  while (file) {
    const size_t before = bytes.size();
    bytes.resize(before + kChunk);
    file.read(bytes.data() + before, kChunk);
    bytes.resize(before + static_cast<size_t>(file.gcount()));
  }
  return bytes;
}

}  // namespace

int check(const CheckCommand& command) {
  std::ifstream file(command.history, std::ios::binary);
  if (!file) {
    fmt::print(stderr, "seatrial check: {}: cannot be read\n", command.history);
    return kExitUsage;
  }
  const auto history = checkers::read_history(read_all(file));
  if (!history) return refuse(command, history.error());
  const auto verdict = checkers::check(command.model, *history);
  if (!verdict) return refuse(command, verdict.error());
  if (!command.html.empty() && !write(command.html, checkers::draw_picture(*history, *verdict))) {
    return kExitUsage;
  }
  // Without cycles the drawing is empty.
  const std::string cycles = verdict->dot.empty() ? "digraph anomalies {\n}\n" : verdict->dot;
  if (!command.dot.empty() && !write(command.dot, cycles)) return kExitUsage;
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
