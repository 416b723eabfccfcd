// process.swapped_disk: somebody mixes up two machines' disks: each comes back with the other's
// data.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

class ProcessSwappedDisk : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"down_ms", 10, 8000, "until they are back"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.swapped_disk",
        .family = "process",
        .description = "two servers lose power, and come back with their disks swapped",
        .parameters = kParameters,
        .rate = 0.3,
        .harms_disk = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    if (stage.expendable.size() < 2) return;
    for (VirtualTime at : draw_hours(random, stage)) {
      const std::string& one = draw_name(random, stage.expendable);
      const std::string* other = &one;
      while (*other == one) other = &draw_name(random, stage.expendable);
      FaultStep step = step_at(at, fmt::format("{},{}", one, *other));
      step.lasts = draw_duration(random, stage, "down_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    std::vector<Node*> two;
    for (const auto& node : world.nodes()) {
      if (is_among(step.target, node->name()) && node->powered()) two.push_back(node.get());
    }
    if (two.size() != 2) return;
    for (Node* node : two) node->power_off();
    FileSystem first = two[0]->files().copy();
    two[0]->replace_disk(two[1]->files().copy());
    two[1]->replace_disk(std::move(first));
    world.count(step.kind);
    world.sleep(step.lasts);
    for (Node* node : two) {
      node->power_on();
      node->start_service();
    }
  }
};

}  // namespace

const Fault* process_swapped_disk_fault() {
  static const ProcessSwappedDisk fault;
  return &fault;
}

}  // namespace seatrial::sim
