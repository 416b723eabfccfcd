// chaos.sites: CHANCE() in production code comes true now and then.
#include "os/chaos.h"
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ChaosSites : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"armed_share", 0.2, 0.8, "of all sites, for each server"},
        {"fires_permille", 10, 500, "of the times that an armed site is asked"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "chaos.sites",
        .family = "chaos",
        .description = "rare branches of production code are taken for free, at CHANCE()",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    const double share = draw_between(random, stage, "armed_share");
    const uint64_t seed = random.next();
    for (const std::string& server : stage.servers) {
      for (const os::ChanceSite& site : os::all_chances()) {
        // A site more in the code leaves the draws of the others as they were.
        base::RandomStream own(seed ^ base::hash_name(server), site.name);
        if (!own.chance(share)) continue;
        plan_of(plan, server).chaos.armed[site.name] =
            draw_count(own, stage, "fires_permille") / 1000.0;
      }
    }
  }

  void calm(World& world) const override {
    for (const auto& node : world.nodes()) node->chaos_over = true;
  }
};

}  // namespace

const Fault* chaos_sites_fault() {
  static const ChaosSites fault;
  return &fault;
}

}  // namespace seatrial::sim
