// disk.bit_rot: bits of what a disk durably holds flip on the medium: whoever reads them reads them
// so.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskBitRot : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"bits", 1, 8, "how many flip, each in any file"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.bit_rot",
                                     .family = "disk",
                                     .description = "bits of durable sectors flip on the medium",
                                     .parameters = kParameters,
                                     .rate = 0.3,
                                     .harms_disk = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.expendable));
      step.count = draw_count(random, stage, "bits");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    const auto instance = static_cast<uint64_t>(to_micros(step.at));
    base::RandomStream random = world.streams().stream(step.target, step.kind, instance);
    for (uint32_t bit = 0; bit < std::max(step.count, 1U); ++bit) {
      if (node->files().rot(random)) world.count(step.kind);
    }
  }
};

}  // namespace

const Fault* disk_bit_rot_fault() {
  static const DiskBitRot fault;
  return &fault;
}

}  // namespace seatrial::sim
