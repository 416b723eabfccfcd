// net.partition: nothing gets from one part of the network to another. A segment that does not
// arrive is sent again, ever more rarely, so that healing is noticed late.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

#include <algorithm>
#include <optional>

namespace seatrial::sim {
namespace {

class NetPartition : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"lasts_ms", 10, 8000, "until it is healed"},
        {"one_way_chance", 0.33, 0.33, "of a set, or of one alone, to be cut off one way only"},
        {"groups", 2, 4, "into how many it falls, where it falls into groups"},
    };
    static constexpr std::string_view kModes[] = {"set", "isolate", "groups", "bridge", "ring"};
    static constexpr FaultInfo kInfo{
        .kind = "net.partition",
        .family = "network",
        .description =
            "nothing gets from one part to another: a set or one node against all "
            "others, groups, two sides that one node sees both of, a ring",
        .parameters = kParameters,
        .modes = kModes,
        .rate = 1};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, {});
      step.lasts = draw_duration(random, stage, "lasts_ms");
      const double one_way = draw_between(random, stage, "one_way_chance");
      const uint32_t groups = draw_uniform(random, stage, "groups");
      draw_shape(random, stage, one_way, groups, step);
      if (!step.target.empty()) plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    const Barrier barrier =
        world.net().put_up({.kind = Obstacle::Kind::kLoses, .border = shape(world, step)});
    world.count(step.kind);
    world.sleep(step.lasts);
  }

 private:
  // Two in five a set, one in five each of one alone and of groups, the rest a bridge or a ring,
  // where there are as many servers as that takes.
  static void draw_shape(base::RandomStream& random, const Stage& stage, double one_way,
                         uint32_t groups, FaultStep& step) {
    std::vector<std::string> servers = stage.servers;
    shuffle(random, servers);
    std::vector<std::string> all = stage.servers;
    all.insert(all.end(), stage.clients.begin(), stage.clients.end());
    const uint64_t shape = random.below(10);
    if (shape == 8 && servers.size() >= 3) {
      step.mode = "bridge";
      servers.pop_back();
      step.target = cut_up(random, servers, 2);
    } else if (shape == 9 && servers.size() >= 4) {
      step.mode = "ring";
      step.target = join_names(servers);
    } else if ((shape == 6 || shape == 7) && all.size() >= 2) {
      step.mode = "groups";
      shuffle(random, all);
      step.target = cut_up(random, all, std::min<size_t>(groups, all.size()));
    } else if (shape >= 4) {
      step.mode = "isolate";
      step.target = draw_direction(random, one_way) + servers[0];
    } else {
      step.mode = "set";
      std::erase_if(all, [&](const std::string&) { return !random.chance(0.4); });
      if (!all.empty()) step.target = draw_direction(random, one_way) + join_names(all);
    }
  }

  // Groups of any size, none of them empty.
  static std::string cut_up(base::RandomStream& random, const std::vector<std::string>& names,
                            size_t groups) {
    std::string target = names[0];
    for (size_t i = 1; i < names.size(); ++i) {
      // A cut where as many are needed as names are left, else by chance.
      const bool cut = groups > 1 && random.below(names.size() - i) < groups - 1;
      if (cut) --groups;
      target += (cut ? "|" : ",") + names[i];
    }
    return target;
  }

  static Border shape(World& world, const FaultStep& step) {
    const std::vector<Border::Nodes> groups = groups_of(world, step.target);
    if (step.mode == "ring") return Border::ring(groups[0]);
    if (step.mode == "groups" || step.mode == "bridge") return Border::among(groups);
    return border_of(world, step.target);
  }
};

}  // namespace

const Fault* net_partition_fault() {
  static const NetPartition fault;
  return &fault;
}

}  // namespace seatrial::sim
