// net.backlog_full: few calls, or none, may wait for accept().
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetBacklogFull : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 5000, "until there is room"},
        {"backlog", 0, 4, "calls that may wait"},
    };
    static constexpr FaultInfo kInfo{.kind = "net.backlog_full",
                                     .family = "network",
                                     .description =
                                         "a listener has room for a few calls only; others are not "
                                         "heard until they are tried again",
                                     .parameters = kParameters,
                                     .rate = 0.5};
    return kInfo;
  }

  // `count` calls may wait.
  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      step.count = draw_uniform(random, stage, "backlog");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    stand(world, step, {.kind = Obstacle::Kind::kCrowds, .backlog = step.count});
  }
};

}  // namespace

const Fault* net_backlog_full_fault() {
  static const NetBacklogFull fault;
  return &fault;
}

}  // namespace seatrial::sim
