#include "scenarios/witness.h"

#include <chrono>

namespace seatrial::scenarios {

using checkers::Micros;

Micros RunFacts::clock_spread() const { return std::chrono::ceil<Micros>(server_clocks.spread()); }

}  // namespace seatrial::scenarios
