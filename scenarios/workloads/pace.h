// What workloads share: their parameters, and the pace at which clients ask.
#pragma once

#include "base/random.h"
#include "scenarios/scenario.h"

#include <nlohmann/json_fwd.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace seatrial::scenarios {

// An error names the parameter that no such workload has.
Result<void> known_parameters(const Scenario& scenario,
                              std::initializer_list<std::string_view> names);
int64_t parameter(const Scenario& scenario, std::string_view name, int64_t otherwise);

// A member of an operation as a plan, perhaps an edited one, gives it; empty, or 0, where there is
// none.
Result<std::string> text_member(const nlohmann::json& operation, std::string_view name);
Result<int64_t> number_member(const nlohmann::json& operation, std::string_view name);

// How long to think before an operation: bursts and pauses, so that `count` of them fill the
// storm on average.
os::Duration draw_think(base::RandomStream& random, const Scenario& scenario, int64_t count);

}  // namespace seatrial::scenarios
