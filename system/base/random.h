// Random streams: pure arithmetic, the same on every compiler. Where the seed comes from is the
// machine's business (os/random.h); whoever draws takes a stream by name, so that one draw more
// in one place shifts nothing elsewhere.
//
// Generator: xoshiro256++ 1.0 (Blackman and Vigna, https://prng.di.unimi.it/xoshiro256plusplus.c),
// seeded through splitmix64 as its authors advise.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace seatrial::base {

// splitmix64: one step of a counter-based generator; also a good mixer of two words.
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

// FNV-1a: the key of a stream is a short name; speed does not matter, sameness does.
constexpr uint64_t hash_name(std::string_view name, uint64_t seed = 0xcbf29ce484222325U) {
  uint64_t hash = seed;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

class RandomStream {
 public:
  explicit constexpr RandomStream(uint64_t seed) {
    for (uint64_t& word : state_) word = seed = mix64(seed);
  }
  // The stream that belongs to `name` under `seed`.
  constexpr RandomStream(uint64_t seed, std::string_view name)
      : RandomStream(mix64(seed) ^ hash_name(name)) {}

  constexpr uint64_t next() {
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound); bound > 0. Multiply-shift: its bias is below bound / 2^64.
  constexpr uint64_t below(uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }
  // Uniform in [low, high], both ends included.
  constexpr int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  // Uniform in [0, 1): 53 bits, exact in a double.
  constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  // True with this probability; draws even where it is 0 or 1, so that the stream stays aligned.
  constexpr bool chance(double probability) { return unit() < probability; }

 private:
  std::array<uint64_t, 4> state_{};
};

}  // namespace seatrial::base
