#include "scenarios/workloads/workload.h"

#include <fmt/format.h>

namespace seatrial::scenarios {

std::span<const Workload* const> all_workloads() {
  static const Workload* const workloads[] = {
      crash_in_fork_workload(), flush_visibility_workload(), reconnect_storm_workload(),
      register_workload(),      watch_lease_workload(),      watch_transfer_workload()};
  return workloads;
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
