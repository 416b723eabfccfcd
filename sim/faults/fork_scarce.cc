// fork.scarce: any fork may fail.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ForkScarce : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"failure_chance", 0, 0.3, "of a fork"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "fork.scarce",
        .family = "fork",
        .description = "a fork fails, for want of memory or of room in the process table",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    ProcessWeather& process = plan.weather.process;
    process.fork_failure_chance = draw_between(random, stage, "failure_chance");
  }

  void calm(World& world) const override { world.weather().process.fork_failure_chance = 0; }
};

}  // namespace

const Fault* fork_scarce_fault() {
  static const ForkScarce fault;
  return &fault;
}

}  // namespace seatrial::sim
