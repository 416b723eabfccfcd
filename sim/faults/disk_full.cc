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
    static constexpr FaultInfo kInfo{"disk.full", "disk",
                                     "others fill the disk but for 0 to 8 KiB; there is room again "
                                     "after 10 ms to 8 s"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 1.0)) {
      FaultStep step{.at = at, .kind = "disk.full", .target = draw_name(random, stage.servers)};
      step.lasts = draw_duration(random, 10ms, 8s);
      if (random.chance(0.7)) step.count = draw_count(random, 8192);
      steps.push_back(step);
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
