// net.slow_link: a node, or a link, becomes slow for a while.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class NetSlowLink : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 10000, "until it is quick"},
        {"late_ms", 1, 500, "so much later each segment arrives"},
        {"rate_kib", 16, 4096, "a second; a third of the time without limit"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.slow_link",
        .family = "network",
        .description =
            "what goes to or from a node, or over a link, is late, and passes at a low rate",
        .parameters = kParameters,
        .rate = 0.5};
    return kInfo;
  }

  // By `amount` microseconds, at `count` KiB a second; 0: without limit.
  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_border(random, stage));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      step.amount = to_micros(draw_duration(random, stage, "late_ms"));
      step.count = draw_count(random, stage, "rate_kib");
      if (random.chance(1.0 / 3)) step.count = 0;
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    stand(world, step,
          {.kind = Obstacle::Kind::kSlows,
           .latency = std::chrono::microseconds(step.amount),
           .bytes_per_second = step.count * uint64_t{1024}});
  }
};

}  // namespace

const Fault* net_slow_link_fault() {
  static const NetSlowLink fault;
  return &fault;
}

}  // namespace seatrial::sim
