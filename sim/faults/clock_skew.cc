// clock.skew: each server's wall clock is off, by something else after each boot, since only a
// battery has kept the time. It stays so when the storm is over: nobody may count on right clocks.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ClockSkew : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"skew_ms", 50, 60000, "at most, either way"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "clock.skew",
        .family = "clock",
        .description = "each server's wall clock is off, by something else after each boot",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    plan.weather.clock.skew_max = draw_duration(random, stage, "skew_ms");
  }
};

}  // namespace

const Fault* clock_skew_fault() {
  static const ClockSkew fault;
  return &fault;
}

}  // namespace seatrial::sim
