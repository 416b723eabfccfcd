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
    static constexpr FaultInfo kInfo{"fork.kill_child", "fork",
                                     "SIGKILL for the next or running forked child, as it is about "
                                     "to make its 1st to 32nd call on the disk"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 2.0)) {
      FaultStep step{
          .at = at, .kind = "fork.kill_child", .target = draw_name(random, stage.servers)};
      step.moment = Moment::kChild;
      step.count = draw_count(random, 32);
      steps.push_back(step);
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
