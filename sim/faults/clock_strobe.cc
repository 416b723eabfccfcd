// clock.strobe: a node's wall clock jumps to and fro, again and again, as under two masters that
// set it in turn. It ends where it began.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class ClockStrobe : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"swing_ms", 20, 4000, "between its two times"},
        {"period_ms", 1, 400, "at each of them"},
        {"lasts_ms", 50, 4000, "until it is over"},
    };
    static constexpr FaultInfo kInfo{.kind = "clock.strobe",
                                     .family = "clock",
                                     .description = "the wall clock jumps to and fro for a while",
                                     .parameters = kParameters,
                                     .rate = 0.5};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.amount = to_micros(draw_duration(random, stage, "swing_ms"));
      if (random.chance(0.5)) step.amount = -step.amount;
      step.delay = draw_duration(random, stage, "period_ms");
      step.lasts = draw_duration(random, stage, "lasts_ms");
      plan.faults.push_back(step);
    }
  }

  // `amount`: how far forward each other time, in microseconds; `delay`: how long at each of both.
  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered()) return;
    world.count(step.kind);
    const VirtualTime until = world.now_virtual() + step.lasts;
    const VirtualTime period = std::max(step.delay, VirtualTime(std::chrono::milliseconds(1)));
    while (world.now_virtual() < until && !world.fibers().cancelled()) {
      node->jump_wall(std::chrono::microseconds(step.amount));
      world.sleep(period);
      node->jump_wall(-std::chrono::microseconds(step.amount));
      world.sleep(period);
    }
  }
};

}  // namespace

const Fault* clock_strobe_fault() {
  static const ClockStrobe fault;
  return &fault;
}

}  // namespace seatrial::sim
