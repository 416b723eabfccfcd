// disk.bit_flip: one bit of what a read returns is wrong, on its way from the disk: read again, it
// is right.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskBitFlip : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many reads are wrong"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.bit_flip",
        .family = "disk",
        .description = "one bit of what the next reads return is wrong; read again, it is right",
        .parameters = kParameters,
        .rate = 0.3,
        .opt_in = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.count = draw_count(random, stage, "calls");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node != nullptr) node->disk_trouble.flipped_reads_due += std::max(step.count, 1U);
  }
};

}  // namespace

const Fault* disk_bit_flip_fault() {
  static const DiskBitFlip fault;
  return &fault;
}

}  // namespace seatrial::sim
