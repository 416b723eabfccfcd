// What the places of os/chaos.h do on one machine: decided before a run, written in its plan.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace seatrial::sim {

struct ChaosPlan {
  // Sites that come true at times, and how often of the times they are asked; all others never.
  std::map<std::string, double, std::less<>> armed;
  // Knobs that are turned, and to what.
  std::map<std::string, int64_t, std::less<>> knobs;

  bool empty() const { return armed.empty() && knobs.empty(); }
  friend bool operator==(const ChaosPlan&, const ChaosPlan&) = default;
};

}  // namespace seatrial::sim
