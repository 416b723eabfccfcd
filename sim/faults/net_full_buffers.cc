// net.full_buffers: send buffers are full, as if the peers had stopped reading.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetFullBuffers : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 5000, "until they take it"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.full_buffers",
        .family = "network",
        .description =
            "streams of a node or a link take nothing to send, as if the peer had stopped reading",
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
    stand(world, step, {.kind = Obstacle::Kind::kFills});
  }
};

}  // namespace

const Fault* net_full_buffers_fault() {
  static const NetFullBuffers fault;
  return &fault;
}

}  // namespace seatrial::sim
