// A node's clocks: the world's time, seen through the node's own offsets.
#pragma once

#include "os/clock.h"

namespace seatrial::sim {

class SimProcess;

// Runs begin on 2025-01-01 00:00:00 UTC, whatever the day.
inline constexpr os::WallTime kEpoch{std::chrono::seconds(1'735'689'600)};

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
