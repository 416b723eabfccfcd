// disk.garbage: a sector that power loss tears holds neither the old nor the new, where it was
// being written. What was not being written stays.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class DiskGarbage : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"garbage_chance", 0, 1, "of a torn sector to hold garbage"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.garbage",
        .family = "disk",
        .description = "of what was being written as the power went, torn sectors hold garbage",
        .parameters = kParameters,
        .ambient = true,
        .opt_in = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    DiskWeather& disk = plan.weather.disk;
    disk.garbage_chance = draw_between(random, stage, "garbage_chance");
  }
};

}  // namespace

const Fault* disk_garbage_fault() {
  static const DiskGarbage fault;
  return &fault;
}

}  // namespace seatrial::sim
