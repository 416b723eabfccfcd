#include "sim/machine/log.h"

#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {

void SimLog::line(base::LogLevel level, std::string_view text) {
  World& world = process_.world();
  if (world.log_listener) {
    world.log_listener(world.now_virtual(), process_.node().name(), level, text);
  }
}

}  // namespace seatrial::sim
