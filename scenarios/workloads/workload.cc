#include "scenarios/workloads/workload.h"

#include "sim/faults/fault.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::scenarios {

std::span<const Workload* const> all_workloads() {
  static const Workload* const workloads[] = {
      crash_in_fork_workload(), flush_visibility_workload(), reconnect_storm_workload(),
      register_workload(),      watch_lease_workload(),      watch_transfer_workload()};
  return workloads;
}

std::string Workload::forbids(const Scenario& scenario, sim::World&,
                              const sim::FaultStep& step) const {
  for (const std::string& server : scenario.server_names()) {
    const auto& expendable = scenario.expendable;
    if (!sim::is_among(step.target, server)) continue;
    if (std::ranges::find(expendable, server) == expendable.end()) {
      return fmt::format("{} is not expendable", server);
    }
  }
  return {};
}

Result<const Workload*> find_workload(std::string_view name) {
  std::string known;
  for (const Workload* workload : all_workloads()) {
    if (workload->name() == name) return workload;
    known += fmt::format(" {}", workload->name());
  }
  return base::fail(base::Errc::kNotFound,
                    fmt::format("no workload is called \"{}\"; there are:{}", name, known));
}

}  // namespace seatrial::scenarios
