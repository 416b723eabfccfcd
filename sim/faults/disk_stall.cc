// disk.stall: every call to a node's disk hangs until the stall is over.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class DiskStall : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr FaultInfo kInfo{"disk.stall", "disk",
                                     "every call to the disk hangs for 10 ms to 4 s"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 0.5)) {
      steps.push_back({.at = at,
                       .kind = "disk.stall",
                       .target = draw_name(random, stage.servers),
                       .lasts = draw_duration(random, 10ms, 4s)});
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    node->disk_stalled_until = std::max(node->disk_stalled_until, world.now_virtual() + step.lasts);
    world.count(step.kind);
  }
};

}  // namespace

const Fault* disk_stall_fault() {
  static const DiskStall fault;
  return &fault;
}

}  // namespace seatrial::sim
