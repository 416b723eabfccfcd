// disk.short_read: a read returns fewer bytes than it could, and at least one.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class DiskShortRead : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"short_chance", 0, 0.5, "of a read to fall short"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.short_read",
                                     .family = "disk",
                                     .description = "reads return fewer bytes than they could",
                                     .parameters = kParameters,
                                     .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    DiskWeather& disk = plan.weather.disk;
    disk.short_read_chance = draw_between(random, stage, "short_chance");
  }
};

}  // namespace

const Fault* disk_short_read_fault() {
  static const DiskShortRead fault;
  return &fault;
}

}  // namespace seatrial::sim
