#include "sim/swarm.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

// Whether a family is on in this seed, and its own stream for the rest.
struct Family {
  Family(const Streams& streams, std::string_view name, const std::vector<std::string>& allowed)
      : random(streams.stream("swarm", name)) {
    const bool drawn = random.chance(0.5);
    const bool may = allowed.empty() || std::ranges::find(allowed, name) != allowed.end();
    on = drawn && may;
  }
  base::RandomStream random;
  bool on;
};

void draw_network(const Streams& streams, const SwarmOptions& options, NetworkWeather& network) {
  Family base(streams, "latency", {});
  network.latency_min = draw_micros(base.random, 20us, 1ms);
  network.latency_max = network.latency_min * base.random.between(2, 5);
  if (Family f(streams, "segmentation", options.ambient); f.on) {
    network.split_chance = f.random.unit();
    network.short_read_chance = f.random.unit() * 0.5;
    network.short_write_chance = f.random.unit() * 0.5;
    if (f.random.chance(0.3)) network.buffer_bytes = 64 << f.random.below(8);
  }
  if (Family f(streams, "slow_network", options.ambient); f.on) {
    network.slow_chance = f.random.unit() * 0.1;
    network.slow_latency_max = draw_duration(f.random, 20ms, 2s);
  }
  if (Family f(streams, "cuts", options.ambient); f.on) {
    network.cut_chance = f.random.unit() * 0.02;
    network.refuse_chance = f.random.unit() * 0.2;
  }
}

void draw_disk(const Streams& streams, const SwarmOptions& options, DiskWeather& disk) {
  Family base(streams, "sectors", {});
  disk.sector_kept = base.random.unit();
  disk.sector_torn = base.random.unit() * (1 - disk.sector_kept);
  disk.name_kept = base.random.unit();
  if (Family f(streams, "slow_disk", options.ambient); f.on) {
    disk.sync_max = draw_duration(f.random, 5ms, 200ms);
    disk.stall_chance = f.random.unit() * 0.02;
    disk.stall_max = draw_duration(f.random, 50ms, 1s);
  }
  if (Family f(streams, "short_writes", options.ambient); f.on) {
    disk.short_write_chance = f.random.unit() * 0.5;
  }
}

void draw_process(const Streams& streams, const SwarmOptions& options, ProcessWeather& process) {
  Family f(streams, "fork", options.ambient);
  if (!f.on) return;
  process.fork_pause_per_kib = draw_duration(f.random, 10us, 20ms);
  process.reap_delay_max = draw_duration(f.random, 1ms, 500ms);
  if (f.random.chance(0.5)) process.fork_failure_chance = f.random.unit() * 0.3;
  if (f.random.chance(0.5)) process.pids = 2 + f.random.below(6);
}

}  // namespace

std::span<const std::string_view> ambient_families() {
  static constexpr std::string_view kFamilies[] = {
      "chaos", "cuts", "fork", "segmentation", "short_writes", "slow_disk", "slow_network"};
  return kFamilies;
}

void draw_swarm(const Streams& streams, const SwarmOptions& options, Plan& plan) {
  draw_network(streams, options, plan.weather.network);
  draw_disk(streams, options, plan.weather.disk);
  draw_process(streams, options, plan.weather.process);
  if (Family f(streams, "chaos", options.ambient); f.on) {
    plan.weather.chaos = {
        .site_armed = 0.5, .site_fires = f.random.unit() * 0.3, .knob_shaken = 0.3};
  }
  for (const Fault* fault : all_faults()) {
    Family f(streams, fault->info().kind, options.kinds);
    if (!f.on) continue;
    Stage stage = options.stage;
    stage.intensity *= 0.25 + f.random.unit() * 1.5;
    fault->plan(f.random, stage, plan.faults);
  }
  std::ranges::stable_sort(plan.faults, {}, &FaultStep::at);
}

}  // namespace seatrial::sim
