// What faults share that strike at the next so many calls on a disk: the step's count says how
// many, and the disk counts them down (machine/disk_trouble.h).
#pragma once

#include "sim/faults/fault.h"
#include "sim/world.h"

#include <algorithm>
#include <cstdint>

namespace seatrial::sim {

// `kDue`: how many calls are still to be struck. Whom it strikes: any server, or, where the fault
// destroys what a disk holds, one that is expendable.
template <uint32_t DiskTrouble::*kDue>
class DiskCalls : public Fault {
 public:
  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step =
          step_at(at, draw_name(random, info().harms_disk ? stage.expendable : stage.servers));
      step.count = draw_count(random, stage, "calls");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node != nullptr) node->disk_trouble.*kDue += std::max(step.count, 1U);
  }
};

}  // namespace seatrial::sim
