// process.crash_loop: the machine comes up and goes down again and again, each time before it has
// come far: what finds mistakes in recovery is a crash within it.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class ProcessCrashLoop : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"crashes", 2, 8, "how often"},
        {"up_us", 100, 200000, "the longest that it is up in between"},
        {"within_ms", 20, 2000, "no crash after this"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.crash_loop",
        .family = "process",
        .description = "power lost (or killed, one time in three), up for a little, and down again",
        .parameters = kParameters,
        .rate = 0.7};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      // A quarter of them meet the very first start.
      if (random.chance(0.25)) at = draw_micros(random, 0us, 2ms);
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "within_ms");
      step.count = draw_uniform(random, stage, "crashes");
      step.amount = to_micros(draw_duration(random, stage, "up_us"));
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    Node* node = world.find_node(step.target);
    if (node == nullptr) return;
    base::RandomStream random =
        world.streams().stream(step.target, step.kind, static_cast<uint64_t>(step.at.count()));
    const VirtualTime until = world.now_virtual() + step.lasts;
    const VirtualTime up_max = std::chrono::microseconds(step.amount > 0 ? step.amount : 200'000);
    const uint64_t rounds = step.count > 0 ? step.count : 2 + random.below(7);
    for (uint64_t round = 0; round < rounds && world.now_virtual() <= until; ++round) {
      const bool power = !random.chance(1.0 / 3);
      const VirtualTime down = draw_duration(random, 1ms, 20ms);
      const VirtualTime up = draw_duration(random, 100us, up_max);
      FaultStep moment = step;
      draw_moment(random, moment);
      if (!await_moment(world, moment)) return;
      if (!node->powered()) return;
      if (power) {
        node->power_off();
      } else {
        node->kill();
      }
      world.count(step.kind);
      world.sleep(down);
      node->power_on();
      node->start_service();
      world.sleep(up);
    }
  }
};

}  // namespace

const Fault* process_crash_loop_fault() {
  static const ProcessCrashLoop fault;
  return &fault;
}

}  // namespace seatrial::sim
