// disk.misdirected_write: the disk writes a sector in the place of another of the same file, which
// is lost with it.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskMisdirectedWrite : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many syncs misplace one"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.misdirected_write",
                                     .family = "disk",
                                     .description =
                                         "the next sync that succeeds writes one sector in another "
                                         "one's place, and says nothing",
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
    if (node != nullptr) node->disk_trouble.misdirected_writes_due += std::max(step.count, 1U);
  }
};

}  // namespace

const Fault* disk_misdirected_write_fault() {
  static const DiskMisdirectedWrite fault;
  return &fault;
}

}  // namespace seatrial::sim
