// process.blackout: several machines go dark at the same instant, as with the power of a room, and
// come back one by one.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

class ProcessBlackout : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"down_ms", 10, 8000, "until the last of them is back"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.blackout",
        .family = "process",
        .description = "two servers or more lose power at once; each is back at a time of its own",
        .parameters = kParameters,
        .rate = 0.7};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    if (stage.servers.size() < 2) return;
    for (VirtualTime at : draw_hours(random, stage)) {
      // All of them, half of the time.
      std::vector<std::string> dark = stage.servers;
      if (random.chance(0.5)) {
        const size_t count = 2 + random.below(stage.servers.size() - 1);
        while (dark.size() > count) {
          dark.erase(dark.begin() + static_cast<ptrdiff_t>(random.below(dark.size())));
        }
      }
      FaultStep step = step_at(at, fmt::format("{}", fmt::join(dark, ",")));
      step.lasts = draw_duration(random, stage, "down_ms");
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    std::vector<Down> down;
    for (const auto& node : world.nodes()) {
      if (!is_among(step.target, node->name()) || !node->powered()) continue;
      base::RandomStream random =
          world.streams().stream(node->name(), step.kind, static_cast<uint64_t>(step.at.count()));
      node->power_off();
      down.push_back({draw_micros(random, VirtualTime(0), step.lasts), node.get()});
    }
    if (down.empty()) return;
    world.count(step.kind);
    std::ranges::stable_sort(down, {}, &Down::lasts);
    VirtualTime passed{0};
    for (const Down& each : down) {
      world.sleep(each.lasts - passed);
      passed = each.lasts;
      each.node->power_on();
      each.node->start_service();
    }
  }

 private:
  struct Down {
    VirtualTime lasts;
    Node* node;
  };
};

}  // namespace

const Fault* process_blackout_fault() {
  static const ProcessBlackout fault;
  return &fault;
}

}  // namespace seatrial::sim
