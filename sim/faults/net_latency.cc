// net.latency: how long a segment is under way.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetLatency : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"least_us", 20, 1000, "the shortest way"},
        {"spread", 2, 5, "the longest, in shortest ones"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.latency",
        .family = "network",
        .description =
            "each segment takes between a least time, drawn for the seed, and a multiple of it",
        .parameters = kParameters,
        .chance = 1,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.latency_min = draw_duration(random, stage, "least_us");
    network.latency_max = network.latency_min * draw_uniform(random, stage, "spread");
  }
};

}  // namespace

const Fault* net_latency_fault() {
  static const NetLatency fault;
  return &fault;
}

}  // namespace seatrial::sim
