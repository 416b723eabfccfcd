// net.bandwidth: links carry only so much, and segments queue for them.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetBandwidth : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"rate_kib", 64, 16384, "a second"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.bandwidth",
        .family = "network",
        .description = "each direction of each link carries only so many bytes a second",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.bandwidth_kib = draw_count(random, stage, "rate_kib");
  }

  void calm(World& world) const override { world.weather().network.bandwidth_kib = 0; }
};

}  // namespace

const Fault* net_bandwidth_fault() {
  static const NetBandwidth fault;
  return &fault;
}

}  // namespace seatrial::sim
