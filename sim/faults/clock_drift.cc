// clock.drift: each server's oscillator is fast or slow by a rate of its own, and with it both its
// clocks, from the beginning to the end: what runs cannot be put right.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ClockDrift : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"drift_ppm", 200, 50000, "microseconds a second, at most"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "clock.drift",
        .family = "clock",
        .description =
            "both clocks of each server run too fast or too slow, each server's by its own rate",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    const int64_t ppm = draw_amount(random, stage, "drift_ppm");
    plan.weather.clock.drift_per_second_max = std::chrono::microseconds(ppm);
  }
};

}  // namespace

const Fault* clock_drift_fault() {
  static const ClockDrift fault;
  return &fault;
}

}  // namespace seatrial::sim
