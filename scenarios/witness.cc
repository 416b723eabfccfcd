#include "scenarios/witness.h"

#include <algorithm>
#include <chrono>

namespace seatrial::scenarios {

using checkers::Micros;

Micros RunFacts::clock_spread() const { return std::chrono::ceil<Micros>(server_clocks.spread()); }

Micros RunFacts::clock_error() const {
  const os::Duration most = std::max(server_clocks.most, -server_clocks.least);
  return std::chrono::ceil<Micros>(std::max(most, os::Duration(0)));
}

}  // namespace seatrial::scenarios
