// The keyed hash of keys and members: XXH3 with a seed that each node draws for itself, so that
// nobody outside can choose keys that collide.
#pragma once

#include <cstdint>
#include <string_view>

namespace seatrial::kv {

uint64_t hash_bytes(std::string_view bytes, uint64_t seed);

}  // namespace seatrial::kv
