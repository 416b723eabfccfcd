// disk.errors: any call may fail with an input/output error, by chance.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class DiskErrors : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"read_chance", 0, 0.005, "of a read to fail"},
        {"write_chance", 0, 0.005, "of a write to fail, part of it done"},
        {"sync_chance", 0, 0.01, "of a sync to fail"},
        {"name_chance", 0, 0.005, "of open, list, rename, unlink... to fail"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.errors",
                                     .family = "disk",
                                     .description = "any call may fail with an input/output error",
                                     .parameters = kParameters,
                                     .chance = 0.3,
                                     .ambient = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    DiskWeather& disk = plan.weather.disk;
    disk.read_error_chance = draw_between(random, stage, "read_chance");
    disk.write_error_chance = draw_between(random, stage, "write_chance");
    disk.sync_error_chance = draw_between(random, stage, "sync_chance");
    disk.name_error_chance = draw_between(random, stage, "name_chance");
  }

  void calm(World& world) const override {
    DiskWeather& disk = world.weather().disk;
    disk.read_error_chance = 0;
    disk.write_error_chance = 0;
    disk.sync_error_chance = 0;
    disk.name_error_chance = 0;
  }
};

}  // namespace

const Fault* disk_errors_fault() {
  static const DiskErrors fault;
  return &fault;
}

}  // namespace seatrial::sim
