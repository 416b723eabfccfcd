// net.slow: now and then a segment is late, and all behind it.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetSlow : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"slow_chance", 0, 0.1, "of a segment"},
        {"slow_ms", 20, 2000, "the longest that one takes"},
    };
    static constexpr FaultInfo kInfo{.kind = "net.slow",
                                     .family = "network",
                                     .description = "now and then a segment takes long",
                                     .parameters = kParameters,
                                     .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.slow_chance = draw_between(random, stage, "slow_chance");
    network.slow_latency_max = draw_duration(random, stage, "slow_ms");
  }

  void calm(World& world) const override { world.weather().network.slow_chance = 0; }
};

}  // namespace

const Fault* net_slow_fault() {
  static const NetSlow fault;
  return &fault;
}

}  // namespace seatrial::sim
