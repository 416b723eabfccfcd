// What a checker may know of a run beside its clients' history: what befell the servers, and what a
// workload's own witness saw inside them. Seeing changes nothing.
#pragma once

#include "checkers/history.h"
#include "kv/observer.h"
#include "scenarios/scenario.h"
#include "sim/plan.h"
#include "sim/world.h"

#include <span>
#include <string_view>

namespace seatrial::scenarios {

// Made by a workload for each run; outlives the servers.
class Witness {
 public:
  virtual ~Witness() = default;
  // Sees the servers that are started on this node, one after another; null: none is wanted.
  virtual kv::Observer* of_kv(std::string_view node) = 0;
};

struct RunFacts {
  const Scenario& scenario;
  const sim::Plan& plan;
  std::span<const sim::Incident> incidents;
  sim::VirtualTime storm_begun{0};
  sim::VirtualTime storm_ended{0};
  Witness* witness = nullptr;  // What Workload::witness() made.
  // How far ahead of the world's time the servers' wall clocks were, of all of them and at any
  // time. Clients' clocks are right.
  sim::NodeClock::Errors server_clocks{};

  // What one server's clock may have gained or lost while a deadline ran, or one server's against
  // another's.
  checkers::Micros clock_spread() const;
};

}  // namespace seatrial::scenarios
