#include "sim/storm.h"

#include "base/check.h"
#include "sim/faults/fault.h"
#include "sim/machine/network.h"

#include <fmt/format.h>

namespace seatrial::sim {

Storm::Storm(World& world, const Plan& plan) : world_(world) {
  for (const FaultStep& step : plan.faults) {
    const Fault* fault = find_fault(step.kind);
    CHECK_MSG(fault != nullptr, "no fault is called {}", step.kind);
    steps_.push_back(world.administer(step.kind, [&world, fault, step] {
      const os::MonotonicTime hour(step.at);
      while (os::MonotonicTime(world.now_virtual()) < hour) {
        if (world.fibers().park(hour) == os::Wake::kCancelled) return;
      }
      world.note(step.target, TraceKind::kFault,
                 fmt::format("{} at {}", step.kind, to_string(step.moment)));
      fault->strike(world, step);
    }));
  }
}

void Storm::end() {
  for (os::Fiber& step : steps_) step.cancel();
  for (os::Fiber& step : steps_) (void)step.join();
  steps_.clear();
  // The weather between nodes turns fair; what is in flight goes on.
  NetworkWeather& network = world_.weather().network;
  network.cut_chance = 0;
  network.refuse_chance = 0;
  network.slow_chance = 0;
  DiskWeather& disk = world_.weather().disk;
  disk.stall_chance = 0;
  disk.sync_error_chance = 0;
  disk.write_error_chance = 0;
  ProcessWeather& process = world_.weather().process;
  process.fork_failure_chance = 0;
  process.fork_pause_per_kib = VirtualTime(0);
  process.reap_delay_max = VirtualTime(0);
  world_.net().heal();
  for (const auto& node : world_.nodes()) {
    node->sync_errors_due = 0;
    node->write_errors_due = 0;
    node->fork_failures_due = 0;
    node->disk_stalled_until = VirtualTime(0);
    node->syncs_stalled_until = VirtualTime(0);
    node->power_on();
    node->resume();
    node->start_service();
  }
  world_.note({}, TraceKind::kNote, "calm");
}

}  // namespace seatrial::sim
