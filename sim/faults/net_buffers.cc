// net.buffers: what is sent and not yet read finds little room.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class NetBuffers : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"buffer_bytes", 64, 65536, "of each direction"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.buffers",
        .family = "network",
        .description = "each direction of a stream holds only so much that is under way or unread",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    NetworkWeather& network = plan.weather.network;
    network.buffer_bytes = draw_count(random, stage, "buffer_bytes");
  }

  void calm(World& world) const override {
    world.weather().network.buffer_bytes = NetworkWeather{}.buffer_bytes;
  }
};

}  // namespace

const Fault* net_buffers_fault() {
  static const NetBuffers fault;
  return &fault;
}

}  // namespace seatrial::sim
