#include "sim/faults/fault.h"

#include "base/alike.h"
#include "base/check.h"
#include "sim/faults/faults.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {

namespace {

using MakeFault = const Fault* (*)();

// Listed by hand: a registrar in a static library gets lost in linking.
constexpr MakeFault kFaults[] = {
    chaos_knobs_fault,
    chaos_sites_fault,
    clock_drift_fault,
    clock_jump_fault,
    clock_skew_fault,
    clock_strobe_fault,
    disk_bit_flip_fault,
    disk_bit_rot_fault,
    disk_dead_fault,
    disk_errors_fault,
    disk_full_fault,
    disk_garbage_fault,
    disk_lost_write_fault,
    disk_lying_sync_fault,
    disk_misdirected_read_fault,
    disk_misdirected_write_fault,
    disk_power_luck_fault,
    disk_read_error_fault,
    disk_short_read_fault,
    disk_short_write_fault,
    disk_slow_fault,
    disk_stall_fault,
    disk_sync_error_fault,
    disk_sync_stall_fault,
    disk_throttle_fault,
    disk_write_error_fault,
    fork_fail_fault,
    fork_kill_child_fault,
    fork_kill_parent_fault,
    fork_late_reap_fault,
    fork_pause_fault,
    fork_pid_reuse_fault,
    fork_power_loss_fault,
    fork_scarce_fault,
    net_backlog_full_fault,
    net_bandwidth_fault,
    net_black_hole_fault,
    net_buffers_fault,
    net_clog_fault,
    net_connect_hangs_fault,
    net_cut_fault,
    net_distance_fault,
    net_full_buffers_fault,
    net_latency_fault,
    net_loss_fault,
    net_partition_fault,
    net_refuse_fault,
    net_refuse_all_fault,
    net_reset_fault,
    net_segmentation_fault,
    net_slow_fault,
    net_slow_accept_fault,
    net_slow_link_fault,
    net_swizzle_fault,
    net_tail_fault,
    process_blackout_fault,
    process_crash_loop_fault,
    process_empty_disk_fault,
    process_kill_fault,
    process_kill_in_recovery_fault,
    process_older_disk_fault,
    process_pause_fault,
    process_power_loss_fault,
    process_slow_fault,
    process_stop_fault,
    process_swapped_disk_fault,
    process_upgrade_fault,
    storm_clients_fault,
    storm_reconnect_fault,
};

}  // namespace

std::span<const Fault* const> all_faults() {
  static const std::vector<const Fault*> faults = [] {
    std::vector<const Fault*> all;
    for (const MakeFault make : kFaults) all.push_back(make());
    return all;
  }();
  return faults;
}

const Fault* find_fault(std::string_view kind) {
  for (const Fault* fault : all_faults()) {
    if (fault->info().kind == kind) return fault;
  }
  return nullptr;
}

std::string_view most_alike(std::string_view word) {
  std::string_view best;
  size_t best_distance = std::max<size_t>(word.size() / 2, 2);
  for (const Fault* fault : all_faults()) {
    const size_t distance = base::edit_distance(word, fault->info().kind);
    if (distance >= best_distance) continue;
    best = fault->info().kind;
    best_distance = distance;
  }
  return best;
}

double Stage::rate() const {
  return settings != nullptr && settings->rate ? *settings->rate : fault->rate;
}

Range Stage::range(std::string_view parameter) const {
  if (settings != nullptr) {
    if (auto it = settings->ranges.find(parameter); it != settings->ranges.end()) return it->second;
  }
  for (const Parameter& each : fault->parameters) {
    if (each.name == parameter) return {each.low, each.high};
  }
  CHECK_MSG(false, "{} has no parameter {}", fault->kind, parameter);
}

void Fault::strike(World&, const FaultStep& step) const {
  CHECK_MSG(false, "{} is ambient: it has no steps", step.kind);
}

FaultStep Fault::step_at(VirtualTime at, std::string target) const {
  return {.at = at, .kind = std::string(info().kind), .target = std::move(target)};
}

