// disk.slow: slow syncs, and now and then a call that takes very long.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class DiskSlow : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"sync_ms", 5, 200, "the longest that a sync takes"},
        {"stall_chance", 0, 0.02, "of a call to take long"},
        {"stall_ms", 50, 1000, "the longest that one takes"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.slow",
        .family = "disk",
        .description = "syncs are slow, and now and then a call takes long",
        .parameters = kParameters,
        .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    DiskWeather& disk = plan.weather.disk;
    disk.sync_max = draw_duration(random, stage, "sync_ms");
    disk.stall_chance = draw_between(random, stage, "stall_chance");
    disk.stall_max = draw_duration(random, stage, "stall_ms");
  }

  void calm(World& world) const override { world.weather().disk.stall_chance = 0; }
};

}  // namespace

const Fault* disk_slow_fault() {
  static const DiskSlow fault;
  return &fault;
}

}  // namespace seatrial::sim
