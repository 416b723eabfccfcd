#include "sim/machine/clock.h"

#include "base/check.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

// Whole numbers of 128 bits: a drifting clock has to show the same everywhere, to the nanosecond.
__extension__ using Wide = __int128;
constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kRateMax = kMillion / 2;

// Towards minus infinity, which keeps a slow clock from running back at zero; `by` is positive.
Wide floor_divide(Wide number, Wide by) { return number / by - (number % by < 0 ? 1 : 0); }

}  // namespace

void NodeClock::make(VirtualTime now, int64_t rate_ppm, VirtualTime skew) {
  CHECK(rate_ppm >= -kRateMax && rate_ppm <= kRateMax);
  rate_ppm_ = rate_ppm;
  wall_offset_ = skew;
  errors_ = {wall_error(now), wall_error(now)};
}

void NodeClock::boot(VirtualTime now, VirtualTime uptime) {
  monotonic_offset_ = uptime - now - gained(now);
}

void NodeClock::set_wall(VirtualTime now, VirtualTime by) {
  remember(wall_error(now));
  wall_offset_ += by;
  remember(wall_error(now));
}

void NodeClock::remember(VirtualTime error) {
  errors_.least = std::min(errors_.least, error);
  errors_.most = std::max(errors_.most, error);
}

NodeClock::Errors NodeClock::wall_errors(VirtualTime now) const {
  // Between two changes the error goes one way only, so its extremes lie at changes and now.
  NodeClock copy = *this;
  copy.remember(wall_error(now));
  return copy.errors_;
}

VirtualTime NodeClock::drift(VirtualTime now) const {
  return VirtualTime(static_cast<int64_t>(floor_divide(Wide(now.count()) * rate_ppm_, kMillion)));
}

// With rate r, monotonic() - offset is floor(t * (10^6 + r) / 10^6), which reaches a whole number
// x first at t = ceil(x * 10^6 / (10^6 + r)).
os::MonotonicTime NodeClock::drifting_world_time(os::MonotonicTime time) const {
  if (time == os::kNever) return time;
  const Wide wanted = Wide(time.time_since_epoch().count()) - monotonic_offset_.count();
  const Wide first = -floor_divide(-wanted * kMillion, kMillion + rate_ppm_);
  const Wide never = os::kNever.time_since_epoch().count();
  return os::MonotonicTime(VirtualTime(static_cast<int64_t>(std::clamp(first, -never, never))));
}

// ---- The node's view

os::MonotonicTime SimClock::monotonic() const {
  Node& node = process_.node();
  return node.clock().monotonic(node.world().now_virtual());
}

os::WallTime SimClock::wall() const {
  Node& node = process_.node();
  return node.clock().wall(node.world().now_virtual());
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
