// net.slow_accept: accept() takes its time.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetSlowAccept : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 5000, "until it is quick"},
        {"takes_ms", 1, 500, "the longest that one takes"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.slow_accept",
        .family = "network",
        .description = "accept() takes up to a while for each connection to a server",
        .parameters = kParameters,
        .rate = 0.5};
    return kInfo;
  }

  // `amount` microseconds at most for each.
  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      step.amount = to_micros(draw_duration(random, stage, "takes_ms"));
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    stand(world, step,
          {.kind = Obstacle::Kind::kDelays, .latency = std::chrono::microseconds(step.amount)});
  }
};

}  // namespace

const Fault* net_slow_accept_fault() {
  static const NetSlowAccept fault;
  return &fault;
}

}  // namespace seatrial::sim
