// disk.dead: every call to a node's disk never returns: until the storm's end, or (mode "process")
// for those that run; who starts afterwards has a disk.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskDead : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"process_chance", 0.7, 0.7, "that it ends with the process"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.dead",
                                     .family = "disk",
                                     .description =
                                         "calls to the disk never return: until the end of the "
                                         "storm, or until their process has ended",
                                     .parameters = kParameters,
                                     .chance = 0.3,
                                     .rate = 0.2};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      if (random.chance(draw_between(random, stage, "process_chance"))) step.mode = "process";
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    const uint64_t below = step.mode == "process" ? node->next_incarnation() : UINT64_MAX;
    node->disk_trouble.dead_below = std::max(node->disk_trouble.dead_below, below);
    world.count(step.kind);
  }
};

}  // namespace

const Fault* disk_dead_fault() {
  static const DiskDead fault;
  return &fault;
}

}  // namespace seatrial::sim
