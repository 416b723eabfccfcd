// clock.jump: somebody sets a node's wall clock, forward or back: at once, by more than slewing
// would do. After a while it is put right, or it stays so.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ClockJump : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"jump_ms", 50, 30000, "how far"},
        {"lasts_ms", 10, 8000, "until it is put right"},
        {"stays_chance", 0.5, 0.5, "that it never is"},
    };
    static constexpr FaultInfo kInfo{.kind = "clock.jump",
                                     .family = "clock",
                                     .description = "the wall clock jumps, forward or back",
                                     .parameters = kParameters,
                                     .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.amount = to_micros(draw_duration(random, stage, "jump_ms"));
      if (random.chance(0.5)) step.amount = -step.amount;
      const VirtualTime lasts = draw_duration(random, stage, "lasts_ms");
      if (!random.chance(draw_between(random, stage, "stays_chance"))) step.lasts = lasts;
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  // `amount`: how far forward, in microseconds; `lasts`: 0 for ever.
  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered()) return;
    node->jump_wall(std::chrono::microseconds(step.amount));
    world.count(step.kind);
    if (step.lasts == VirtualTime(0)) return;
    world.sleep(step.lasts);
    node->jump_wall(-std::chrono::microseconds(step.amount));
  }
};

}  // namespace

const Fault* clock_jump_fault() {
  static const ClockJump fault;
  return &fault;
}

}  // namespace seatrial::sim
