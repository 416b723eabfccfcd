// process.power_loss: the whole machine goes dark, and with it whatever no sync made durable.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ProcessPowerLoss : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"down_ms", 10, 8000, "until the machine is back"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.power_loss",
        .family = "process",
        .description =
            "the machine goes dark: unsynced data is kept, dropped or torn by the sector",
        .parameters = kParameters,
        .rate = 2};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "down_ms");
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered()) return;
    node->power_off();
    world.count(step.kind);
    world.sleep(step.lasts);
    node->power_on();
    node->start_service();
  }
};

}  // namespace

const Fault* process_power_loss_fault() {
  static const ProcessPowerLoss fault;
  return &fault;
}

}  // namespace seatrial::sim
