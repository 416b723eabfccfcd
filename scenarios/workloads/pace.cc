#include "scenarios/workloads/pace.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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
      return base::fail(
          base::Errc::kInvalidData,
          fmt::format("{}: {} must be between 1 and 1000000, is {}", scenario.name, name, value));
    }
  }
  return {};
}

int64_t parameter(const Scenario& scenario, std::string_view name, int64_t otherwise) {
  auto it = scenario.parameters.find(name);
  return it == scenario.parameters.end() ? otherwise : it->second;
}

namespace {

std::unexpected<base::Error> not_such(const nlohmann::json& operation, std::string_view name,
                                      std::string_view expected) {
  return base::fail(
      base::Errc::kInvalidData,
      fmt::format("an operation's \"{}\" must be {}, found {}", name, expected, operation.dump()));
}

}  // namespace

Result<std::string> text_member(const nlohmann::json& operation, std::string_view name) {
  if (!operation.is_object()) return not_such(operation, name, "a member of an object");
  const auto it = operation.find(name);
  if (it == operation.end()) return std::string();
  if (!it->is_string()) return not_such(operation, name, "a string");
  return it->get<std::string>();
}

Result<int64_t> number_member(const nlohmann::json& operation, std::string_view name) {
  constexpr int64_t kMost = 1'000'000'000'000;
  if (!operation.is_object()) return not_such(operation, name, "a member of an object");
  const auto it = operation.find(name);
  if (it == operation.end()) return 0;
  if (!it->is_number_integer() || it->get<int64_t>() < 0 || it->get<int64_t>() > kMost) {
    return not_such(operation, name, "a whole number from 0 to 1e12");
  }
  return it->get<int64_t>();
}

os::Duration draw_think(base::RandomStream& random, const Scenario& scenario, int64_t count) {
  const bool burst = random.chance(0.6);
  const int64_t pause = scenario.storm.count() / std::max<int64_t>(count, 1) * 4;
  const int64_t rest = random.between(0, std::max<int64_t>(pause, 1));
  return os::Duration(burst ? random.between(0, 2'000'000) : rest);
}

}  // namespace seatrial::scenarios
