// fork.kill_child: SIGKILL for a forked child in the middle of its work, and for nobody else.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ForkKillChild : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"call", 1, 32, "at which call of its life"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "fork.kill_child",
        .family = "fork",
        .description =
            "SIGKILL for the next or running forked child, as it is about to call the disk",
        .parameters = kParameters,
        .rate = 2};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.moment = Moment::kChild;
      step.count = draw_count(random, stage, "call");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    SimProcess* const child = await_call(world, *node, step.count, Calls::kOfChild);
    if (child == nullptr) return;
    node->kill(*child);
    world.count(step.kind);
  }
};

}  // namespace

const Fault* fork_kill_child_fault() {
  static const ForkKillChild fault;
  return &fault;
}

}  // namespace seatrial::sim
