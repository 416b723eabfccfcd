// net.connect_hangs: calls to a node are not heard.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetConnectHangs : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 10000, "until it is reachable"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.connect_hangs",
        .family = "network",
        .description =
            "calls to a server get no answer, though it listens; those that are connected go on",
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
    stand(world, step, {.kind = Obstacle::Kind::kIgnores});
  }
};

}  // namespace

const Fault* net_connect_hangs_fault() {
  static const NetConnectHangs fault;
  return &fault;
}

}  // namespace seatrial::sim
