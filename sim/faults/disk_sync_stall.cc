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
    static constexpr FaultInfo kInfo{"disk.sync_stall", "disk",
                                     "every sync hangs for 1 to 12 s, all other calls go on"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      steps.push_back({.at = at,
                       .kind = "disk.sync_stall",
                       .target = draw_name(random, stage.servers),
                       .lasts = draw_duration(random, 1s, 12s)});
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
