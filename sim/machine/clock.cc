#include "sim/machine/clock.h"

#include "sim/machine/process.h"
#include "sim/world.h"

namespace seatrial::sim {
os::MonotonicTime SimClock::monotonic() const {
  Node& node = process_.node();
  return os::MonotonicTime(node.world().now_virtual() + node.monotonic_offset);
}

os::WallTime SimClock::wall() const {
  Node& node = process_.node();
  return kEpoch + node.world().now_virtual() + node.wall_offset;
}

os::Result<void> SimClock::sleep_until(os::MonotonicTime time) {
  if (!process_.may_act()) process_.fibers().park();
  while (monotonic() < time) {
    if (process_.fibers().park(time) == os::Wake::kCancelled) {
      return base::fail(base::Errc::kCancelled);
    }
  }
  return {};
}

}  // namespace seatrial::sim
