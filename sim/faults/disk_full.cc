// disk.full: others who use a node's disk fill it, but for a little, and clear it after a while.
// Mode "drift": they write and remove meanwhile, so that what is left changes all the time.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class DiskFull : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 8000, "until there is room again"},
        {"left_bytes", 0, 8192, "what is left to everybody"},
        {"drift_chance", 0.3, 0.3,
         "that others write and remove all the time: more is left, or less"},
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
      if (random.chance(draw_between(random, stage, "drift_chance"))) step.mode = "drift";
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
    if (step.mode == "drift")
      drift(world, files, step);
    else
      world.sleep(step.lasts);
    files.capacity_bytes = UINT64_MAX;
  }

 private:
  // Between nothing and twice what the step leaves, but for what the node uses.
  static void drift(World& world, FileSystem& files, const FaultStep& step) {
    const auto instance = static_cast<uint64_t>(to_micros(step.at));
    base::RandomStream random = world.streams().stream(step.target, step.kind, instance);
    const VirtualTime until = world.now_virtual() + step.lasts;
    while (world.now_virtual() < until && !world.fibers().cancelled()) {
      files.capacity_bytes = files.used_bytes() + random.below(2 * uint64_t{step.count} + 1);
      const VirtualTime next = draw_micros(random, 5ms, 50ms);
      world.sleep(std::min(next, until - world.now_virtual()));
    }
  }
};

}  // namespace

const Fault* disk_full_fault() {
  static const DiskFull fault;
  return &fault;
}

}  // namespace seatrial::sim
