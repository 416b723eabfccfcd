// fork.fail: a node's next fork fails, for want of memory or of room in the process table.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ForkFail : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr FaultInfo kInfo{"fork.fail", "fork",
                                     "the next fork fails; nothing else changes"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 1.0)) {
      FaultStep step{.at = at, .kind = "fork.fail", .target = draw_name(random, stage.servers)};
      steps.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (Node* node = world.find_node(step.target)) ++node->fork_failures_due;
  }
};

}  // namespace

const Fault* fork_fail_fault() {
  static const ForkFail fault;
  return &fault;
}

}  // namespace seatrial::sim
