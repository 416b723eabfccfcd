// net.clog: what goes to or from a node, or over a link, is held up and then flows.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetClog : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 1, 5000, "until it flows"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.clog",
        .family = "network",
        .description =
            "what goes to or from a node, or over a link, is held up for a while; nothing is lost",
        .parameters = kParameters,
        .rate = 1};
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
    stand(world, step, {.kind = Obstacle::Kind::kHolds});
  }
};

}  // namespace

const Fault* net_clog_fault() {
  static const NetClog fault;
  return &fault;
}

}  // namespace seatrial::sim
