// Echo round trips over simulated TCP, side by side with a bare model of the same: 1 server, N
// clients, 64 bytes, 1 to 5 ms one way. Rates are of CPU time, in turns within one run, so that
// the ratio holds on a machine whose speed drifts.
//
// The bare model is what any such simulation must do and nothing else: fibers, byte streams, an
// event heap, a hash over what happens. No nodes, no faults, no resets, no deadlines.
#include "base/check.h"
#include "os/os.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>
#include <time.h>
#include <boost/context/detail/fcontext.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace context = boost::context::detail;

constexpr size_t kMessageBytes = 64;
constexpr int64_t kLatencyMin = 1'000'000;
constexpr int64_t kLatencyMax = 5'000'000;

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// ---- The bare model

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

  seatrial::base::RandomStream random_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::priority_queue<Arrival> events_;
  context::fcontext_t loop_ = nullptr;
  Fiber* current_ = nullptr;
  int64_t now_ = 0;
  uint64_t order_ = 0;
  uint64_t hash_ = 1;
};

uint64_t bare_echo(size_t clients, uint64_t trips) {
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

// ---- The simulator

uint64_t sim_echo(size_t clients, uint64_t trips, bool deadlines) {
  using namespace seatrial;
  sim::Weather weather;
  weather.network.latency_min = os::Duration(kLatencyMin);
  weather.network.latency_max = os::Duration(kLatencyMax);
  sim::World world({.seed = 1, .weather = weather});
  uint64_t done = 0;
  world.add_node("server").start("echo", [](os::Os& os) {
    auto listener = os.network.listen({"", 7});
    CHECK(listener);
    os::FiberGroup connections(os.fibers);
    for (;;) {
      auto stream = (*listener)->accept();
      if (!stream) return 0;
      connections.spawn("echo", [s = std::move(*stream)] {
        char buffer[256];
        for (;;) {
          auto count = s->read(buffer);
          if (!count || *count == 0 || !os::write_all(*s, {buffer, *count})) return;
        }
      });
    }
  });
  for (size_t i = 0; i < clients; ++i) {
    world.add_node(fmt::format("client{}", i)).start("client", [&](os::Os& os) {
      (void)os.clock.sleep_for(1ms);
      auto stream = os.network.connect({"server", 7});
      CHECK(stream);
      char buffer[kMessageBytes] = {1, 2, 3};
      for (;;) {
        CHECK(os::write_all(**stream, {buffer, sizeof buffer}));
        for (size_t got = 0; got < sizeof buffer;) {
          const os::MonotonicTime deadline = deadlines ? os.clock.monotonic() + 30s : os::kNever;
          auto count = (*stream)->read({buffer + got, sizeof buffer - got}, deadline);
          CHECK(count && *count > 0);
          got += *count;
        }
        if (++done == trips) world.stop();
      }
      return 0;
    });
  }
  world.run();
  return done;
}

template <typename Body>
double rate(uint64_t trips, Body body) {
  const double before = cpu_seconds();
  const uint64_t done = body(trips);
  return static_cast<double>(done) / (cpu_seconds() - before);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  const int rounds = quick ? 1 : 5;
  fmt::print("echo round trips a CPU-second, 64 bytes, 1 to 5 ms, medians of {}\n", rounds);
  fmt::print("{:>8} {:>14} {:>14} {:>8} {:>16} {:>8}\n", "clients", "bare model", "simulator",
             "ratio", "with deadlines", "ratio");
  for (const size_t clients : {10, 100, 1000}) {
    const uint64_t trips = quick ? 50'000 : 500'000;
    std::vector<double> bare, sim, deadline, ratio, deadline_ratio;
    for (int round = 0; round < rounds; ++round) {
      bare.push_back(rate(trips, [&](uint64_t n) { return bare_echo(clients, n); }));
      sim.push_back(rate(trips, [&](uint64_t n) { return sim_echo(clients, n, false); }));
      deadline.push_back(rate(trips, [&](uint64_t n) { return sim_echo(clients, n, true); }));
      ratio.push_back(sim.back() / bare.back());
      deadline_ratio.push_back(deadline.back() / bare.back());
    }
    fmt::print("{:>8} {:>14.0f} {:>14.0f} {:>8.2f} {:>16.0f} {:>8.2f}\n", clients, median(bare),
               median(sim), median(ratio), median(deadline), median(deadline_ratio));
  }
  return 0;
}
