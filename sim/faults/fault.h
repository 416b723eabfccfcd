// Faults of the plan, one to a file. A fault draws its steps when a plan is made, and strikes when
// a step's hour has come. Words and families are those of the design's fault table.
#pragma once

#include "base/random.h"
#include "sim/plan.h"

#include <span>
#include <string_view>
#include <vector>

namespace seatrial::sim {

class Node;
class SimProcess;
class World;

struct FaultInfo {
  std::string_view kind;         // "process.kill"
  std::string_view family;       // "process"
  std::string_view description;  // One line, with its parameters and defaults.
};

// What a fault may be drawn for.
struct Stage {
  std::vector<std::string> servers;  // Nodes under test.
  std::vector<std::string> clients;
  VirtualTime storm{0};
  double intensity = 1.0;  // 1: about one step of this fault in five seconds.
};

class Fault {
 public:
  virtual ~Fault() = default;
  virtual const FaultInfo& info() const = 0;

  // Appends this fault's steps, in any order.
  virtual void plan(base::RandomStream& random, const Stage& stage,
                    std::vector<FaultStep>& steps) const = 0;

  // On a fiber of the world that is the step's own: may park; it is over when this returns. If
  // the storm ends first the fiber is cancelled, and it must put things right at once.
  virtual void strike(World& world, const FaultStep& step) const = 0;
};

// All faults, by kind.
std::span<const Fault* const> all_faults();
const Fault* find_fault(std::string_view kind);

// Times for about `intensity` steps in five seconds of the storm, drawn uniformly.
std::vector<VirtualTime> draw_hours(base::RandomStream& random, const Stage& stage,
                                    double share = 1.0);
// Uniform between the two, in whole microseconds: a plan is written down in these, and must come
// back as it was.
VirtualTime draw_micros(base::RandomStream& random, VirtualTime low, VirtualTime high);
// A duration between the two, short ones more often: its logarithm is uniform.
VirtualTime draw_duration(base::RandomStream& random, VirtualTime low, VirtualTime high);
const std::string& draw_name(base::RandomStream& random, const std::vector<std::string>& names);
// Whether a step's target, names separated by commas, holds this one.
bool is_among(std::string_view names, std::string_view name);
// Where in a node's doings: a third each at any time, in a sync, at a write.
void draw_moment(base::RandomStream& random, FaultStep& step);

// Between 1 and `most`, small ones more often: its logarithm is uniform.
uint32_t draw_count(base::RandomStream& random, uint32_t most);
// At a disk call of a forked child, or of its parent after its end, half of the time each: which
// one, from 1 on.
void draw_fork_call(base::RandomStream& random, FaultStep& step);

// Parks until the step's moment at its target has come (at most a second, but for a child's), and
// its delay is over; false if the storm ended first.
bool await_moment(World& world, const FaultStep& step);

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
