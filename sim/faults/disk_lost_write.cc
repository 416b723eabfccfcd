// disk.lost_write: the disk says that it wrote, and left one sector out. The next good sync that
// covers a sector meets it; what stands on the medium is read from then on.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskLostWrite : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many syncs leave one out"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.lost_write",
        .family = "disk",
        .description = "the next sync that succeeds leaves one sector as it was, and says nothing",
        .parameters = kParameters,
        .rate = 0.3,
        .opt_in = true,
        .harms_disk = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.expendable));
      step.count = draw_count(random, stage, "calls");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node != nullptr) node->disk_trouble.lost_writes_due += std::max(step.count, 1U);
  }
};

}  // namespace

const Fault* disk_lost_write_fault() {
  static const DiskLostWrite fault;
  return &fault;
}

}  // namespace seatrial::sim
