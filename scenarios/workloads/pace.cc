#include "scenarios/workloads/pace.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::scenarios {

Result<void> known_parameters(const Scenario& scenario,
                              std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : scenario.parameters) {
    if (std::ranges::find(names, name) == names.end()) {
      return base::fail(base::Errc::kInvalidData,
                        fmt::format("{}: workload {} has no \"{}\"; it has {}", scenario.name,
                                    scenario.workload, name, fmt::join(names, ", ")));
    }
    if (value < 1 || value > 1'000'000) {
      return base::fail(base::Errc::kInvalidData,
                        fmt::format("{}: {} must be between 1 and 1000000, is {}", scenario.name,
                                    name, value));
    }
  }
  return {};
}

int64_t parameter(const Scenario& scenario, std::string_view name, int64_t otherwise) {
  auto it = scenario.parameters.find(name);
  return it == scenario.parameters.end() ? otherwise : it->second;
}

os::Duration draw_think(base::RandomStream& random, const Scenario& scenario, int64_t count) {
  const bool burst = random.chance(0.6);
  const int64_t pause = scenario.storm.count() / std::max<int64_t>(count, 1) * 4;
  const int64_t rest = random.between(0, std::max<int64_t>(pause, 1));
  return os::Duration(burst ? random.between(0, 2'000'000) : rest);
}

}  // namespace seatrial::scenarios
