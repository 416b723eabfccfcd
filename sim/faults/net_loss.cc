// net.loss: segments get lost, as a stream shows it: late, and all behind them as well.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetLoss : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"loss_chance", 0, 0.05, "of a segment"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.loss",
        .family = "network",
        .description =
            "a segment is lost and arrives when TCP has sent it again, 200 ms later or a multiple",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.loss_chance = draw_between(random, stage, "loss_chance");
  }

  void calm(World& world) const override { world.weather().network.loss_chance = 0; }
};

}  // namespace

const Fault* net_loss_fault() {
  static const NetLoss fault;
  return &fault;
}

}  // namespace seatrial::sim
