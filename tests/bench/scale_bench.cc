// What an event costs as the world grows: 3, 30 and 300 nodes that call their neighbours over
// simulated TCP with deadlines, in fair weather and under the swarm's faults; and as a run grows:
// 300 nodes for 5, 10 and 20 s of virtual time. Cost grows linearly with events where the columns
// of ns an event stay about flat.
//
// Each three nodes have a storm of their own, and a row runs as many of them as the next, in many
// small worlds or in one large: all sizes meet the very same strikes, whose cost is by the nodes
// that they name. Beside it the bare model (bare_model.h) with as many connections: what an event
// of its costs more from the first size to the last is the machine's share, whose caches hold fewer
// of the stacks.
#include "base/check.h"
#include "os/os.h"
#include "sim/storm.h"
#include "sim/swarm.h"
#include "sim/world.h"
#include "tests/bench/bare_model.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

namespace {

using namespace seatrial;
using namespace std::chrono_literals;

constexpr uint16_t kPort = 7000;
constexpr size_t kNeighbours = 2;
constexpr size_t kGroup = 3;  // So many nodes share a storm.
constexpr sim::VirtualTime kCalm = 1s;
constexpr os::Duration kPatience = 200ms;

struct Size {
  size_t worlds = 0;
  size_t nodes = 0;  // Of one world.
  sim::VirtualTime time = 5s;
};

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

// The faults of all groups' storms, in the same weather, which is the first one's.
sim::Plan draw_plan(const Size& size, size_t world) {
  sim::Plan plan;
  const size_t groups = size.nodes / kGroup;
  for (size_t group = 0; group < groups; ++group) {
    sim::SwarmOptions options;
    options.stage.storm = size.time - kCalm;
    for (size_t i = 0; i < kGroup; ++i) {
      options.stage.servers.push_back(node_name(group * kGroup + i));
    }
    sim::Plan drawn;
    sim::draw_swarm(sim::Streams(world * groups + group), options, drawn);
    std::ranges::move(drawn.faults, std::back_inserter(plan.faults));
  }
  std::ranges::stable_sort(plan.faults, {}, &sim::FaultStep::at);
  sim::SwarmOptions first;
  first.stage.storm = size.time - kCalm;
  first.stage.servers = {node_name(0), node_name(1), node_name(2)};
  sim::Plan weather;
  sim::draw_swarm(sim::Streams(0), first, weather);
  plan.weather = weather.weather;
  return plan;
}

void run_once(const Size& size, size_t index, const sim::Plan& plan, Cost& cost) {
  sim::World world({.seed = index + 1, .weather = plan.weather, .stack_bytes = 64 * 1024});
  for (size_t i = 0; i < size.nodes; ++i) {
    world.add_node(node_name(i)).set_service("node", [i, nodes = size.nodes, &cost] {
      return [i, nodes, &cost](os::Os& os) { return node_main(os, i, nodes, cost.calls); };
    });
  }
  world.administer("director", [&] {
    sim::Storm storm(world, plan);
    world.sleep(size.time - kCalm);
    storm.end();
    world.sleep(kCalm);
    world.stop();
  });
  CHECK(world.run() == sim::Outcome::kStopped);
  cost.events += world.trace().events();
  for (const auto& [kind, count] : world.counts()) cost.strikes += count;
}

// What `work` costs in a child of its own: the peak of its memory is nobody else's.
template <typename Work>
Cost measure(const Work& work) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    Cost cost;
    const int64_t before = cpu_nanoseconds();
    work(cost);
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
  CHECK_MSG(whole, "a run did not come to its end");
  return cost;
}

double per_event(const Cost& cost) { return cost.cpu_ns / static_cast<double>(cost.events); }

Cost simulated(const Size& size, bool faulty) {
  return measure([&](Cost& cost) {
    for (size_t world = 0; world < size.worlds; ++world) {
      run_once(size, world, faulty ? draw_plan(size, world) : sim::Plan(), cost);
    }
  });
}

Cost bare(const Size& size, uint64_t events) {
  return measure([&](Cost& cost) {
    cost.events = 2 * bench::bare_echo(kNeighbours * size.nodes, events / 2);
  });
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// A row for each size; ratios to the first one of the same round.
void compare(const std::vector<Size>& sizes, bool faulty, size_t rounds) {
  std::vector<std::vector<double>> costs(sizes.size()), ratios(costs), floors(costs), lifts(costs);
  std::vector<Cost> last(sizes.size());
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < sizes.size(); ++i) {
      last[i] = simulated(sizes[i], faulty);
      costs[i].push_back(per_event(last[i]));
      ratios[i].push_back(costs[i].back() / costs[0].back());
      floors[i].push_back(per_event(bare(sizes[i], last[i].events)));
      lifts[i].push_back(floors[i].back() / floors[0].back());
    }
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Size& size = sizes[i];
    fmt::print(
        "{:>7} {:>6} x {:>5} {:>4} {:>10} {:>9} {:>8} {:>9.0f} {:>6.2f} {:>10.0f} {:>6.2f}"
        "{:>5}\n",
        faulty ? "swarm" : "fair", size.worlds, size.nodes, size.time / 1s, last[i].events,
        last[i].calls, last[i].strikes, median(costs[i]), median(ratios[i]), median(floors[i]),
        median(lifts[i]), last[i].rss_kib / 1024);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  const size_t rounds = quick ? 1 : 3;
  const size_t times = quick ? 1 : 5;
  fmt::print("medians of {}; ratio: to the first row of the same round\n", rounds);
  fmt::print("{:>7} {:>6} x {:>5} {:>4} {:>10} {:>9} {:>8} {:>9} {:>6} {:>10} {:>6}{:>5}\n",
             "weather", "worlds", "nodes", "s", "events", "calls", "strikes", "ns/event", "ratio",
             "bare model", "ratio", "MiB");
  for (const bool faulty : {false, true}) {
    compare({{100 * times, 3, 5s}, {10 * times, 30, 5s}, {times, 300, 5s}}, faulty, rounds);
    compare({{1, 300, 5s}, {1, 300, 10s}, {1, 300, 20s}}, faulty, rounds);
  }
  return 0;
}
