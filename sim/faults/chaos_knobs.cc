// chaos.knobs: tuning values of production code are turned, at KNOB().
#include "os/chaos.h"
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class ChaosKnobs : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"turned_share", 0.1, 0.5, "of all knobs, for each server"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "chaos.knobs",
        .family = "chaos",
        .description = "tuning values of production code are turned, at KNOB()",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    const double share = draw_between(random, stage, "turned_share");
    const uint64_t seed = random.next();
    for (const std::string& server : stage.servers) {
      for (const os::KnobSite& knob : os::all_knobs()) {
        // As in chaos_sites.cc.
        base::RandomStream own(seed ^ base::hash_name(server), knob.name);
        if (!own.chance(share)) continue;
        plan_of(plan, server).chaos.knobs[knob.name] = knob.values()[own.below(knob.others_count)];
      }
    }
  }
};

}  // namespace

const Fault* chaos_knobs_fault() {
  static const ChaosKnobs fault;
  return &fault;
}

}  // namespace seatrial::sim
