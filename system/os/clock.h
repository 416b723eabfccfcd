// The two clocks of a node.
#pragma once

#include "base/error.h"
#include "os/time.h"

namespace seatrial::os {

using base::Errc;
using base::Error;
using base::Result;

class Clock {
 public:
  virtual ~Clock() = default;

  // Neither parks. Time stands still between two parking calls in the simulator (unless a fault
  // makes the node slow) and must not be relied upon to advance.
  // Faults: drift (both clocks), skew and jumps (wall only).
  virtual MonotonicTime monotonic() const = 0;
  virtual WallTime wall() const = 0;

  // Parks until `time`, or later: never earlier by monotonic(). Those who wait for different times
  // go on in their order. kCancelled ends it early.
  virtual Result<void> sleep_until(MonotonicTime time) = 0;

  Result<void> sleep_for(Duration duration) { return sleep_until(monotonic() + duration); }
};

}  // namespace seatrial::os
