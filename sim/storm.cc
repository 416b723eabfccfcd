#include "sim/storm.h"

#include "base/check.h"
#include "sim/faults/fault.h"
#include "sim/machine/network.h"

#include <fmt/format.h>

#include <string>

namespace seatrial::sim {

Storm::Storm(World& world, const Plan& plan, Policy policy)
    : world_(world), policy_(std::move(policy)) {
  for (const FaultStep& step : plan.faults) {
    const Fault* fault = find_fault(step.kind);
    CHECK_MSG(fault != nullptr, "no fault is called {}", step.kind);
    // By its hour, and not by how many are before it: one step less leaves the others' turns alone.
    const std::string name = fmt::format("{} due at {} us", step.kind, to_micros(step.at));
    steps_.push_back(world.administer(name, [this, fault, step] { carry_out(*fault, step); }));
  }
}

void Storm::carry_out(const Fault& fault, const FaultStep& step) {
  const os::MonotonicTime hour(step.at);
  while (os::MonotonicTime(world_.now_virtual()) < hour) {
    if (world_.fibers().park(hour) == os::Wake::kCancelled) return;
  }
  if (policy_ && fault.info().harms_disk) {
    if (const std::string why = policy_(world_, step); !why.empty()) {
      world_.hold_back(step.kind);
      return world_.note(step.target, TraceKind::kNote,
                         fmt::format("{} held back: {}", step.kind, why));
    }
  }
  world_.note(step.target, TraceKind::kFault,
              fmt::format("{} at {}", step.kind, to_string(step.moment)));
  fault.strike(world_, step);
}

void Storm::end() {
  for (os::Fiber& step : steps_) step.cancel();
  for (os::Fiber& step : steps_) (void)step.join();
  steps_.clear();
  // What is in flight goes on.
  for (const Fault* fault : all_faults()) fault->calm(world_);
  world_.net().heal();
  for (const auto& node : world_.nodes()) {
    node->sync_errors_due = 0;
    node->write_errors_due = 0;
    node->fork_failures_due = 0;
    node->disk_stalled_until = VirtualTime(0);
    node->syncs_stalled_until = VirtualTime(0);
    node->disk_trouble = {};
    node->power_on();
    node->resume();
    node->set_step_cost(VirtualTime(0));
    node->start_service();
  }
  world_.note({}, TraceKind::kNote, "calm");
}

}  // namespace seatrial::sim
