// disk.read_error: a node's next reads fail; the same bytes can be read later.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskReadError : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 4, "how many reads fail"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.read_error",
        .family = "disk",
        .description = "the next reads fail with an input/output error; later ones find the bytes",
        .parameters = kParameters,
        .rate = 0.6};
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
    if (node != nullptr) node->disk_trouble.read_errors_due += std::max(step.count, 1U);
  }
};

}  // namespace

const Fault* disk_read_error_fault() {
  static const DiskReadError fault;
  return &fault;
}

}  // namespace seatrial::sim
