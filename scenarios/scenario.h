// A scenario: topology, workload, weather and checks, as its TOML file says. One story a file;
// the files are built into the binary, and a path to one of your own works as well.
#pragma once

#include "base/error.h"
#include "os/time.h"
#include "sim/faults/fault.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::scenarios {

using base::Result;

struct Scenario {
  std::string name;  // "kv/register", or the path it was read from.
  std::string text;  // The file itself: part of every capsule.
  std::string summary;

  // [topology]
  uint32_t servers = 1;
  uint32_t clients = 3;
  std::string server = "kv";
  std::vector<std::string> server_options;                       // Of all, as on the command line.
  std::map<std::string, std::vector<std::string>> node_options;  // Of one, after those.
  // Further options of each release, oldest first; empty: there is only one. All servers begin as
  // the first, and process.upgrade takes them further.
  std::vector<std::vector<std::string>> releases;
  // For each run one of the values is drawn, for all servers, and stands in the plan.
  std::map<std::string, std::vector<std::string>> drawn_options;

  std::vector<std::string> server_names() const;  // "kv0", "kv1", ...

  // [workload]
  std::string workload;
  std::map<std::string, int64_t, std::less<>> parameters;  // Everything else in that table.

  // [storm]
  os::Duration storm{0};
  os::Duration calm_limit{0};
  double intensity = 1.0;
  std::vector<std::string> faults;      // Kinds and families; empty: all but those opted in.
  std::vector<std::string> with;        // Kinds that are opted in.
  std::vector<std::string> without;     // Kinds and families left out.
  std::vector<std::string> expendable;  // Servers whose disks may be harmed.
  std::map<std::string, sim::FaultSettings, std::less<>> fault_settings;  // [fault."kind"]
};

// Errors name the file, the line and what was expected. A key that is not known is an error.
Result<Scenario> parse_scenario(std::string_view name, std::string_view toml);

// By name among those built in, or from a file where `name` ends in .toml.
Result<Scenario> load_scenario(std::string_view name);

// A suite: scenarios, each with a share of the seeds.
struct Suite {
  struct Entry {
    Scenario scenario;
    uint32_t share = 1;
  };
  std::string name;
  std::string summary;
  std::vector<Entry> entries;
  std::vector<std::string> must_hit;  // Marks that a run of many seeds has to see.

  // Which scenario a seed runs: by its hash, so that any range and any shard is mixed in about
  // these proportions.
  const Scenario& of(uint64_t seed) const;
};

// A suite, or a single scenario as a suite of its own.
Result<Suite> load_suite(std::string_view name);

struct Listing {
  std::string name;
  std::string summary;
};
std::vector<Listing> list_scenarios();
std::vector<Listing> list_suites();

}  // namespace seatrial::scenarios