std::vector<VirtualTime> draw_hours(base::RandomStream& random, const Stage& stage) {
  const double expected =
      std::chrono::duration<double>(stage.storm).count() / 5 * stage.intensity * stage.rate();
  auto count = static_cast<uint64_t>(expected);
  if (random.chance(expected - static_cast<double>(count))) ++count;
  std::vector<VirtualTime> hours;
  for (uint64_t i = 0; i < count; ++i) {
    hours.emplace_back(draw_micros(random, VirtualTime(0), stage.storm));
  }
  return hours;
}

VirtualTime draw_duration(base::RandomStream& random, VirtualTime low, VirtualTime high) {
  // By doubling and a uniform rest, and not by exp(): its last bit is not the same everywhere.
  VirtualTime at = low;
  while (at * 2 < high && random.chance(0.6)) at *= 2;
  return draw_micros(random, at, std::min(at * 2, high));
}

VirtualTime draw_micros(base::RandomStream& random, VirtualTime low, VirtualTime high) {
  const int64_t from = std::chrono::ceil<std::chrono::microseconds>(low).count();
  const int64_t to = std::chrono::floor<std::chrono::microseconds>(high).count();
  return std::chrono::microseconds(random.between(from, std::max(from, to)));
}

VirtualTime draw_duration(base::RandomStream& random, const Stage& stage,
                          std::string_view parameter) {
  const Range range = stage.range(parameter);
  const double unit = parameter.ends_with("_us") ? 1 : parameter.ends_with("_ms") ? 1e3 : 1e6;
  const auto time = [&](double value) {
    return VirtualTime(std::chrono::microseconds(static_cast<int64_t>(value * unit)));
  };
  if (range.low > 0) return draw_duration(random, time(range.low), time(range.high));
  return draw_micros(random, time(range.low), time(range.high));
}

double draw_between(base::RandomStream& random, const Stage& stage, std::string_view parameter) {
  const Range range = stage.range(parameter);
  return range.low + random.unit() * (range.high - range.low);
}

uint32_t draw_uniform(base::RandomStream& random, const Stage& stage, std::string_view parameter) {
  const Range range = stage.range(parameter);
  return static_cast<uint32_t>(
      random.between(static_cast<int64_t>(range.low), static_cast<int64_t>(range.high)));
}

int64_t draw_amount(base::RandomStream& random, const Stage& stage, std::string_view parameter) {
  const Range range = stage.range(parameter);
  const auto least = static_cast<int64_t>(range.low);
  const auto most = static_cast<int64_t>(range.high);
  int64_t at = std::max<int64_t>(least, 1);
  while (at <= most / 2 && random.chance(0.6)) at *= 2;
  if (at > most) return most;
  return std::min(most, at + static_cast<int64_t>(random.below(static_cast<uint64_t>(at))));
}

uint32_t draw_count(base::RandomStream& random, const Stage& stage, std::string_view parameter) {
  return static_cast<uint32_t>(draw_amount(random, stage, parameter));
}

const std::string& draw_name(base::RandomStream& random, const std::vector<std::string>& names) {
  CHECK(!names.empty());
  return names[random.below(names.size())];
}

bool is_among(std::string_view names, std::string_view name) {
  while (true) {
    const size_t comma = names.find(',');
    if (names.substr(0, comma) == name) return true;
    if (comma == std::string_view::npos) return false;
    names.remove_prefix(comma + 1);
  }
}

void draw_fork_call(base::RandomStream& random, const Stage& stage, FaultStep& step) {
  // A snapshot takes a dozen calls, and what its parent does with it another dozen: there the last
  // ones matter most.
  const bool after = random.chance(0.5);
  step.moment = after ? Moment::kAfterChild : Moment::kChild;
  step.count =
      after ? 1 + static_cast<uint32_t>(random.below(16)) : draw_count(random, stage, "call");
}

