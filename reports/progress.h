// How far a suite is, while it runs: one line that a terminal overwrites, or a plain line every
// few seconds where there is no terminal. It reads no clock and prints nothing: it is told the
// time and returns what to print.
#pragma once

#include "reports/human.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace seatrial::reports {

struct ProgressOptions {
  bool terminal = false;
  Paint paint;
  std::optional<uint64_t> runs_total;                  // `--seeds`: how many there will be.
  std::optional<std::chrono::nanoseconds> time_total;  // `--time`: how long it may take.
};

class Progress {
 public:
  static constexpr std::chrono::milliseconds kTerminalPeriod{100};
  static constexpr std::chrono::seconds kPlainPeriod{5};

  explicit Progress(ProgressOptions options) : options_(options) {}

  // What to print now, `elapsed` after the start: often nothing.
  std::string update(uint64_t runs, uint64_t failures, std::chrono::nanoseconds elapsed);
  // What to print before anything else is printed: takes the line off the terminal.
  std::string clear();

 private:
  std::string line(uint64_t runs, uint64_t failures, std::chrono::nanoseconds elapsed) const;
  // How long it will still take, where that can be said.
  std::optional<std::chrono::nanoseconds> remaining(uint64_t runs,
                                                    std::chrono::nanoseconds elapsed) const;

  ProgressOptions options_;
  std::optional<std::chrono::nanoseconds> shown_at_;
  bool line_stands_ = false;
};

}  // namespace seatrial::reports
