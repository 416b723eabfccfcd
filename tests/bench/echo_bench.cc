// Echo round trips over simulated TCP, side by side with a bare model of the same: 1 server, N
// clients, 64 bytes, 1 to 5 ms one way. Rates are of CPU time, in turns within one run, so that
// the ratio holds on a machine whose speed drifts.
//
// The bare model (bare_model.h) is what any such simulation must do and nothing else.
#include "base/check.h"
#include "os/os.h"
#include "sim/machine/process.h"
#include "sim/world.h"
#include "tests/bench/bare_model.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace {

using namespace std::chrono_literals;
using seatrial::bench::bare_echo;
using seatrial::bench::kLatencyMax;
using seatrial::bench::kLatencyMin;
using seatrial::bench::kMessageBytes;

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
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
