// net.distance: some pairs of nodes are farther apart than others, for the whole run.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/weather.h"

namespace seatrial::sim {
namespace {

class NetDistance : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"distance_us", 100, 50000, "the farthest"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.distance",
        .family = "network",
        .description =
            "each pair of nodes is farther apart by a time of its own, up to the one drawn",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.distance_max = draw_duration(random, stage, "distance_us");
  }
};

}  // namespace

const Fault* net_distance_fault() {
  static const NetDistance fault;
  return &fault;
}

}  // namespace seatrial::sim
