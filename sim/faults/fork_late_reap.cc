// fork.late_reap: a parent learns late that its child has ended.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ForkLateReap : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"delay_ms", 1, 500, "the longest"},
    };
    static constexpr FaultInfo kInfo{.kind = "fork.late_reap",
                                     .family = "fork",
                                     .description = "the news of a child's end takes its time",
                                     .parameters = kParameters,
                                     .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    ProcessWeather& process = plan.weather.process;
    process.reap_delay_max = draw_duration(random, stage, "delay_ms");
  }

  void calm(World& world) const override {
    world.weather().process.reap_delay_max = VirtualTime(0);
  }
};

}  // namespace

const Fault* fork_late_reap_fault() {
  static const ForkLateReap fault;
  return &fault;
}

}  // namespace seatrial::sim
