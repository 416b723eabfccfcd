// net.segmentation: streams come in pieces of any length, down to single bytes.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetSegmentation : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"split_chance", 0, 1, "of a write to be cut into segments"},
        {"short_read_chance", 0, 0.5, "of a read to return less than is there"},
        {"short_write_chance", 0, 0.5, "of a write to take less than there is room for"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.segmentation",
        .family = "network",
        .description = "writes are cut into segments of any length; reads and writes fall short",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.split_chance = draw_between(random, stage, "split_chance");
    network.short_read_chance = draw_between(random, stage, "short_read_chance");
    network.short_write_chance = draw_between(random, stage, "short_write_chance");
  }
};

}  // namespace

const Fault* net_segmentation_fault() {
  static const NetSegmentation fault;
  return &fault;
}

}  // namespace seatrial::sim
