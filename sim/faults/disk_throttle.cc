// disk.throttle: a disk that does only so much: calls queue one behind the other. Reads cost their
// bytes as they are made, writes as they are synced. `count` is calls a second, `amount` bytes a
// second.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class DiskThrottle : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 100, 8000, "until it is fast again"},
        {"iops", 50, 5000, "calls a second"},
        {"rate_kib", 64, 51200, "KiB a second"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.throttle",
        .family = "disk",
        .description = "the disk does only so many calls and bytes a second; calls queue",
        .parameters = kParameters,
        .rate = 0.4};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      step.count = draw_count(random, stage, "iops");
      step.amount = draw_amount(random, stage, "rate_kib") * 1024;
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr || node->disk_trouble.throttled()) return;
    node->disk_trouble.calls_per_second = step.count;
    node->disk_trouble.bytes_per_second = static_cast<uint64_t>(std::max<int64_t>(step.amount, 0));
    world.count(step.kind);
    world.sleep(step.lasts);
    node->disk_trouble.calls_per_second = 0;
    node->disk_trouble.bytes_per_second = 0;
  }
};

}  // namespace

const Fault* disk_throttle_fault() {
  static const DiskThrottle fault;
  return &fault;
}

}  // namespace seatrial::sim
