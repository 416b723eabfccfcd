// Active expiry: a fiber that removes keys past their deadline that nobody asks for.
//
// It walks the keys with deadlines round and round, a bounded number at each turn, faster while
// many of those that it meets have expired. Also moves on table resizes that no command does.
#pragma once

#include "kv/state.h"
#include "os/clock.h"

#include <cstdint>
#include <string>
#include <vector>

namespace seatrial::kv {

class ExpireCycle {
 public:
  ExpireCycle(State& state, os::Clock& clock) : state_(state), clock_(clock) {}

  // Until the fiber is cancelled.
  void run();
  // One turn at this time: returns whether it should go on soon. Does not park.
  bool turn(WallMs now);

 private:
  // Looks at some keys of one database; returns how many of them it removed.
  size_t sweep(int database, WallMs now, size_t& seen);

  State& state_;
  os::Clock& clock_;
  std::vector<uint64_t> cursors_;  // By database: where to go on.
  std::vector<std::string> due_;
};

}  // namespace seatrial::kv
