// Runs a suite: which seeds, how many at once, and what becomes of each.
#pragma once

#include "reports/run_result.h"
#include "scenarios/capsule.h"
#include "scenarios/scenario.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace seatrial::scenarios {

struct SuiteOptions {
  uint64_t first_seed = 1;
  std::optional<uint64_t> last_seed = 100;             // Included; without it: until time is up.
  std::optional<std::chrono::nanoseconds> time_limit;  // Of wall time.
  uint32_t jobs = 1;
  uint32_t shard = 1;  // Of shards: seeds whose remainder is shard - 1.
  uint32_t shards = 1;
  bool fail_fast = false;
  // So many of the seeds, chosen by their hash, are run twice and compared; the second time by
  // `against`, where that is not empty.
  double determinism_share = 0;
  std::string against;
  std::chrono::nanoseconds watchdog = std::chrono::seconds(60);  // Of wall time, for one seed.
};

struct SuiteHooks {
  // A run has ended. `capsule` is set when it did not pass; returns the path it was kept at.
  std::function<void(reports::RunResult&, const Capsule* capsule)> ended;
  // Now and then, also when nothing has ended.
  std::function<void()> tick;
  // Asked before each new seed.
  std::function<bool()> interrupted;
};

// Errors: what cannot be run at all.
Result<void> run_suite(const Suite& suite, const SuiteOptions& options, const SuiteHooks& hooks);

// One seed in this very process, with the check handler set: a failed CHECK becomes a crash
// verdict. Writes the result as a JSON line to `output_fd` and returns its exit code. This is
// what each child of a suite does. `events_path`: a line for each event of the trace.
int run_one(const Scenario& scenario, uint64_t seed, const sim::Plan* plan, int output_fd,
            const std::string& events_path = {});

}  // namespace seatrial::scenarios
