// The weather, one fault to a file. A fault draws its part of a plan when that is made: its steps,
// each of which strikes when its hour has come, or (an ambient one) what may happen at any call by
// chance. Words and families are those of the design's fault table. Each says its parameters; a
// scenario may set them ([fault."net.partition"] lasts_ms = [10, 500]).
#pragma once

#include "base/random.h"
#include "sim/plan.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

class Node;
class SimProcess;
class World;

struct Range {
  double low = 0;
  double high = 0;

  friend bool operator==(const Range&, const Range&) = default;
};

// Drawn for each step, or an ambient one for each seed, between the two.
struct Parameter {
  std::string_view name;  // Its unit at the end: "lasts_ms", "split_chance", "rate_kib".
  double low;
  double high;
  std::string_view meaning;
};

struct FaultInfo {
  std::string_view kind;         // "process.kill"
  std::string_view family;       // "process"
  std::string_view description;  // One line.
  std::span<const Parameter> parameters{};
  // What a step's mode may say, if it says anything; empty: whatever the fault makes of it.
  std::span<const std::string_view> modes{};
  // How many seeds have it, of those that have its family; 1: all seeds, whatever the family.
  double chance = 0.55;
  double rate = 1;  // Steps in five seconds of the storm at intensity 1; an ambient one has none.
  bool ambient = false;
  bool opt_in = false;  // Drawn only where a scenario names it.
  // It destroys what a disk holds durably: it is drawn only where some servers are expendable, and
  // strikes only where the scenario's policy lets it.
  bool harms_disk = false;
  bool changes_release = false;  // Drawn only where servers have several.
};

// What a scenario says of one fault, instead of what the fault itself says.
struct FaultSettings {
  std::optional<double> chance;
  std::optional<double> rate;
  std::map<std::string, Range, std::less<>> ranges;

  friend bool operator==(const FaultSettings&, const FaultSettings&) = default;
};

// What a fault is drawn for.
struct Stage {
  std::vector<std::string> servers;  // Nodes under test.
  std::vector<std::string> clients;
  std::vector<std::string> expendable;  // Of the servers: their disks may be harmed.
  VirtualTime storm{0};
  double intensity = 1.0;  // Of all faults' rates.
  uint32_t releases = 1;   // Of the servers.

  // The fault that is drawn; the swarm sets these.
  const FaultInfo* fault = nullptr;
  const FaultSettings* settings = nullptr;

  double rate() const;
  // One of the fault's parameters.
  Range range(std::string_view parameter) const;
};

class Fault {
 public:
  virtual ~Fault() = default;
  virtual const FaultInfo& info() const = 0;

  // Appends this fault's steps, in any order; an ambient one sets its weather instead.
  virtual void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const = 0;

  // On a fiber of the world that is the step's own: may park; it is over when this returns. If
  // the storm ends first the fiber is cancelled, and it must put things right at once.
  virtual void strike(World& world, const FaultStep& step) const;

  // The storm is over: an ambient fault turns its weather fair.
  virtual void calm(World&) const {}

 protected:
  FaultStep step_at(VirtualTime at, std::string target) const;
};

// All faults, by kind.
std::span<const Fault* const> all_faults();
const Fault* find_fault(std::string_view kind);

// The one meant by a word that none is called: the most alike, or nothing that helps.
std::string_view most_alike(std::string_view word);

// Times for the fault's steps, drawn uniformly over the storm.
std::vector<VirtualTime> draw_hours(base::RandomStream& random, const Stage& stage);
// Uniform between the two, in whole microseconds: a plan is written down in these, and must come
// back as it was.
VirtualTime draw_micros(base::RandomStream& random, VirtualTime low, VirtualTime high);
// A duration between the two, short ones more often: its logarithm is uniform.
VirtualTime draw_duration(base::RandomStream& random, VirtualTime low, VirtualTime high);
// The same, by a parameter whose name ends in _us, _ms or _s.
VirtualTime draw_duration(base::RandomStream& random, const Stage& stage,
                          std::string_view parameter);
// Uniform; for chances and other shares.
double draw_between(base::RandomStream& random, const Stage& stage, std::string_view parameter);
// A whole number, each as likely.
uint32_t draw_uniform(base::RandomStream& random, const Stage& stage, std::string_view parameter);
// A whole number, small ones more often: its logarithm is uniform.
uint32_t draw_count(base::RandomStream& random, const Stage& stage, std::string_view parameter);
int64_t draw_amount(base::RandomStream& random, const Stage& stage, std::string_view parameter);
const std::string& draw_name(base::RandomStream& random, const std::vector<std::string>& names);
// Whether a step's target, names separated by commas, holds this one.
bool is_among(std::string_view names, std::string_view name);
// Where in a node's doings: a quarter each at any time, in a sync, at a write, after a rename.
void draw_moment(base::RandomStream& random, FaultStep& step);

// At a disk call of a forked child, or of its parent after its end, half of the time each: which
// one, by the parameter "call".
void draw_fork_call(base::RandomStream& random, const Stage& stage, FaultStep& step);

// Parks until the step's moment at its target has come (at most a second, but for a child's), and
// its delay is over; false if the storm ended first.
bool await_moment(World& world, const FaultStep& step);

// SIGTERM for the node's service, and SIGKILL where it has not ended when patience does, which is
// counted as process.stop_overdue. False if none runs; else it is gone, and not started again.
bool stop_service(World& world, Node& node, std::string_view kind, VirtualTime patience);

enum class Calls : unsigned char { kOfChild, kOfChildThenParent, kOfParent };
// Parks until a forked child of `node`, the one that runs or the next, is about to make the n-th
// call on the disk of its life, or the next if it is past that. Returns it; nullptr if the storm
// ended first. If it ends before that, the rest of n is counted in its parent's calls, and the
// parent returned; kOfParent: all of n is. Where there is no parent, or kOfChild, a further child
// is waited for.
SimProcess* await_call(World& world, Node& node, uint64_t n, Calls calls);
// The same as a step says it.
SimProcess* await_call(World& world, Node& node, const FaultStep& step);

}  // namespace seatrial::sim
