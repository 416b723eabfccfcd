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
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 4000, "until the disk answers again"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.stall",
                                     .family = "disk",
                                     .description = "every call to the disk hangs",
                                     .parameters = kParameters,
                                     .rate = 0.5};
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
