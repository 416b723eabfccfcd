// process.upgrade: a server comes back as another release, on the disk that the one before has
// left: the next one, or the one before where somebody takes it back. Others go on as what they
// are, so that releases have to get along with each other.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

constexpr std::string_view kModes[] = {"forward", "back"};

class ProcessUpgrade : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"patience_ms", 2000, 20000, "what the old one may take to end after a SIGTERM"},
        {"down_ms", 1, 4000, "until the new one is started"},
        {"back_chance", 0, 0.4, "how often it is taken back to the release before"},
        {"kill_chance", 0, 0.5, "how often the old one is killed instead of asked"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.upgrade",
        .family = "process",
        .description = "a server comes back as its next release, or the one before",
        .parameters = kParameters,
        .modes = kModes,
        .chance = 0.8,
        .rate = 0.5,
        .changes_release = true};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    const double back = draw_between(random, stage, "back_chance");
    const double kill = draw_between(random, stage, "kill_chance");
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.mode = kModes[random.chance(back) ? 1 : 0];
      step.lasts = draw_duration(random, stage, "down_ms");
      const VirtualTime patience = draw_duration(random, stage, "patience_ms");
      if (!random.chance(kill)) step.amount = to_micros(patience);
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  // `amount`: the patience, in microseconds; 0: the old one is killed.
  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->powered()) return;
    const bool back = step.mode == kModes[1];
    if (back ? node->release() == 0 : node->release() + 1 >= node->releases()) return;
    const VirtualTime patience = std::chrono::microseconds(step.amount);
    if (patience == VirtualTime(0)) {
      if (node->kill() == 0) return;
      world.count(step.kind);
    } else if (!stop_service(world, *node, step.kind, patience)) {
      return;
    }
    node->install(back ? node->release() - 1 : node->release() + 1);
    world.sleep(step.lasts);
    node->start_service();
  }
};

}  // namespace

const Fault* process_upgrade_fault() {
  static const ProcessUpgrade fault;
  return &fault;
}

}  // namespace seatrial::sim
