// chaos.knobs: tuning values of production code are shaken.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ChaosKnobs : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"shaken", 0.3, 0.3, "share of the knobs"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "chaos.knobs",
        .family = "chaos",
        .description = "tuning values of production code are shaken, at knob()",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    plan.weather.chaos.knob_shaken = draw_between(random, stage, "shaken");
  }
};

}  // namespace

const Fault* chaos_knobs_fault() {
  static const ChaosKnobs fault;
  return &fault;
}

}  // namespace seatrial::sim
