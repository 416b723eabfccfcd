// Echo over streams as what any such simulation must do and nothing else: fibers, byte streams, an
// event heap, a hash over what happens. No nodes, no faults, no resets, no deadlines. What it costs
// is the floor that a machine sets; the simulator is measured beside it.
#pragma once

#include "base/random.h"

#include <boost/context/detail/fcontext.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

namespace seatrial::bench {

namespace context = boost::context::detail;

inline constexpr size_t kMessageBytes = 64;
inline constexpr int64_t kLatencyMin = 1'000'000;  // Nanoseconds one way.
inline constexpr int64_t kLatencyMax = 5'000'000;

class Bare {
 public:
  struct Fiber {
    context::fcontext_t at = nullptr;
    std::function<void()> main;
    std::unique_ptr<char[]> stack;
  };
  struct Stream {
    std::vector<char> bytes = std::vector<char>(4096);
    size_t head = 0, arrived = 0, tail = 0;
    Fiber* reader = nullptr;
    int64_t last_arrival = 0;
  };

  explicit Bare(uint64_t seed) : random_(seed) {}

  Fiber* spawn(std::function<void()> main) {
    fibers_.push_back(std::make_unique<Fiber>());
    Fiber* fiber = fibers_.back().get();
    fiber->main = std::move(main);
    fiber->stack = std::make_unique<char[]>(kStackBytes);
    fiber->at = context::make_fcontext(fiber->stack.get() + kStackBytes, kStackBytes,
                                       [](context::transfer_t from) {
                                         auto* bare = static_cast<Bare*>(from.data);
                                         bare->loop_ = from.fctx;
                                         bare->current_->main();
                                         bare->park();
                                       });
    resume(fiber);
    return fiber;
  }

  void send(Stream& to, const char* from, size_t count) {
    for (size_t i = 0; i < count; ++i) to.bytes[(to.tail + i) & 4095] = from[i];
    to.tail += count;
    hash_ = (hash_ ^ to.tail ^ static_cast<uint64_t>(now_)) * 0x9fb21c651e98df25U;
    const int64_t arrives = now_ + random_.between(kLatencyMin, kLatencyMax);
    to.last_arrival = std::max(to.last_arrival, arrives);
    events_.push({to.last_arrival, order_++, &to, to.tail});
  }

  size_t receive(Stream& from, char* into, size_t count) {
    while (from.arrived == from.head) {
      from.reader = current_;
      park();
    }
    count = std::min(count, from.arrived - from.head);
    for (size_t i = 0; i < count; ++i) into[i] = from.bytes[(from.head + i) & 4095];
    from.head += count;
    return count;
  }

  void run(const uint64_t& done, uint64_t target) {
    while (done < target && !events_.empty()) {
      const Arrival arrival = events_.top();
      events_.pop();
      now_ = arrival.time;
      arrival.stream->arrived = arrival.up_to;
      hash_ = (hash_ ^ arrival.up_to ^ static_cast<uint64_t>(now_)) * 0x9fb21c651e98df25U;
      if (Fiber* reader = std::exchange(arrival.stream->reader, nullptr)) resume(reader);
    }
  }
  uint64_t hash() const { return hash_; }

 private:
  static constexpr size_t kStackBytes = 64 * 1024;
  struct Arrival {
    int64_t time;
    uint64_t order;
    Stream* stream;
    size_t up_to;
    bool operator<(const Arrival& other) const {
      return time != other.time ? time > other.time : order > other.order;
    }
  };

  void resume(Fiber* fiber) {
    current_ = fiber;
    fiber->at = context::jump_fcontext(fiber->at, this).fctx;
  }
  void park() { loop_ = context::jump_fcontext(loop_, this).fctx; }

  base::RandomStream random_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::priority_queue<Arrival> events_;
  context::fcontext_t loop_ = nullptr;
  Fiber* current_ = nullptr;
  int64_t now_ = 0;
  uint64_t order_ = 0;
  uint64_t hash_ = 1;
};

// Runs until `trips` round trips are done (or nothing is left to happen); returns how many were.
// Each trip is two events.
inline uint64_t bare_echo(size_t clients, uint64_t trips) {
  Bare bare(1);
  uint64_t done = 0;
  std::vector<std::unique_ptr<Bare::Stream>> streams;
  for (size_t i = 0; i < clients; ++i) {
    Bare::Stream* there = streams.emplace_back(std::make_unique<Bare::Stream>()).get();
    Bare::Stream* back = streams.emplace_back(std::make_unique<Bare::Stream>()).get();
    bare.spawn([&bare, there, back] {
      char buffer[256];
      for (;;) bare.send(*back, buffer, bare.receive(*there, buffer, sizeof buffer));
    });
    bare.spawn([&bare, &done, there, back] {
      char buffer[kMessageBytes] = {1, 2, 3};
      for (;;) {
        bare.send(*there, buffer, sizeof buffer);
        for (size_t got = 0; got < sizeof buffer;) {
          got += bare.receive(*back, buffer + got, sizeof buffer - got);
        }
        ++done;
      }
    });
  }
  bare.run(done, trips);
  return done;
}

}  // namespace seatrial::bench
