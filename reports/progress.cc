#include "reports/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::reports {
namespace {

using std::chrono::duration;
using std::chrono::nanoseconds;

// To the line's start, and all of it away.
constexpr std::string_view kWipe = "\r\x1b[K";

}  // namespace

std::string Progress::update(uint64_t runs, uint64_t failures, nanoseconds elapsed) {
  nanoseconds period = options_.terminal ? nanoseconds(kTerminalPeriod) : nanoseconds(kPlainPeriod);
  // The first plain line comes after a period: a short suite needs none.
  nanoseconds due = shown_at_ ? *shown_at_ + period : options_.terminal ? nanoseconds(0) : period;
  if (elapsed < due) return "";
  shown_at_ = elapsed;
  std::string text = line(runs, failures, elapsed);
  if (!options_.terminal) return text + "\n";
  line_stands_ = true;
  return std::string(kWipe) + text;
}

std::string Progress::clear() {
  if (!line_stands_) return "";
  line_stands_ = false;
  return std::string(kWipe);
}

std::string Progress::line(uint64_t runs, uint64_t failures, nanoseconds elapsed) const {
  double seconds = duration<double>(elapsed).count();
  std::string text = options_.runs_total ? fmt::format("{} of {}", grouped(runs),
                                                       counted(*options_.runs_total, "seed"))
                                         : counted(runs, "seed");
  std::string failed = fmt::format("{} failed", grouped(failures));
  text += ", " + (failures > 0 ? options_.paint.red(failed) : failed);
  if (seconds > 0) {
    text += fmt::format(", {} seeds/s", rounded(static_cast<double>(runs) / seconds));
  }
  if (auto left = remaining(runs, elapsed)) text += fmt::format(", {} left", spoken(*left));
  return text;
}

std::optional<nanoseconds> Progress::remaining(uint64_t runs, nanoseconds elapsed) const {
  std::optional<nanoseconds> left;
  if (options_.time_total) left = std::max(nanoseconds(0), *options_.time_total - elapsed);
  if (options_.runs_total && runs > 0) {
    uint64_t runs_left = *options_.runs_total - std::min(runs, *options_.runs_total);
    double per_run = static_cast<double>(elapsed.count()) / static_cast<double>(runs);
    double estimate = per_run * static_cast<double>(runs_left);
    constexpr double kYear = 3.2e16;  // Nobody waits longer; the sum must fit into its type.
    nanoseconds by_runs(static_cast<int64_t>(std::min(estimate, kYear)));
    left = left ? std::min(*left, by_runs) : by_runs;
  }
  return left;
}

}  // namespace seatrial::reports
