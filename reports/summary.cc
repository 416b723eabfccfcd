#include "reports/summary.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::reports {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kLineColumns = 100;
constexpr size_t kIndentColumns = 10;

// The verdicts as columns, in the order of the enumerators.
constexpr std::array<std::string_view, kVerdicts> kColumns = {"pass", "violation", "crash", "stuck",
                                                              "nondet"};

double ratio(nanoseconds numerator, nanoseconds denominator) {
  if (denominator.count() <= 0) return 0;
  return static_cast<double>(numerator.count()) / static_cast<double>(denominator.count());
}

// Items one after the other, wrapped and indented below a title in the first columns.
std::string paragraph(std::string_view title, const std::vector<std::string>& items,
                      std::string_view separator) {
  std::string text = fmt::format("{:<{}}", title, kIndentColumns);
  size_t column = kIndentColumns;
  for (size_t i = 0; i < items.size(); ++i) {
    std::string item = items[i];
    if (i + 1 < items.size()) item += separator;
    if (column > kIndentColumns && column + 1 + item.size() > kLineColumns) {
      text += "\n" + std::string(kIndentColumns, ' ');
      column = kIndentColumns;
    } else if (column > kIndentColumns) {
      text += " ";
      ++column;
    }
    text += item;
    column += item.size();
  }
  return text + "\n";
}

// Names to the left, numbers to the right, two blanks between columns.
std::string align(const std::vector<std::vector<std::string>>& rows, size_t column,
                  const std::string& cell) {
  size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row[column].size());
  return column == 0 ? fmt::format("{:<{}}", cell, width) : fmt::format("  {:>{}}", cell, width);
}

int gravity(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return 0;
    case Verdict::kStuck: return 1;
    case Verdict::kNondeterministic: return 2;
    case Verdict::kCrash: return 3;
    case Verdict::kViolation: return 4;
  }
  UNREACHABLE("verdict {}", static_cast<int>(verdict));
}

}  // namespace

void Summary::Row::add(const RunResult& result) {
  ++verdicts[static_cast<size_t>(result.verdict)];
  events += result.events;
  ops += result.ops;
  sim_time += result.sim_time;
  wall_time += result.wall_time;
}

uint64_t Summary::Row::runs() const {
  uint64_t runs = 0;
  for (uint64_t count : verdicts) runs += count;
  return runs;
}

Summary::Summary(std::vector<std::string> catalog) : catalog_(catalog.begin(), catalog.end()) {}

void Summary::add(const RunResult& result) {
  ++runs_;
  rows_[result.scenario].add(result);
  total_.add(result);
  for (const auto& [kind, count] : result.faults) faults_[kind] += count;
  for (const auto& [kind, count] : result.held_back) held_back_[kind] += count;
  for (const auto& [mark, count] : result.marks) hit_[mark] += count;
  if (result.verdict != Verdict::kPass && first_failures_.size() < kFailuresShownMax) {
    first_failures_.push_back({result.scenario, result.seed, result.verdict, reason(result),
                               repeat_command(result), result.capsule});
  }
  CHECK(total_.runs() == runs_);
}

int Summary::exit_code() const {
  Verdict worst = Verdict::kPass;
  for (int i = 0; i < kVerdicts; ++i) {
    auto verdict = static_cast<Verdict>(i);
    if (count(verdict) > 0 && gravity(verdict) > gravity(worst)) worst = verdict;
  }
  return reports::exit_code(worst);
}

std::vector<std::string> Summary::marks_never_hit() const {
  std::vector<std::string> never;
  for (const std::string& mark : catalog_) {
    if (!hit_.contains(mark)) never.push_back(mark);
  }
  return never;
}

std::string Summary::text(nanoseconds elapsed, const Paint& paint) const {
  if (runs_ == 0) return "no run was made\n";
  return table(paint) + "\n" + faults_text(paint) + marks_text(paint) + failures_text(paint) +
         "\n" + speed_text(elapsed, paint);
}

