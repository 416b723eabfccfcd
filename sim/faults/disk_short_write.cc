// disk.short_write: a write takes fewer bytes than it was given.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class DiskShortWrite : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"short_write_chance", 0, 0.5, "of a write"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.short_write",
                                     .family = "disk",
                                     .description = "a write takes fewer bytes than it was given",
                                     .parameters = kParameters,
                                     .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    DiskWeather& disk = plan.weather.disk;
    disk.short_write_chance = draw_between(random, stage, "short_write_chance");
  }
};

}  // namespace

const Fault* disk_short_write_fault() {
  static const DiskShortWrite fault;
  return &fault;
}

}  // namespace seatrial::sim
