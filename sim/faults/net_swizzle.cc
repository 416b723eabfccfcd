// net.swizzle: some nodes are clogged one by one, then unclogged one by one in another order, so
// that each sees the others come and go in an order of its own.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

class NetSwizzle : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 20, 5000, "from the first clog until the last is gone"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.swizzle",
        .family = "network",
        .description =
            "about half of the nodes are clogged one by one, and unclogged in another "
            "order",
        .parameters = kParameters,
        .rate = 0.5};
    return kInfo;
  }

  // The target's order is that of clogging.
  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    std::vector<std::string> all = stage.servers;
    all.insert(all.end(), stage.clients.begin(), stage.clients.end());
    for (VirtualTime at : draw_hours(random, stage)) {
      shuffle(random, all);
      const size_t count = std::max<size_t>(all.size() / 2, 1);
      FaultStep step =
          step_at(at, join_names({all.begin(), all.begin() + static_cast<int>(count)}));
      step.lasts = draw_duration(random, stage, "lasts_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    base::RandomStream random =
        world.streams().stream(step.target, step.kind, static_cast<uint64_t>(step.at.count()));
    const Border::Nodes nodes = groups_of(world, step.target)[0];
    if (nodes.empty()) return;
    const VirtualTime rhythm = step.lasts / static_cast<int64_t>(2 * nodes.size());
    std::vector<Barrier> clogs;
    world.count(step.kind);
    for (const uint32_t node : nodes) {
      clogs.push_back(
          world.net().put_up({.kind = Obstacle::Kind::kHolds, .border = Border::around({node})}));
      world.sleep(draw_micros(random, rhythm / 2, rhythm * 3 / 2));
      if (world.fibers().cancelled()) return;
    }
    while (!clogs.empty()) {
      // Another order: the first to be clogged is not the first to flow.
      const size_t spared = clogs.size() == nodes.size() && nodes.size() > 1 ? 1 : 0;
      const size_t next = spared + random.below(clogs.size() - spared);
      clogs.erase(clogs.begin() + static_cast<int>(next));
      world.sleep(draw_micros(random, rhythm / 2, rhythm * 3 / 2));
      if (world.fibers().cancelled()) return;
    }
  }
};

}  // namespace

const Fault* net_swizzle_fault() {
  static const NetSwizzle fault;
  return &fault;
}

}  // namespace seatrial::sim
