// Carries out a plan's faults, then ends them: the storm, and the calm after it.
#pragma once

#include "sim/faults/fault.h"
#include "sim/plan.h"
#include "sim/world.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace seatrial::sim {

// Asked before a fault strikes that destroys what a disk holds: why it may not, or nothing. What is
// recoverable is the scenario's to know; the simulator is not to destroy the last copy and then
// complain. What is held back is counted.
using Policy = std::function<std::string(World&, const FaultStep&)>;

// Starts a fiber for each step of the plan.
class Storm {
 public:
  // Without a policy, whatever the plan says strikes.
  Storm(World& world, const Plan& plan, Policy policy = {});

  // Ends all faults: cancels what is under way, heals the network, lets paused nodes go on,
  // powers machines up and starts their services. From a fiber of the world.
  void end();

 private:
  void carry_out(const Fault& fault, const FaultStep& step);

  World& world_;
  Policy policy_;
  std::vector<os::Fiber> steps_;
};

}  // namespace seatrial::sim
