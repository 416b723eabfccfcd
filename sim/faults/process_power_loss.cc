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
    static constexpr FaultInfo kInfo{"process.power_loss", "process",
                                     "the machine goes dark: unsynced data is kept, dropped or "
                                     "torn by the sector; back after 10 ms to 8 s"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 2.0)) {
      FaultStep step{
          .at = at, .kind = "process.power_loss", .target = draw_name(random, stage.servers)};
      step.lasts = draw_duration(random, 10ms, 8s);
      draw_moment(random, step);
      steps.push_back(step);
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
