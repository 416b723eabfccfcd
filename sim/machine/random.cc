#include "sim/machine/random.h"

#include "sim/machine/process.h"

#include <fmt/format.h>

namespace seatrial::sim {

base::RandomStream SimRandom::stream(std::string_view name) {
  return process_.stream(fmt::format("random.{}", name));
}

}  // namespace seatrial::sim
