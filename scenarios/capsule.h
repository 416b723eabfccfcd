// A capsule: a failing run in one JSON file. Scenario text, seed, plan and git revision: all that
// it takes to repeat it, whatever the scenario files say by then.
#pragma once

#include "scenarios/scenario.h"
#include "sim/plan.h"

#include <string>
#include <string_view>

namespace seatrial::scenarios {

struct Capsule {
  Scenario scenario;
  uint64_t seed = 0;
  sim::Plan plan;
  std::string revision;
  uint64_t hash = 0;     // Of the run that it was made from; 0: not known.
  std::string expected;  // That run's verdict, in words.
};

inline constexpr int kCapsuleVersion = 1;

std::string to_json(const Capsule& capsule);
// Errors name the member and what was expected; a capsule of another version says so.
Result<Capsule> parse_capsule(std::string_view json);

}  // namespace seatrial::scenarios
