// process.kill_in_recovery: the service is down, comes up, and goes down again at the n-th call on
// the disk of its new life, then at the (n+1)-th of the next, and so on: a crash between any two
// steps of a recovery, each of which finds what the one before has left.
#include "sim/faults/fault.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
namespace {

// So long a recovery may take to come to the call; an idle server never does.
constexpr VirtualTime kPatience = std::chrono::seconds(2);

class ProcessKillInRecovery : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"first_call", 1, 48, "of the first recovery that is cut short"},
        {"crashes", 1, 16, "how many recoveries, each at the next call"},
        {"down_ms", 1, 100, "between a crash and the next start"},
        {"power_chance", 0.5, 0.5, "that the power goes, too, in all of them"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "process.kill_in_recovery",
        .family = "process",
        .description =
            "killed (or power lost) at one call on the disk of its recovery after the other",
        .parameters = kParameters,
        .rate = 0.7};
    return kInfo;
  }

  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      FaultStep step = step_at(at, draw_name(random, stage.servers));
      step.lasts = draw_duration(random, stage, "down_ms");
      step.amount = draw_amount(random, stage, "first_call");
      step.count = draw_count(random, stage, "crashes");
      step.mode = random.chance(draw_between(random, stage, "power_chance")) ? "power" : "kill";
      draw_moment(random, step);
      plan.faults.push_back(step);
    }
  }

  // `amount`: the call at which the first recovery ends; `count`: how many do; `mode`: "power" or
  // "kill"; `lasts`: how long it is down each time.
  void strike(World& world, const FaultStep& step) const override {
    if (!await_moment(world, step)) return;
    Node* node = world.find_node(step.target);
    if (node == nullptr || !node->service_runs()) return;
    crash(world, *node, step);
    for (uint32_t round = 0; round < step.count; ++round) {
      if (!node->service_runs()) return;
      if (!await_recovery(world, *node, static_cast<uint64_t>(step.amount) + round)) return;
      world.count(step.kind);
      crash(world, *node, step);
    }
  }

 private:
  static void crash(World& world, Node& node, const FaultStep& step) {
    if (step.mode == "power") {
      node.power_off();
    } else {
      node.kill();
    }
    world.sleep(step.lasts);
    node.power_on();
    node.start_service();
  }

  // Until the service that has just been started is about to make its n-th call; false if it never
  // does, or something else has ended it.
  static bool await_recovery(World& world, Node& node, uint64_t n) {
    const SimProcess* const started = node.service();
    if (started == nullptr) return false;
    const uint64_t incarnation = started->incarnation();
    const os::MonotonicTime until(world.now_virtual() + kPatience);
    for (;;) {
      const SimProcess* const service = node.find_incarnation(incarnation);
      if (service == nullptr) return false;
      if (service->disk_calls >= n) return true;
      const os::Wake wake = node.disk_steps.wait(until);
      if (wake != os::Wake::kSignal) return false;
    }
  }
};

}  // namespace

const Fault* process_kill_in_recovery_fault() {
  static const ProcessKillInRecovery fault;
  return &fault;
}

}  // namespace seatrial::sim
