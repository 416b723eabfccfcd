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
    static constexpr FaultInfo kInfo{.kind = "fork.fail",
                                     .family = "fork",
                                     .description = "the next fork fails; nothing else changes",
                                     .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      plan.faults.push_back(step);
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
