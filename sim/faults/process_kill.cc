// process.kill: SIGKILL for all of a node's processes. What they wrote stays in the page cache.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ProcessKill : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"down_ms", 1, 4000, "until it is started again"},
    };
    static constexpr FaultInfo kInfo{.kind = "process.kill",
                                     .family = "process",
                                     .description = "SIGKILL: the page cache survives",
                                     .parameters = kParameters,
                                     .rate = 2};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "down_ms");
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered()) return;
    if (node->kill() == 0) return;
    world.count(step.kind);
    world.sleep(step.lasts);
    node->start_service();
  }
};

}  // namespace

const Fault* process_kill_fault() {
  static const ProcessKill fault;
  return &fault;
}

}  // namespace seatrial::sim
