// Many seeds of a subject, each in a child process of its own, so that a crash, a hang or a leak is
// a finding for that seed; and a ready main() around it.
//
//   int main(int argc, char** argv) {
//     return seatrial::sim::campaign_main(argc, argv, [] { return std::make_unique<Mine>(); });
//   }
#pragma once

#include "sim/subject.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

enum class Finding : unsigned char { kHeld, kViolation, kStuck, kCrash, kNondeterministic };
inline constexpr int kFindings = 5;

std::string_view to_string(Finding finding);
// As the design's command line: 0, 1, 5, 4, 3.
int exit_code(Finding finding);

struct SeedResult {
  uint64_t seed = 0;
  Finding finding = Finding::kHeld;
  std::string reason;  // Why it did not hold; may have several lines.
  uint64_t hash = 0;
  uint64_t events = 0;
  VirtualTime sim_time{0};
  std::map<std::string, uint64_t> counts;
};

// One line of JSON, and back.
std::string to_json(const SeedResult& result);
Result<SeedResult> parse_seed_result(std::string_view line);

// One seed in this very process: under `plan`, or the one that the seed draws. A failed CHECK is a
// crash: `told` gets that result as well, and the process ends.
using Told = std::function<void(const SeedResult&)>;
SeedResult run_one(const SubjectFactory& make, uint64_t seed, const Plan* plan,
                   const Watcher& watcher, const Told& told);

struct CampaignOptions {
  uint64_t first_seed = 1;
  uint64_t last_seed = 100;  // Included.
  uint32_t jobs = 1;
  bool fail_fast = false;
  // Each seed twice, in processes that share nothing, with other addresses and other bytes in fresh
  // memory. Starts this program anew, as `command` says, with --run-one SEED after it.
  bool check_determinism = false;
  std::vector<std::string> command;
  const Plan* plan = nullptr;  // For all seeds, instead of what each draws.
  std::chrono::nanoseconds watchdog = std::chrono::seconds(60);  // Of wall time, for one seed.
};

// Hands over each result as it comes, in no certain order. Errors: what cannot be run at all.
Result<void> run_campaign(const SubjectFactory& make, const CampaignOptions& options,
                          const Told& told);

// A whole program: --help says what it understands. Options of the program's own must have been
// taken out of `argv` before; they are given again to the processes that it starts. Returns the
// exit code: 0 all held, 1 a violation, 2 bad usage, 3 not deterministic, 4 a crash, 5 stuck.
int campaign_main(int argc, char** argv, const SubjectFactory& make);

}  // namespace seatrial::sim
