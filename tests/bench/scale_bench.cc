// What an event costs as the world grows: 3, 30 and 300 nodes that call their neighbours over
// simulated TCP with deadlines, under the swarm's faults. Each size runs the same number of
// node-seconds, so all have about as many events; CPU per event must stay about flat.
//
// Beside it, the same in fair weather: that tells the cost of size from the cost of faults.
#include "base/check.h"
#include "os/os.h"
#include "sim/storm.h"
#include "sim/swarm.h"
#include "sim/world.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace {

using namespace seatrial;
using namespace std::chrono_literals;

constexpr uint16_t kPort = 7000;
constexpr size_t kNeighbours = 3;
constexpr sim::VirtualTime kStorm = 4s;
constexpr os::Duration kPatience = 200ms;

struct Cost {
  double cpu_ns = 0;
  uint64_t events = 0;
  uint64_t calls = 0;    // Answered.
  uint64_t strikes = 0;  // Faults of the plan that struck.
  int64_t rss_kib = 0;
};

int64_t cpu_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::string node_name(size_t index) { return fmt::format("node{}", index); }

// Answers each 32 bytes with as many.
void answer(os::Stream& stream) {
  char buffer[32];
  for (;;) {
    for (size_t got = 0; got < sizeof buffer;) {
      auto count = stream.read({buffer + got, sizeof buffer - got});
      if (!count || *count == 0) return;
      got += *count;
    }
    if (!os::write_all(stream, {buffer, sizeof buffer})) return;
  }
}

os::Result<void> call(os::Stream& stream, os::MonotonicTime deadline) {
  char buffer[32] = "how are you";
  TRY(os::write_all(stream, {buffer, sizeof buffer}, deadline));
  for (size_t got = 0; got < sizeof buffer;) {
    const size_t count = TRY(stream.read({buffer + got, sizeof buffer - got}, deadline));
    if (count == 0) return base::fail(base::Errc::kClosed);
    got += count;
  }
  return {};
}

// Calls one neighbour for ever; after an error on a new connection.
void keep_calling(os::Os& os, const std::string& neighbour, uint64_t& answered) {
  while (os.clock.sleep_for(10ms)) {
    auto stream = os.network.connect({neighbour, kPort}, os.clock.monotonic() + kPatience);
    if (!stream) continue;
    while (call(**stream, os.clock.monotonic() + kPatience)) {
      ++answered;
      if (!os.clock.sleep_for(5ms)) return;
    }
  }
}

int node_main(os::Os& os, size_t self, size_t nodes, uint64_t& answered) {
  auto listener = os.network.listen({"", kPort});
  if (!listener) return 1;
  os::FiberGroup fibers(os.fibers);
  for (size_t i = 0; i < kNeighbours; ++i) {
    // Near and far ones, so that no partition leaves them all together.
    const size_t neighbour = (self + 1 + i * (nodes / kNeighbours)) % nodes;
    if (neighbour == self) continue;
    fibers.spawn("caller", [&os, &answered, name = node_name(neighbour)] {
      keep_calling(os, name, answered);
    });
  }
  for (;;) {
    auto stream = (*listener)->accept();
    if (!stream) return 0;
    fibers.spawn("answer", [s = std::move(*stream)] { answer(*s); });
  }
}

void run_once(uint64_t seed, size_t nodes, bool faulty, Cost& cost) {
  sim::Plan plan;
  plan.storm = kStorm;
  sim::SwarmOptions options;
  options.stage.storm = kStorm;
  for (size_t i = 0; i < nodes; ++i) options.stage.servers.push_back(node_name(i));
  options.stage.intensity = static_cast<double>(nodes) / 3;  // As many strikes a node.
  if (faulty) sim::draw_swarm(sim::Streams(seed), options, plan);
  sim::World world({.seed = seed, .weather = plan.weather, .stack_bytes = 64 * 1024});
  for (size_t i = 0; i < nodes; ++i) {
    world.add_node(node_name(i)).set_service("node", [i, nodes, &cost] {
      return [i, nodes, &cost](os::Os& os) { return node_main(os, i, nodes, cost.calls); };
    });
  }
  world.administer("director", [&] {
    sim::Storm storm(world, plan);
    world.sleep(kStorm);
    storm.end();
    world.sleep(1s);
    world.stop();
  });
  CHECK(world.run() == sim::Outcome::kStopped);
  cost.events += world.trace().events();
  for (const auto& [kind, count] : world.counts()) cost.strikes += count;
}

// In a child of its own: the peak of its memory is nobody else's.
Cost measure(size_t nodes, size_t worlds, bool faulty) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    Cost cost;
    const int64_t before = cpu_nanoseconds();
    for (uint64_t seed = 1; seed <= worlds; ++seed) run_once(seed, nodes, faulty, cost);
    cost.cpu_ns = static_cast<double>(cpu_nanoseconds() - before);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    cost.rss_kib = usage.ru_maxrss;
    CHECK(write(ends[1], &cost, sizeof cost) == sizeof cost);
    _exit(0);
  }
  close(ends[1]);
  Cost cost;
  const bool whole = read(ends[0], &cost, sizeof cost) == sizeof cost;
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  CHECK_MSG(whole, "{} nodes did not come to their end", nodes);
  return cost;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  const size_t rounds = quick ? 1 : 5;
  const size_t largest = 300;
  fmt::print("{} s of virtual time a world; medians of {}; ratio: to 3 nodes of the same round\n",
             5, rounds);
  fmt::print("{:>8} {:>8} {:>7} {:>12} {:>12} {:>10} {:>10} {:>8} {:>9}\n", "weather", "nodes",
             "worlds", "events", "calls", "strikes", "ns/event", "ratio", "peak MiB");
  for (const bool faulty : {false, true}) {
    std::vector<std::vector<double>> costs(3), ratios(3);
    std::vector<Cost> last(3);
    const size_t sizes[] = {3, 30, 300};
    const auto worlds = [&](size_t nodes) {
      return (faulty ? 2 : 1) * (quick ? std::max<size_t>(1, 30 / nodes) : largest / nodes);
    };
    for (size_t round = 0; round < rounds; ++round) {
      for (size_t i = 0; i < 3; ++i) {
        last[i] = measure(sizes[i], worlds(sizes[i]), faulty);
        costs[i].push_back(last[i].cpu_ns / static_cast<double>(last[i].events));
        ratios[i].push_back(costs[i].back() / costs[0].back());
      }
    }
    for (size_t i = 0; i < 3; ++i) {
      fmt::print("{:>8} {:>8} {:>7} {:>12} {:>12} {:>10} {:>10.0f} {:>8.2f} {:>9}\n",
                 faulty ? "swarm" : "fair", sizes[i], worlds(sizes[i]), last[i].events,
                 last[i].calls, last[i].strikes, median(costs[i]), median(ratios[i]),
                 last[i].rss_kib / 1024);
    }
  }
  return 0;
}
