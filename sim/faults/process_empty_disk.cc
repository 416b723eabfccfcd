// process.empty_disk: a machine is replaced by a new one of the same name: its disk is empty.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ProcessEmptyDisk : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"down_ms", 10, 8000, "until it is back"},
    };
    static constexpr FaultInfo kInfo{.kind = "process.empty_disk",
                                     .family = "process",
                                     .description = "power lost, and back on an empty disk",
                                     .parameters = kParameters,
                                     .rate = 0.3,
                                     .harms_disk = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    if (stage.expendable.empty()) return;
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.expendable));
      step.lasts = draw_duration(random, stage, "down_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered()) return;
    node->power_off();
    node->replace_disk(FileSystem());
    world.count(step.kind);
    world.sleep(step.lasts);
    node->power_on();
    node->start_service();
  }
};

}  // namespace

const Fault* process_empty_disk_fault() {
  static const ProcessEmptyDisk fault;
  return &fault;
}

}  // namespace seatrial::sim
