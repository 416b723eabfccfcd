// Points in time. Two clocks without a now(): only os::Clock can tell the time, so a node that
// was given no Os has none.
#pragma once

#include <chrono>

namespace seatrial::os {

using Duration = std::chrono::nanoseconds;

// Never runs back, counts from an arbitrary instant, is not comparable between nodes.
struct Monotonic {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};

// Since 1970-01-01 UTC; may jump forward and back, and differs between nodes.
struct Wall {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Wall>;
  static constexpr bool is_steady = false;
};

using MonotonicTime = Monotonic::time_point;
using WallTime = Wall::time_point;

// A deadline that does not come.
inline constexpr MonotonicTime kNever = MonotonicTime::max();

}  // namespace seatrial::os
