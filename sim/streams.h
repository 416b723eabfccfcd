// Every random choice of a run comes from a stream keyed by (seed, who, what), so that one draw
// more in one place shifts no other.
#pragma once

#include "base/random.h"

#include <string_view>

namespace seatrial::sim {

class Streams {
 public:
  explicit Streams(uint64_t seed) : seed_(seed) {}
  uint64_t seed() const { return seed_; }

  base::RandomStream stream(std::string_view who, std::string_view what,
                            uint64_t instance = 0) const {
    return base::RandomStream(key(who, what, instance));
  }
  // What the stream of that name begins with, for whoever mixes numbers of its own.
  uint64_t key(std::string_view who, std::string_view what, uint64_t instance = 0) const {
    const uint64_t name = base::hash_name(what, base::hash_name("/", base::hash_name(who)));
    return base::mix64(seed_ ^ base::mix64(name)) ^ base::mix64(instance);
  }

 private:
  uint64_t seed_;
};

}  // namespace seatrial::sim
