// fork.power_loss: the machine goes dark while a forked child works, or while its parent takes over
// what it made.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ForkPowerLoss : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"call", 1, 32, "at which call of the child"},
        {"down_ms", 10, 4000, "until the machine is back"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "fork.power_loss",
        .family = "fork",
        .description =
            "power lost at a call to the disk of the next or running forked child (its parent's, "
            "once it has ended), or after a rename",
        .parameters = kParameters,
        .rate = 2};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "down_ms");
      // Names come and go only as what a child has made is taken over.
      step.moment = Moment::kRename;
      if (random.chance(2.0 / 3)) draw_fork_call(random, stage, step);
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    if (!await_moment(world, step) || !node->powered()) return;
    node->power_off();
    world.count(step.kind);
    world.sleep(step.lasts);
    node->power_on();
    node->start_service();
  }
};

}  // namespace

const Fault* fork_power_loss_fault() {
  static const ForkPowerLoss fault;
  return &fault;
}

}  // namespace seatrial::sim
