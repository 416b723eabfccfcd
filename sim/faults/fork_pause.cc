// fork.pause: a process stands still in fork(), the longer the more data it holds.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ForkPause : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"pause_us", 10, 20000, "for each KiB"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "fork.pause",
        .family = "fork",
        .description = "a process stands still in fork(), by the size of its data",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    ProcessWeather& process = plan.weather.process;
    process.fork_pause_per_kib = draw_duration(random, stage, "pause_us");
  }

  void calm(World& world) const override {
    world.weather().process.fork_pause_per_kib = VirtualTime(0);
  }
};

}  // namespace

const Fault* fork_pause_fault() {
  static const ForkPause fault;
  return &fault;
}

}  // namespace seatrial::sim
