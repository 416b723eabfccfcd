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
    static constexpr Parameter kParameters[] = {
        {"call", 1, 32, "at which call of the child"},
        {"down_ms", 1, 4000, "until it is started again"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "fork.kill_parent",
        .family = "fork",
        .description =
            "SIGKILL for the parent of the next or running forked child, at the child's call to "
            "the disk (its own, once the child has ended); the child goes on as an orphan",
        .parameters = kParameters,
        .rate = 2};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "down_ms");
      draw_fork_call(random, stage, step);
      plan.faults.push_back(step);
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
