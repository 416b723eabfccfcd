// storm.reconnect: the streams between servers are reset, all at once, again and again: replicas
// come back together, and are cut off once more before, while and after they have caught up.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class StormReconnect : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"cuts", 2, 30, "how often"},
        {"every_ms", 1, 2000, "about so far apart"},
    };
    static constexpr FaultInfo kInfo{.kind = "storm.reconnect",
                                     .family = "storm",
                                     .description =
                                         "the streams of all servers to each other (a third of the "
                                         "time of one) are reset again and again",
                                     .parameters = kParameters,
                                     .rate = 1};
    return kInfo;
  }

  // `count` cuts, spread over `lasts`.
  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, {});
      const bool one = random.chance(1.0 / 3);
      const std::string& alone = draw_name(random, stage.servers);
      for (const std::string& name : stage.servers) {
        if (one && name != alone) continue;
        if (!step.target.empty()) step.target += ',';
        step.target += name;
      }
      step.count = draw_uniform(random, stage, "cuts");
      const VirtualTime rhythm = draw_duration(random, stage, "every_ms");
      step.lasts = std::min(rhythm * step.count, stage.storm);
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    FaultStep first = step;
    first.target = step.target.substr(0, step.target.find(','));
    if (!await_moment(world, first)) return;
    base::RandomStream random =
        world.streams().stream(step.target, step.kind, static_cast<uint64_t>(step.at.count()));
    Border::Nodes struck;
    for (const auto& node : world.nodes()) {
      if (node->serves() && is_among(step.target, node->name())) struck.push_back(node->index());
    }
    const VirtualTime rhythm = step.lasts / std::max(step.count, 1U);
    for (uint32_t cut = 0; cut < step.count; ++cut) {
      // Not to the beat: what servers do after a cut takes as long each time.
      if (cut > 0) world.sleep(draw_micros(random, rhythm / 2, rhythm * 3 / 2));
      if (world.fibers().cancelled()) return;
      const size_t streams = world.net().cut(struck, [](const Node& a, const Node& b) {
        return a.serves() && b.serves() && &a != &b;
      });
      if (streams > 0) world.count(step.kind);
    }
  }
};

}  // namespace

const Fault* storm_reconnect_fault() {
  static const StormReconnect fault;
  return &fault;
}

}  // namespace seatrial::sim
