// net.cut: any segment may be a stream's last.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetCut : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"cut_chance", 0, 0.02, "of a segment"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.cut",
        .family = "network",
        .description = "a segment is the last: its stream is reset there, at whatever byte that is",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.cut_chance = draw_between(random, stage, "cut_chance");
  }

  void calm(World& world) const override { world.weather().network.cut_chance = 0; }
};

}  // namespace

const Fault* net_cut_fault() {
  static const NetCut fault;
  return &fault;
}

}  // namespace seatrial::sim
