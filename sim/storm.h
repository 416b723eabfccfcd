// Carries out a plan's faults, then ends them: the storm, and the calm after it.
#pragma once

#include "sim/plan.h"
#include "sim/world.h"

#include <memory>
#include <vector>

namespace seatrial::sim {

// Starts a fiber for each step of the plan.
class Storm {
 public:
  Storm(World& world, const Plan& plan);

  // Ends all faults: cancels what is under way, heals the network, lets paused nodes go on,
  // powers machines up and starts their services. From a fiber of the world.
  void end();

 private:
  World& world_;
  std::vector<os::Fiber> steps_;
};

}  // namespace seatrial::sim
