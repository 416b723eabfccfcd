#include "commands/commands.h"
#include "scenarios/suite.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

namespace seatrial::commands {

int run_one(std::span<const std::string> arguments) {
  std::string path;
  std::string name;
  std::string events;
  uint64_t seed = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (word == "--seed" && has_value) {
      const std::string& text = arguments[++i];
      std::from_chars(text.data(), text.data() + text.size(), seed);
    } else if (word == "--name" && has_value) {
      name = arguments[++i];
    } else if (word == "--events" && has_value) {
      events = arguments[++i];
    } else {
      path = word;
    }
  }
  auto scenario = scenarios::load_scenario(path);
  if (!scenario) {
    fmt::print(stderr, "seatrial run-one: {}\n", scenario.error().message());
    return kExitUsage;
  }
  if (!name.empty()) scenario->name = name;
  return scenarios::run_one(*scenario, seed, nullptr, STDOUT_FILENO, events);
}

}  // namespace seatrial::commands
