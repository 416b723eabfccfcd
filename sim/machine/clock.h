// A machine's clocks: the world's time, seen through the machine's own oscillator and settings.
//
// One oscillator drives both clocks; it may be fast or slow by a constant rate (drift). The
// monotonic clock begins anew with each boot and never runs back. The wall clock shows the right
// time plus an error of its own (skew), which jumps when somebody sets it.
#pragma once

#include "os/clock.h"
#include "sim/event_queue.h"

#include <cstdint>

namespace seatrial::sim {

class SimProcess;

// Runs begin on 2025-01-01 00:00:00 UTC, whatever the day.
inline constexpr os::WallTime kEpoch{std::chrono::seconds(1'735'689'600)};

// Pure state: `now` is always the world's time, and never before that of the last change.
class NodeClock {
 public:
  // How this machine's clocks are made, before anybody has looked at them: they run so many
  // microseconds too fast in each second (negative: too slow; at most half of the right rate off),
  // for good, and the wall clock is `skew` ahead.
  void make(VirtualTime now, int64_t rate_ppm, VirtualTime skew);
  // A boot: the monotonic clock shows `uptime`. Nothing may run that has seen it before.
  void boot(VirtualTime now, VirtualTime uptime);
  // Somebody sets the wall clock forward (negative: back).
  void set_wall(VirtualTime now, VirtualTime by);

  int64_t rate_ppm() const { return rate_ppm_; }
  os::MonotonicTime monotonic(VirtualTime now) const {
    return os::MonotonicTime(now + gained(now) + monotonic_offset_);
  }
  os::WallTime wall(VirtualTime now) const { return kEpoch + now + wall_error(now); }
  // How far the wall clock is ahead of the world's.
  VirtualTime wall_error(VirtualTime now) const { return gained(now) + wall_offset_; }

  // The first instant of the world at which monotonic() is `time` or past it. kNever stays so.
  os::MonotonicTime world_time(os::MonotonicTime time) const {
    if (rate_ppm_ == 0) [[likely]]
      return time - monotonic_offset_;
    return drifting_world_time(time);
  }

  // The least and the greatest wall_error() that there was up to `now`.
  struct Errors {
    VirtualTime least{0};
    VirtualTime most{0};
    VirtualTime spread() const { return most - least; }
  };
  Errors wall_errors(VirtualTime now) const;

 private:
  // What drift has added since the world began.
  VirtualTime gained(VirtualTime now) const { return rate_ppm_ == 0 ? VirtualTime(0) : drift(now); }
  VirtualTime drift(VirtualTime now) const;
  os::MonotonicTime drifting_world_time(os::MonotonicTime time) const;
  void remember(VirtualTime error);

  int64_t rate_ppm_ = 0;
  VirtualTime monotonic_offset_{0};
  VirtualTime wall_offset_{0};
  Errors errors_;  // At every change so far, before and after.
};

// The clocks as the node's code sees them.
class SimClock : public os::Clock {
 public:
  explicit SimClock(SimProcess& process) : process_(process) {}
  os::MonotonicTime monotonic() const override;
  os::WallTime wall() const override;
  os::Result<void> sleep_until(os::MonotonicTime time) override;

 private:
  SimProcess& process_;
};

}  // namespace seatrial::sim
