// Randomness of a simulated process: streams of the run's seed.
#pragma once

#include "os/random.h"

namespace seatrial::sim {

class SimProcess;

class SimRandom : public os::Random {
 public:
  explicit SimRandom(SimProcess& process) : process_(process) {}
  base::RandomStream stream(std::string_view name) override;

 private:
  SimProcess& process_;
};

}  // namespace seatrial::sim
