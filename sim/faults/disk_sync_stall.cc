// disk.sync_stall: the syncs of a node hang; writes go on into the page cache.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class DiskSyncStall : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 1000, 12000, "until syncs end again"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.sync_stall",
                                     .family = "disk",
                                     .description = "every sync hangs, all other calls go on",
                                     .parameters = kParameters,
                                     .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    node->syncs_stalled_until =
        std::max(node->syncs_stalled_until, world.now_virtual() + step.lasts);
    world.count(step.kind);
  }
};

}  // namespace

const Fault* disk_sync_stall_fault() {
  static const DiskSyncStall fault;
  return &fault;
}

}  // namespace seatrial::sim
