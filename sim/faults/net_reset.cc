// net.reset: every stream of a node is reset at once, at whatever byte it is.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class NetReset : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr FaultInfo kInfo{
        .kind = "net.reset",
        .family = "network",
        .description = "all streams of a node are reset at whatever byte they are",
        .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    const Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    const size_t cut =
        world.net().cut({node->index()}, [](const Node&, const Node&) { return true; });
    if (cut > 0) world.count(step.kind);
  }
};

}  // namespace

const Fault* net_reset_fault() {
  static const NetReset fault;
  return &fault;
}

}  // namespace seatrial::sim
