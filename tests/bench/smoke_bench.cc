// What a seed costs: CPU per seed of each scenario of the smoke suite, how much faster than life
// it runs, and the memory that it takes. Each scenario is measured in a process of its own, so that
// its peak of memory is nobody else's.
#include "base/check.h"
#include "scenarios/run.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

using namespace seatrial;
using Seconds = std::chrono::duration<double>;

void measure(const scenarios::Scenario& scenario, uint64_t seeds) {
  std::vector<double> cpu_ms;
  double cpu = 0;
  double wall = 0;
  double simulated = 0;
  uint64_t events = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    auto plan = scenarios::make_plan(scenario, seed);
    CHECK(plan);
    auto result = scenarios::run_seed(scenario, seed, *plan);
    CHECK(result);
    CHECK_MSG(result->verdict == reports::Verdict::kPass, "{}", reports::reason(*result));
    cpu_ms.push_back(Seconds(result->cpu_time).count() * 1e3);
    cpu += Seconds(result->cpu_time).count();
    wall += Seconds(result->wall_time).count();
    simulated += Seconds(result->sim_time).count();
    events += result->events;
  }
  std::ranges::sort(cpu_ms);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{:<20} {:>8} {:>12.0f} {:>10.2f} {:>10.2f} {:>12.0f} {:>12.0f} {:>8}\n",
             scenario.name, seeds, static_cast<double>(seeds) / cpu, cpu_ms[cpu_ms.size() / 2],
             cpu_ms.back(), simulated / wall, static_cast<double>(events) / cpu,
             usage.ru_maxrss / 1024);
}

// Whether it came to its end.
bool measure_apart(const scenarios::Scenario& scenario, uint64_t seeds) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    measure(scenario, seeds);
    std::fflush(nullptr);
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  auto suite = scenarios::load_suite("smoke");
  CHECK(suite);
  fmt::print("{:<20} {:>8} {:>12} {:>10} {:>10} {:>12} {:>12} {:>8}\n", "scenario", "seeds",
             "seeds/CPU-s", "median ms", "worst ms", "sim : wall", "events/CPU-s", "RSS MiB");
  bool whole = true;
  for (const auto& entry : suite->entries) {
    whole = measure_apart(entry.scenario, quick ? 50 : 1000) && whole;
  }
  return whole ? 0 : 1;
}
