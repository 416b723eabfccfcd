// What one run (one scenario under one seed) came to: the line of results.jsonl.
//
// The same JSON travels from the child process that ran a seed to its parent, so reading is as
// strict as writing: a key that is not known, or a value of another type, is an error that names
// the place. Times are exact to the nanosecond for runs of up to 10 days.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::reports {

using base::Result;

enum class Verdict : unsigned char {
  kPass,              // Everything that was checked held.
  kViolation,         // A checker found what must not be.
  kCrash,             // A node crashed or a check failed in it.
  kStuck,             // It did not heal in time, or the watchdog ended it.
  kNondeterministic,  // The same seed gave two runs.
};

inline constexpr int kVerdicts = 5;

std::string_view to_string(Verdict verdict);
Result<Verdict> parse_verdict(std::string_view text);

// What the command line exits with, see DESIGN: 0 pass, 1 violation, 3 nondeterministic, 4 crash,
// 5 stuck.
int exit_code(Verdict verdict);

struct Violation {
  std::string checker;
  std::string summary;        // One sentence for a person.
  std::vector<uint64_t> ops;  // The operations of the history that it names.

  friend bool operator==(const Violation&, const Violation&) = default;
};

struct RunResult {
  std::string scenario;
  uint64_t seed = 0;
  Verdict verdict = Verdict::kPass;
  uint64_t hash = 0;                          // The running hash over every event; hex in JSON.
  std::string revision;                       // Of the source.
  std::chrono::nanoseconds sim_time{};        // "sim_seconds"
  std::chrono::nanoseconds wall_time{};       // "wall_ms"
  std::chrono::nanoseconds cpu_time{};        // "cpu_ms"
  uint64_t events = 0;                        // Of the simulator.
  uint64_t ops = 0;                           // Of the clients.
  std::map<std::string, uint64_t> faults;     // Kind: how many struck.
  std::map<std::string, uint64_t> held_back;  // How many the scenario's policy forbade.
  std::map<std::string, uint64_t> marks;      // Those that were hit, and how often.
  std::vector<Violation> violations;
  std::string message;  // Why, where it is no violation; else empty.
  std::string capsule;  // Its file; empty (null in JSON) when there is none.

  friend bool operator==(const RunResult&, const RunResult&) = default;
};

// One line without its newline.
std::string to_json(const RunResult& result);
// Errors: kInvalidData; the message names the key, what was expected, and what is there.
Result<RunResult> parse_run_result(std::string_view json);

// The first reason for a verdict that is no pass: "linearizability: read of x returned 3 ...".
std::string reason(const RunResult& result);
// The command that repeats the run.
std::string repeat_command(const RunResult& result);

}  // namespace seatrial::reports
