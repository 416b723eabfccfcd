// process.slow: a node whose processor is slow: each step of its fibers takes time before it has
// any effect, one after the other. What comes in meanwhile waits, in the kernel's buffers as
// elsewhere.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ProcessSlow : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"step_us", 20, 5000, "what a step takes"},
        {"lasts_ms", 10, 8000, "until steps take no time again"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.slow",
        .family = "process",
        .description = "each step of the node takes time, one after the other",
        .parameters = kParameters,
        .rate = 0.7};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      step.amount = to_micros(draw_duration(random, stage, "step_us"));
      plan.faults.push_back(step);
    }
  }

  // `amount`: what a step takes, in microseconds.
  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || node->step_cost() > VirtualTime(0)) return;
    node->set_step_cost(std::chrono::microseconds(step.amount));
    world.count(step.kind);
    world.sleep(step.lasts);
    node->set_step_cost(VirtualTime(0));
  }
};

}  // namespace

const Fault* process_slow_fault() {
  static const ProcessSlow fault;
  return &fault;
}

}  // namespace seatrial::sim
