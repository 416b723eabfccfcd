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
    static constexpr FaultInfo kInfo{"fork.power_loss", "fork",
                                     "the machine goes dark at the 1st to 32nd call on the disk of "
                                     "the next or running forked child (its parent's, once it has "
                                     "ended), or after a rename; back after 10 ms to 4 s"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 2.0)) {
      FaultStep step{
          .at = at, .kind = "fork.power_loss", .target = draw_name(random, stage.servers)};
      step.lasts = draw_duration(random, 10ms, 4s);
      // Names come and go only as what a child has made is taken over.
      step.moment = Moment::kRename;
      if (random.chance(2.0 / 3)) draw_fork_call(random, step);
      steps.push_back(step);
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
