// disk.write_error: a node's next write to a file fails after any part of its bytes.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class DiskWriteError : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"call", 1, 32, "where it is to meet a forked child: at which call of its life"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.write_error",
        .family = "disk",
        .description = "the next write fails with an I/O error, after any part of its bytes",
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
      ++node->write_errors_due;
      return;
    }
    SimProcess* const caller = await_call(world, *node, step);
    if (caller != nullptr) ++caller->write_errors_due;
  }
};

}  // namespace

const Fault* disk_write_error_fault() {
  static const DiskWriteError fault;
  return &fault;
}

}  // namespace seatrial::sim
