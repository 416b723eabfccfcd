// net.black_hole: established streams go dead without a word; new ones get through.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetBlackHole : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 500, 60000, "or until the storm ends"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.black_hole",
        .family = "network",
        .description =
            "streams that are open over a link go dead: nothing comes back, both ways or one way",
        .parameters = kParameters,
        .rate = 0.5};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_border(random, stage));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    stand(world, step, {.kind = Obstacle::Kind::kLoses, .established = true});
  }
};

}  // namespace

const Fault* net_black_hole_fault() {
  static const NetBlackHole fault;
  return &fault;
}

}  // namespace seatrial::sim
