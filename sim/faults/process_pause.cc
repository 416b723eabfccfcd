// process.pause: SIGSTOP and SIGCONT. Time goes on without the node.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ProcessPause : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 10000, "in between"},
    };
    static constexpr FaultInfo kInfo{.kind = "process.pause",
                                     .family = "process",
                                     .description = "SIGSTOP, and later SIGCONT",
                                     .parameters = kParameters,
                                     .rate = 0.5};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered() || node->paused()) return;
    node->pause();
    world.count(step.kind);
    world.sleep(step.lasts);
    node->resume();
  }
};

}  // namespace

const Fault* process_pause_fault() {
  static const ProcessPause fault;
  return &fault;
}

}  // namespace seatrial::sim
