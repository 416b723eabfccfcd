// One child process a seed: what crashes, hangs or leaks in one is a finding for that seed and
// never harms the rest. Several run side by side; the parent waits for whoever ends first.
#pragma once

#include "base/error.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace seatrial::sim {

// How a child went.
struct SeedEnd {
  uint64_t seed = 0;
  std::string output;      // What it wrote to its end of the pipe.
  std::string complaints;  // And to standard error, the last few KiB.
  bool timed_out = false;  // The watchdog killed it.
  int signal = 0;          // That ended it, or 0.
  int exit_code = 0;
};

class SeedProcesses {
 public:
  // `watchdog`: of wall time for one child.
  explicit SeedProcesses(std::chrono::nanoseconds watchdog) : watchdog_(watchdog) {}
  // Kills what still runs.
  ~SeedProcesses();

  // Forks; the child runs `work`, which writes its output to the descriptor it is given, and
  // leaves with the code that it returns.
  base::Result<void> start(uint64_t seed, const std::function<int(int output_fd)>& work);
  size_t running() const { return children_.size(); }
  // Waits until one has ended, or for `at_most`; false then.
  bool wait(std::chrono::nanoseconds at_most, SeedEnd& end);

 private:
  struct Child {
    uint64_t seed;
    pid_t pid;
    int output_fd;
    int error_fd;
    std::chrono::steady_clock::time_point started;
    SeedEnd end;
    bool silent;  // It has closed its standard error.
  };
  static void let_go(pid_t pid);
  void reap(std::map<pid_t, Child>::iterator child);

  std::chrono::nanoseconds watchdog_;
  std::map<pid_t, Child> children_;
};

}  // namespace seatrial::sim
