// net.refuse: connections are refused although somebody listens.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetRefuse : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"refuse_chance", 0, 0.2, "of a connection"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.refuse",
        .family = "network",
        .description = "a connection is refused although somebody listens",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.refuse_chance = draw_between(random, stage, "refuse_chance");
  }

  void calm(World& world) const override { world.weather().network.refuse_chance = 0; }
};

}  // namespace

const Fault* net_refuse_fault() {
  static const NetRefuse fault;
  return &fault;
}

}  // namespace seatrial::sim
