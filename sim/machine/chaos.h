// CHANCE() and KNOB() on a simulated machine: as its plan says (Node::chaos), for all lives of its
// processes. A machine without a plan of its own draws one by the weather's shares.
#pragma once

#include "os/chaos.h"

#include <string_view>

namespace seatrial::sim {

class SimProcess;

class SimChaos : public os::Chaos {
 public:
  explicit SimChaos(SimProcess& process) : process_(process) {}
  bool chance(const os::ChanceSite& site) override;
  int64_t knob(const os::KnobSite& site, int64_t normal) override;

 private:
  double how_often(std::string_view site) const;
  int64_t value_of(const os::KnobSite& site, int64_t normal) const;

  SimProcess& process_;
};

}  // namespace seatrial::sim
