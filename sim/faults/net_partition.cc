// net.partition: a black hole between a set of nodes and all others, both ways or one way.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class NetPartition : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 8000, "until it is healed"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "net.partition",
        .family = "network",
        .description = "nothing gets to or from a set of nodes; a third of the time one way only",
        .parameters = kParameters,
        .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    std::vector<std::string> names = stage.servers;
    names.insert(names.end(), stage.clients.begin(), stage.clients.end());
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, {});
      step.lasts = draw_duration(random, stage, "lasts_ms");
      // A leading > or < lets the one direction through.
      const uint64_t direction = random.below(6);
      if (direction < 2) step.target = direction == 0 ? ">" : "<";
      bool any = false;
      for (const std::string& name : names) {
        if (!random.chance(0.4)) continue;
        if (any) step.target += ',';
        step.target += name;
        any = true;
      }
      if (any) plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    std::string_view names = step.target;
    const bool inward_open = names.starts_with('>');
    const bool outward_open = names.starts_with('<');
    if (inward_open || outward_open) names.remove_prefix(1);
    Border::Nodes inside;
    for (const auto& node : world.nodes()) {
      if (is_among(names, node->name())) inside.push_back(node->index());
    }
    const Direction direction = inward_open    ? Direction::kOut
                                : outward_open ? Direction::kIn
                                               : Direction::kBoth;
    const Barrier barrier = world.net().put_up(
        {.kind = Obstacle::Kind::kLoses, .border = Border::around(inside, direction)});
    world.count(step.kind);
    world.sleep(step.lasts);
  }
};

}  // namespace

const Fault* net_partition_fault() {
  static const NetPartition fault;
  return &fault;
}

}  // namespace seatrial::sim
