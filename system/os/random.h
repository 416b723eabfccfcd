// Randomness by name.
#pragma once

#include "base/random.h"

#include <string_view>

namespace seatrial::os {

class Random {
 public:
  virtual ~Random() = default;
  // A new stream. linux/: seeded by getrandom. sim/: by the run's seed, the node, its
  // incarnation and `name`, so ask for each name once and keep the stream.
  virtual base::RandomStream stream(std::string_view name) = 0;
};

}  // namespace seatrial::os
