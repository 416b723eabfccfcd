// disk.power_luck: what a power loss leaves of what was not synced.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class DiskPowerLuck : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"kept", 0, 1, "share of the sectors that are kept"},
        {"torn", 0, 1, "share of the others that are torn"},
        {"name_kept", 0, 1, "share of the operations on names that survive"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.power_luck",
        .family = "disk",
        .description = "of unsynced sectors and names, how many survive a power loss",
        .parameters = kParameters,
        .chance = 1,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    DiskWeather& disk = plan.weather.disk;
    disk.sector_kept = draw_between(random, stage, "kept");
    disk.sector_torn = draw_between(random, stage, "torn") * (1 - disk.sector_kept);
    disk.name_kept = draw_between(random, stage, "name_kept");
  }
};

}  // namespace

const Fault* disk_power_luck_fault() {
  static const DiskPowerLuck fault;
  return &fault;
}

}  // namespace seatrial::sim
