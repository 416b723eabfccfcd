// chance() and knob(): each seed arms some sites on some nodes, and those fire at times. An armed
// site stays armed over restarts of its process.
#pragma once

#include "os/chaos.h"

namespace seatrial::sim {

class SimProcess;

class SimChaos : public os::Chaos {
 public:
  explicit SimChaos(SimProcess& process) : process_(process) {}
  bool chance(std::string_view site) override;
  int64_t knob(std::string_view name, int64_t normal,
               std::initializer_list<int64_t> others) override;

 private:
  SimProcess& process_;
};

}  // namespace seatrial::sim
