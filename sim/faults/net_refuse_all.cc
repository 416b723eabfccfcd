// net.refuse_all: nobody gets a connection to a node.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetRefuseAll : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 5000, "until it is reachable"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.refuse_all",
        .family = "network",
        .description =
            "all connections to a server are refused, though it listens; those it has go on",
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
    stand(world, step, {.kind = Obstacle::Kind::kRefuses});
  }
};

}  // namespace

const Fault* net_refuse_all_fault() {
  static const NetRefuseAll fault;
  return &fault;
}

}  // namespace seatrial::sim
