// process.stop: SIGTERM, as an administrator's or an upgrade's. The service may take its time to
// put its things in order, but not too much: what has not ended when patience does is killed, and
// counted as process.stop_overdue.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ProcessStop : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"patience_ms", 2000, 20000, "what a service may take to end"},
        {"down_ms", 1, 4000, "until it is started again"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.stop",
        .family = "process",
        .description = "SIGTERM; SIGKILL for a service that has not ended when patience does",
        .parameters = kParameters,
        .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "down_ms");
      step.amount = to_micros(draw_duration(random, stage, "patience_ms"));
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  // `amount`: the patience, in microseconds.
  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    const VirtualTime patience = std::chrono::microseconds(step.amount);
    if (node == nullptr || !stop_service(world, *node, step.kind, patience)) return;
    world.sleep(step.lasts);
    node->start_service();
  }
};

}  // namespace

const Fault* process_stop_fault() {
  static const ProcessStop fault;
  return &fault;
}

}  // namespace seatrial::sim
