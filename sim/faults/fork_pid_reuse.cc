// fork.pid_reuse: a machine has few pids: one is soon used again.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ForkPidReuse : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"pids", 2, 8, "how many there are"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "fork.pid_reuse",
        .family = "fork",
        .description = "a machine has few pids, so that one is soon used again",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    ProcessWeather& process = plan.weather.process;
    process.pids = draw_uniform(random, stage, "pids");
  }
};

}  // namespace

const Fault* fork_pid_reuse_fault() {
  static const ForkPidReuse fault;
  return &fault;
}

}  // namespace seatrial::sim
