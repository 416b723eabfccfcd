// disk.lying_sync: for a while syncs return success, and nothing becomes durable; the next honest
// one makes up for it.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskLyingSync : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 8000, "how long it lies"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.lying_sync",
        .family = "disk",
        .description = "for a while syncs return success, and nothing becomes durable",
        .parameters = kParameters,
        .rate = 0.3,
        .opt_in = true,
        .harms_disk = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.expendable));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    VirtualTime& until = node->disk_trouble.syncs_lie_until;
    until = std::max(until, world.now_virtual() + step.lasts);
  }
};

}  // namespace

const Fault* disk_lying_sync_fault() {
  static const DiskLyingSync fault;
  return &fault;
}

}  // namespace seatrial::sim
