// process.older_disk: a machine is restored from an image of its disk: what was durable there some
// time ago, and nothing since.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

class ProcessOlderDisk : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"age_ms", 10, 10000, "how old the image is"},
        {"down_ms", 10, 8000, "until it is back"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.older_disk",
        .family = "process",
        .description = "power lost, and back on an image of its disk taken earlier",
        .parameters = kParameters,
        .rate = 0.3,
        .harms_disk = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    if (stage.expendable.empty()) return;
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.expendable));
      step.amount = to_micros(draw_duration(random, stage, "age_ms"));
      step.lasts = draw_duration(random, stage, "down_ms");
      plan.faults.push_back(step);
    }
  }

  // `amount`: the image is taken at the step's hour, and this many microseconds old when it is
  // used.
  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    FileSystem image = node->files().copy();
    world.sleep(std::chrono::microseconds(step.amount));
    if (!await_moment(world, step) || !node->powered()) return;
    node->power_off();
    node->replace_disk(std::move(image));
    world.count(step.kind);
    world.sleep(step.lasts);
    node->power_on();
    node->start_service();
  }
};

}  // namespace

const Fault* process_older_disk_fault() {
  static const ProcessOlderDisk fault;
  return &fault;
}

}  // namespace seatrial::sim
