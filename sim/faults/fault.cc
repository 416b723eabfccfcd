#include "sim/faults/fault.h"

#include "base/check.h"
#include "sim/faults/faults.h"
#include "sim/world.h"

#include <algorithm>

namespace seatrial::sim {

std::span<const Fault* const> all_faults() {
  // Listed by hand: a registrar in a static library gets lost in linking.
  static const Fault* const faults[] = {
      disk_stall_fault(),      disk_sync_error_fault(), disk_write_error_fault(),
      net_partition_fault(),   net_reset_fault(),       process_crash_loop_fault(),
      process_kill_fault(),    process_pause_fault(),   process_power_loss_fault(),
      storm_reconnect_fault(),
  };
  return faults;
}

const Fault* find_fault(std::string_view kind) {
  for (const Fault* fault : all_faults()) {
    if (fault->info().kind == kind) return fault;
  }
  return nullptr;
}

std::vector<VirtualTime> draw_hours(base::RandomStream& random, const Stage& stage, double share) {
  const double expected =
      std::chrono::duration<double>(stage.storm).count() / 5 * stage.intensity * share;
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

void draw_moment(base::RandomStream& random, FaultStep& step) {
  step.moment = static_cast<Moment>(random.below(3));
  step.delay = random.chance(0.5) ? VirtualTime(0) : VirtualTime(random.between(0, 2'000)) * 1000;
}

bool await_moment(World& world, const FaultStep& step) {
  Node* node = world.find_node(step.target);
  if (node != nullptr && step.moment != Moment::kAny) {
    const os::MonotonicTime at_most(world.now_virtual() + std::chrono::seconds(1));
    (void)(step.moment == Moment::kSync ? node->syncs : node->writes).wait(at_most);
  }
  if (step.delay > VirtualTime(0)) world.sleep(step.delay);
  return !world.fibers().cancelled();
}

}  // namespace seatrial::sim
