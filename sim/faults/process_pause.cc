// process.pause: SIGSTOP and SIGCONT. Time goes on without the node.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ProcessPause : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr FaultInfo kInfo{"process.pause", "process",
                                     "SIGSTOP, then SIGCONT after 10 ms to 10 s"};
    return kInfo;
  }

  void plan(base::RandomStream& random, const Stage& stage,
            std::vector<FaultStep>& steps) const override {
    for (VirtualTime at : draw_hours(random, stage, 0.5)) {
      steps.push_back({.at = at,
                       .kind = "process.pause",
                       .target = draw_name(random, stage.servers),
                       .lasts = draw_duration(random, 10ms, 10s)});
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered() || node->paused()) return;
    node->pause();
    world.count(step.kind);
    world.sleep(step.lasts);
    node->resume();
  }
};

}  // namespace

const Fault* process_pause_fault() {
  static const ProcessPause fault;
  return &fault;
}

}  // namespace seatrial::sim
