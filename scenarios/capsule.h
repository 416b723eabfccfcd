// A capsule: a failing run in one JSON file. Scenario text, seed, plan and git revision: all that
// it takes to repeat it, whatever the scenario files say by then; and the course of the run, which
// tells where a replay departs from it.
#pragma once

#include "scenarios/course.h"
#include "scenarios/scenario.h"
#include "sim/plan.h"

#include <optional>
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
  std::optional<Course> course;
};

inline constexpr int kCapsuleVersion = 1;

std::string to_json(const Capsule& capsule);
// Errors name the member and what was expected; a capsule of another version says so. "course" may
// be missing.
Result<Capsule> parse_capsule(std::string_view json);
// The same of a file's text: errors name file and line too.
Result<Capsule> read_capsule(std::string_view file, std::string_view text);

}  // namespace seatrial::scenarios
