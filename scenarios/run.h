// One run: a scenario under one seed, in this process, from an empty world to its verdict.
#pragma once

#include "base/log.h"
#include "checkers/history.h"
#include "reports/run_result.h"
#include "scenarios/scenario.h"
#include "sim/plan.h"
#include "sim/trace.h"

#include <functional>
#include <optional>
#include <string>

namespace seatrial::scenarios {

// The plan that a seed makes of a scenario.
Result<sim::Plan> make_plan(const Scenario& scenario, uint64_t seed);

// Whoever wants to see more than the result. All optional.
struct Observers {
  sim::TraceListener trace;
  std::function<void(os::Duration, std::string_view node, base::LogLevel, std::string_view)> log;
  std::function<void(const checkers::History&)> history;
};

// Runs to the end, or to `until` in virtual time: then nothing is checked. A failed CHECK in a
// node does not come back: it goes to the check handler.
Result<reports::RunResult> run_seed(const Scenario& scenario, uint64_t seed, const sim::Plan& plan,
                                    const Observers& observers = {},
                                    std::optional<os::Duration> until = {});

// Of the source this binary was built from.
std::string_view revision();

}  // namespace seatrial::scenarios
