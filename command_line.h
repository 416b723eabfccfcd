// The command line of the one binary, read into plain structs: what each subcommand is asked to
// do, with every value checked. It does nothing; main.cc hands the struct to whoever does.
//
// A mistake becomes a message that names the option, what was expected and what to try next, and
// exit code 2.
#pragma once

#include "base/error.h"
#include "base/log.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace seatrial {

using base::Result;

// Exit codes, see DESIGN; those of verdicts are reports::exit_code's.
inline constexpr int kExitGood = 0;
inline constexpr int kExitUsage = 2;

// Both ends included.
struct SeedRange {
  uint64_t first = 1;
  uint64_t last = 100;

  // UINT64_MAX for the range of all, whose size does not fit.
  uint64_t count() const { return last - first == UINT64_MAX ? UINT64_MAX : last - first + 1; }
  friend bool operator==(const SeedRange&, const SeedRange&) = default;
};

// One of `count` machines that share a range of seeds: `index` from 1 to `count`.
struct Shard {
  uint32_t index = 1;
  uint32_t count = 1;
  friend bool operator==(const Shard&, const Shard&) = default;
};

struct ListCommand {
  std::vector<std::string> topics;  // "faults", "scenarios", ... or a fault's kind; none: all.
};

struct RunCommand {
  std::vector<std::string> names;  // Scenarios and suites; at least one.
  SeedRange seeds;
  bool seeds_given = false;
  std::optional<std::chrono::nanoseconds> time;  // Then no new seed is begun.
  uint32_t jobs = 1;
  Shard shard;
  std::string out;  // The results' folder; empty: none is written.
  bool fail_fast = false;
  // So many of the seeds are run twice, and the two compared: 0 none, 1 all.
  double determinism_share = 0;
  std::string against;  // Another build of this program, which makes the second run.
};

struct ReplayCommand {
  std::string target;            // A scenario's name, or the path of a capsule (*.json).
  std::optional<uint64_t> seed;  // Of a scenario; a capsule has its own.
  std::optional<std::chrono::nanoseconds> until;
  base::LogLevel log = base::LogLevel::kInfo;

  bool is_capsule() const { return target.ends_with(".json"); }
};

struct CheckCommand {
  std::string model;
  std::string history;  // A path.
  std::string dot;      // Where to draw cycles for Graphviz; empty: nowhere.
  std::string html;     // Where to draw the verdict for a browser; empty: nowhere.
};

struct ServerCommand {
  std::vector<std::string> arguments;  // As they stand after "server": the server knows them.
};

struct BrokerCommand {
  std::string file;                    // server.properties; empty: none.
  std::vector<std::string> overrides;  // Each "key=value".
};

// Nothing is left to do but to print this: help to standard output, a mistake (code 2) to
// standard error.
struct Printed {
  int code = kExitGood;
  std::string text;
};

using Command = std::variant<ListCommand, RunCommand, ReplayCommand, CheckCommand, ServerCommand,
                             BrokerCommand, Printed>;

// `arguments` without the program's name; `cores` is the default of --jobs.
Command parse_command_line(std::span<const std::string> arguments, uint32_t cores);

// "N": the seeds 1 to N; "A..B": A to B, both included.
Result<SeedRange> parse_seeds(std::string_view text);
// "I/N", I from 1 to N.
Result<Shard> parse_shard(std::string_view text);
// "500ms", "90s", "10m", "1h30m", "2d": whole numbers with units, largest first, more than 0.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
// "debug", "info", "warn", "error", "off".
Result<base::LogLevel> parse_log_level(std::string_view text);

}  // namespace seatrial
