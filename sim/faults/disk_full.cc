// disk.full: others who use a node's disk fill it, but for a little, and clear it after a while.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class DiskFull : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 8000, "until there is room again"},
        {"left_bytes", 0, 8192, "what is left to everybody"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.full",
        .family = "disk",
        .description = "others fill the disk; after a while there is room again",
        .parameters = kParameters,
        .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      if (random.chance(0.7)) step.count = draw_count(random, stage, "left_bytes");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    FileSystem& files = node->files();
    if (files.capacity_bytes != UINT64_MAX) return;  // Others did so already.
    files.capacity_bytes = files.used_bytes() + step.count;
    world.count(step.kind);
    world.sleep(step.lasts);
    files.capacity_bytes = UINT64_MAX;
  }
};

}  // namespace

const Fault* disk_full_fault() {
  static const DiskFull fault;
  return &fault;
}

}  // namespace seatrial::sim
