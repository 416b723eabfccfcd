// chaos.sites: chance() in production code comes true now and then.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ChaosSites : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"armed", 0.5, 0.5, "share of the sites that a seed arms"},
        {"fires_chance", 0, 0.3, "of an armed site, each time"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "chaos.sites",
        .family = "chaos",
        .description = "rare branches of production code are taken for free, at chance()",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    plan.weather.chaos.site_armed = draw_between(random, stage, "armed");
    plan.weather.chaos.site_fires = draw_between(random, stage, "fires_chance");
  }
};

}  // namespace

const Fault* chaos_sites_fault() {
  static const ChaosSites fault;
  return &fault;
}

}  // namespace seatrial::sim
