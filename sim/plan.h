// A plan: everything about a run that is decided before it begins, as plain data. The ambient
// weather, the faults at their hours, and what the clients will ask. Made from the seed, printed
// as JSON that a person can read and edit, taken apart by shrinking.
//
// What is left to chance while the run goes (a latency, which fiber is next) comes from streams
// keyed by (seed, who, what), so that taking one step out of a plan leaves the others' luck alone.
#pragma once

#include "base/error.h"
#include "sim/chaos_plan.h"
#include "sim/event_queue.h"
#include "sim/weather.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

using base::Result;

// When, within a node's doings, a fault strikes.
enum class Moment : unsigned char {
  kAny,     // At its hour.
  kSync,    // At its hour, or soon after: as the node's next sync begins.
  kWrite,   // Likewise, its next write to a file.
  kRename,  // Likewise, once its next rename has taken effect, durable or not.
  // From its hour on, at a call on the disk; `count` says which:
  kChild,       // of a forked child, or if it ends before of its parent;
  kAfterChild,  // of the parent of a forked child, once that has ended.
};

struct FaultStep {
  VirtualTime at{0};
  std::string kind;      // Of the table in faults/fault.h: "process.kill".
  std::string target;    // A node's name; several are separated by commas.
  VirtualTime lasts{0};  // How long the node is down, the partition stands...
  Moment moment = Moment::kAny;
  VirtualTime delay{0};  // After that moment.
  // How often, or at which of several: the fault's own, and 0 where it counts nothing.
  uint32_t count = 0;
  // The fault's own: which of its ways, and how much, in a unit that it documents.
  std::string mode;
  int64_t amount = 0;

  friend bool operator==(const FaultStep&, const FaultStep&) = default;
};

struct ClientPlan {
  std::string client;
  // One operation a line, in JSON, in the workload's own words.
  std::vector<std::string> operations;

  friend bool operator==(const ClientPlan&, const ClientPlan&) = default;
};

// What was drawn for one server, beside what its scenario gives to all.
struct ServerPlan {
  std::string server;
  std::vector<std::string> options;
  ChaosPlan chaos;

  friend bool operator==(const ServerPlan&, const ServerPlan&) = default;
};

struct Plan {
  Weather weather;
  VirtualTime storm{0};           // Faults strike before this; then all is healed.
  VirtualTime calm_limit{0};      // So long after it, everything must have converged.
  std::vector<FaultStep> faults;  // By time.
  std::vector<ServerPlan> servers;
  std::vector<ClientPlan> clients;

  friend bool operator==(const Plan&, const Plan&) = default;
};

// What the plan holds for that server, added where it holds nothing yet.
ServerPlan& plan_of(Plan& plan, std::string_view server);

std::string_view to_string(Moment moment);

// Indented JSON, the same bytes for the same plan.
std::string to_json(const Plan& plan);
// Errors name the member, what was expected and what is there. Nothing is ignored. What may be
// missing: "servers", a server's "armed" and "knobs", a step's "count", "mode" and "amount", and
// any weather, which is fair then.
Result<Plan> parse_plan(std::string_view json);
Result<Plan> parse_plan(const nlohmann::json& json);

}  // namespace seatrial::sim