std::vector<std::string> Summary::cells(const std::string& name, const Row& row) const {
  std::vector<std::string> cells = {name, grouped(row.runs())};
  for (size_t i = 0; i < kVerdicts; ++i) {
    // A column of a verdict that never came says nothing.
    if (i > 0 && total_.verdicts[i] == 0) continue;
    cells.push_back(row.verdicts[i] == 0 ? "-" : grouped(row.verdicts[i]));
  }
  double seconds = std::chrono::duration<double>(row.wall_time).count();
  cells.push_back(grouped(row.ops));
  cells.push_back(seconds > 0 ? rounded(static_cast<double>(row.runs()) / seconds) : "-");
  cells.push_back(rounded(ratio(row.sim_time, row.wall_time)));
  return cells;
}

std::string Summary::table(const Paint& paint) const {
  std::vector<std::vector<std::string>> lines(1);
  lines[0] = {"scenario", "seeds"};
  for (size_t i = 0; i < kVerdicts; ++i) {
    if (i == 0 || total_.verdicts[i] > 0) lines[0].emplace_back(kColumns[i]);
  }
  for (const char* title : {"ops", "seeds/s a job", "sim : wall"}) lines[0].emplace_back(title);
  for (const auto& [name, row] : rows_) lines.push_back(cells(name, row));
  if (rows_.size() > 1) lines.push_back(cells("all", total_));

  size_t verdicts_end = lines[0].size() - 3;
  std::string text;
  for (size_t line = 0; line < lines.size(); ++line) {
    std::string painted;
    for (size_t column = 0; column < lines[line].size(); ++column) {
      const std::string& cell = lines[line][column];
      std::string aligned = align(lines, column, cell);
      bool failed = line > 0 && column > 2 && column < verdicts_end && cell != "-";
      painted += failed ? paint.red(aligned) : aligned;
    }
    text += (line == 0 ? paint.bold(painted) : painted) + "\n";
  }
  return text;
}

std::string Summary::faults_text(const Paint& paint) const {
  std::vector<std::string> items;
  for (const auto& [kind, count] : faults_) items.push_back(kind + " " + grouped(count));
  if (items.empty()) return paint.yellow("faults    none struck") + "\n";
  std::string text = paragraph("faults", items, ",");
  items.clear();
  for (const auto& [kind, count] : held_back_) items.push_back(kind + " " + grouped(count));
  if (!items.empty()) text += paragraph("held back", items, ",");
  return text;
}

std::string Summary::marks_text(const Paint& paint) const {
  if (catalog_.empty()) return "";
  std::vector<std::string> never = marks_never_hit();
  std::string text = paragraph("marks",
                               {fmt::format("{} of {} hit{}", catalog_.size() - never.size(),
                                            catalog_.size(), hit_.empty() ? "" : ":")},
                               "");
  std::vector<std::string> hit;
  for (const auto& [mark, count] : hit_) hit.push_back(fmt::format("{} {}", mark, grouped(count)));
  if (!hit.empty()) text += paragraph("", hit, ";");
  if (never.empty()) return text;
  never.front().insert(0, "never hit: ");
  return text + paint.yellow(paragraph("", never, ";"));
}

std::string Summary::failures_text(const Paint& paint) const {
  std::string text;
  for (const Failure& failure : first_failures_) {
    text += fmt::format("\n{} {} seed {}: {}\n", paint.red(to_string(failure.verdict)),
                        paint.bold(failure.scenario), failure.seed, failure.reason);
    text += fmt::format("{:<{}}{}\n", "repeat", kIndentColumns, failure.repeat);
    if (failure.capsule.empty()) continue;
    text += fmt::format("{:<{}}{}\n", "capsule", kIndentColumns, failure.capsule);
  }
  uint64_t more = failures() - first_failures_.size();
  if (more > 0) text += fmt::format("\nand {}\n", counted(more, "more failing seed"));
  return text;
}

std::string Summary::speed_text(nanoseconds elapsed, const Paint& paint) const {
  double seconds = std::chrono::duration<double>(elapsed).count();
  double rate = seconds > 0 ? static_cast<double>(runs_) / seconds : 0;
  std::string speed =
      fmt::format("{} in {}: {} seeds/s; simulated {}, {} : 1; {}\n", counted(runs_, "seed"),
                  spoken(elapsed), rounded(rate), spoken(total_.sim_time),
                  rounded(ratio(total_.sim_time, elapsed)), counted(total_.events, "event"));
  std::string counts = fmt::format("{} passed, {} failed", count(Verdict::kPass), failures());
  return speed + (failures() == 0 ? paint.green(counts) : paint.red(counts)) + "\n";
}

}  // namespace seatrial::reports
