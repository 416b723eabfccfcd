// disk.misdirected_read: the disk reads a sector in the place of another of the same file: read
// again, it is the right one.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskMisdirectedRead : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many reads are wrong"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.misdirected_read",
        .family = "disk",
        .description =
            "the next reads get one sector in another one's place; read again, it is "
            "right",
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
    if (node != nullptr) node->disk_trouble.misdirected_reads_due += std::max(step.count, 1U);
  }
};

}  // namespace

const Fault* disk_misdirected_read_fault() {
  static const DiskMisdirectedRead fault;
  return &fault;
}

}  // namespace seatrial::sim
