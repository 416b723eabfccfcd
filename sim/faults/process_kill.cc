// process.kill: SIGKILL for all of a node's processes. What they wrote stays in the page cache.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ProcessKill : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr FaultInfo kInfo{
        "process.kill", "process", "SIGKILL: the page cache survives; restarted after 1 ms to 4 s"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 2.0)) {
      FaultStep step{.at = at, .kind = "process.kill", .target = draw_name(random, stage.servers)};
      step.lasts = draw_duration(random, 1ms, 4s);
      draw_moment(random, step);
      steps.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered()) return;
    if (node->kill() == 0) return;
    world.count(step.kind);
    world.sleep(step.lasts);
    node->start_service();
  }
};

}  // namespace

const Fault* process_kill_fault() {
  static const ProcessKill fault;
  return &fault;
}

}  // namespace seatrial::sim