void draw_moment(base::RandomStream& random, FaultStep& step) {
  step.moment = static_cast<Moment>(random.below(4));
  step.delay = random.chance(0.5) ? VirtualTime(0) : VirtualTime(random.between(0, 2'000)) * 1000;
}

bool await_moment(World& world, const FaultStep& step) {
  Node* node = world.find_node(step.target);
  if (node != nullptr && step.moment >= Moment::kChild) {
    if (await_call(world, *node, step) == nullptr) return false;
  } else if (node != nullptr && step.moment != Moment::kAny) {
    const os::MonotonicTime at_most(world.now_virtual() + std::chrono::seconds(1));
    os::WaitQueue& moments = step.moment == Moment::kSync    ? node->syncs
                             : step.moment == Moment::kWrite ? node->writes
                                                             : node->renames;
    (void)moments.wait(at_most);
  }
  if (step.delay > VirtualTime(0)) world.sleep(step.delay);
  return !world.fibers().cancelled();
}

namespace {

SimProcess* running_child(Node& node) {
  const auto& processes = node.processes();
  for (size_t i = processes.size(); i > 0; --i) {
    SimProcess& process = *processes[i - 1];
    if (process.alive() && !process.ending && process.forked) return &process;
  }
  return nullptr;
}

// The process's calls up to `goal`, or to its end, which gives nullptr; `made` says how many it
// has made. Whoever is woken looks again, since the process may be gone by then.
SimProcess* count_calls(Node& node, uint64_t incarnation, uint64_t goal, uint64_t& made) {
  for (;;) {
    SimProcess* const process = node.find_incarnation(incarnation);
    if (process == nullptr || process->ending) return nullptr;
    made = process->disk_calls;
    if (made >= goal) return process;
    if (node.disk_steps.wait() == os::Wake::kCancelled) return nullptr;
  }
}

}  // namespace

SimProcess* await_call(World& world, Node& node, uint64_t n, Calls calls) {
  while (!world.fibers().cancelled()) {
    SimProcess* const child = running_child(node);
    if (child == nullptr) {
      (void)node.disk_steps.wait();
      continue;
    }
    const SimProcess* const parent = node.find(child->parent());
    const bool goes_on = calls != Calls::kOfChild && parent != nullptr;
    const uint64_t parent_incarnation = goes_on ? parent->incarnation() : 0;
    // A call that has begun in this very instant is still to take effect.
    const bool beginning = child->disk_calls > 0 && child->disk_call_begun == world.now_virtual();
    const bool to_end = calls == Calls::kOfParent;
    const uint64_t goal =
        to_end ? UINT64_MAX : std::max(n, child->disk_calls + (beginning ? 0 : 1));
    uint64_t made = 0;
    if (SimProcess* found = count_calls(node, child->incarnation(), goal, made)) return found;
    SimProcess* const survivor = goes_on ? node.find_incarnation(parent_incarnation) : nullptr;
    if (survivor == nullptr) continue;
    const uint64_t rest = survivor->disk_calls + (to_end ? std::max<uint64_t>(n, 1) : goal - made);
    if (SimProcess* found = count_calls(node, parent_incarnation, rest, made)) return found;
  }
  return nullptr;
}

SimProcess* await_call(World& world, Node& node, const FaultStep& step) {
  const bool after = step.moment == Moment::kAfterChild;
  return await_call(world, node, step.count, after ? Calls::kOfParent : Calls::kOfChildThenParent);
}

bool stop_service(World& world, Node& node, std::string_view kind, VirtualTime patience) {
  if (!node.stop_service()) return false;
  world.count(kind);
  const uint64_t incarnation = node.service()->incarnation();
  const os::MonotonicTime until(world.now_virtual() + patience);
  while (node.find_incarnation(incarnation) != nullptr &&
         os::MonotonicTime(world.now_virtual()) < until) {
    if (node.disk_steps.wait(until) == os::Wake::kCancelled) break;
  }
  // It may have gone while we waited: what was known of it before does not count.
  if (SimProcess* const service = node.find_incarnation(incarnation)) {
    node.kill(*service);
    if (!world.fibers().cancelled()) world.count("process.stop_overdue");
  }
  return true;
}

}  // namespace seatrial::sim
