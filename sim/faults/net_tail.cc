// net.tail: latencies with a long tail.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetTail : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"tail_chance", 0, 0.4, "of each doubling"},
    };
    static constexpr FaultInfo kInfo{.kind = "net.tail",
                                     .family = "network",
                                     .description =
                                         "a latency doubles by chance, and doubles again, ten "
                                         "times at most: a few are very long",
                                     .parameters = kParameters,
                                     .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.tail_chance = draw_between(random, stage, "tail_chance");
  }

  void calm(World& world) const override { world.weather().network.tail_chance = 0; }
};

}  // namespace

const Fault* net_tail_fault() {
  static const NetTail fault;
  return &fault;
}

}  // namespace seatrial::sim
