// fork.kill_parent: SIGKILL for a process that has forked; its child goes on as an orphan, perhaps
// beside the parent's successor.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ForkKillParent : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr FaultInfo kInfo{"fork.kill_parent", "fork",
                                     "SIGKILL for the parent of the next or running forked child, "
                                     "at the child's 1st to 32nd call on the disk (its own, once "
                                     "the child has ended); restarted after 1 ms to 4 s"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 2.0)) {
      FaultStep step{
          .at = at, .kind = "fork.kill_parent", .target = draw_name(random, stage.servers)};
      step.lasts = draw_duration(random, 1ms, 4s);
      draw_fork_call(random, step);
      steps.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    SimProcess* const caller = await_call(world, *node, step);
    if (caller == nullptr) return;
    SimProcess* const parent = caller->forked ? node->find(caller->parent()) : caller;
    if (parent == nullptr) return;
    node->kill(*parent);
    world.count(step.kind);
    world.sleep(step.lasts);
    node->start_service();
  }
};

}  // namespace

const Fault* fork_kill_parent_fault() {
  static const ForkKillParent fault;
  return &fault;
}

}  // namespace seatrial::sim
