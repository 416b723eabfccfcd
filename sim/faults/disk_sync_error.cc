// disk.sync_error: a node's next sync fails, and with it goes all knowledge of what it covered.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class DiskSyncError : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"call", 1, 32, "where it is to meet a forked child: at which call of its life"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.sync_error",
        .family = "disk",
        .description =
            "the next sync fails; its pages count as clean, each has reached the disk or is lost",
        .parameters = kParameters,
        .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      plan.faults.push_back(step_at(at, draw_name(random, stage.servers)));
    }
    // And some for children, or the process that calls most often would meet them all.
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      draw_fork_call(random, stage, step);
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    if (step.moment < Moment::kChild) {
      ++node->sync_errors_due;
      return;
    }
    SimProcess* const caller = await_call(world, *node, step);
    if (caller != nullptr) ++caller->sync_errors_due;
  }
};

}  // namespace

const Fault* disk_sync_error_fault() {
  static const DiskSyncError fault;
  return &fault;
}

}  // namespace seatrial::sim
