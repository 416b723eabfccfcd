#include "sim/swarm.h"

#include <algorithm>

namespace seatrial::sim {
namespace {

// Families are rather on than off: a fault that needs another's help is to meet it.
constexpr double kFamilyChance = 0.75;
// Steps in five seconds, of all faults together, at intensity 1: with more of them at once nobody
// gets anything done, and no fault is seen by itself.
constexpr double kRateMax = 6;

bool names(const std::vector<std::string>& list, const FaultInfo& fault) {
  return std::ranges::find(list, fault.kind) != list.end() ||
         std::ranges::find(list, fault.family) != list.end();
}

struct Drawn {
  const Fault* fault;
  base::RandomStream random;
  Stage stage;
};

// Those that this seed has on, each with its own stream for the rest.
std::vector<Drawn> draw_kinds(const Streams& streams, const SwarmOptions& options) {
  std::vector<Drawn> on;
  for (const Fault* fault : all_faults()) {
    const FaultInfo& info = fault->info();
    if (!may_draw(options, info)) continue;
    const auto settings = options.settings.find(info.kind);
    Drawn drawn{fault, streams.stream("swarm", info.kind), options.stage};
    drawn.stage.fault = &info;
    double chance = info.chance;
    if (settings != options.settings.end()) {
      drawn.stage.settings = &settings->second;
      chance = settings->second.chance.value_or(chance);
    }
    const bool family = streams.stream("swarm", info.family).chance(kFamilyChance);
    if (!drawn.random.chance(chance) || (!family && chance < 1)) continue;
    drawn.stage.intensity *= 0.25 + drawn.random.unit() * 1.5;
    on.push_back(std::move(drawn));
  }
  return on;
}

}  // namespace

bool may_draw(const SwarmOptions& options, const FaultInfo& fault) {
  if (names(options.without, fault)) return false;
  if (fault.changes_release && options.stage.releases < 2) return false;
  if (fault.harms_disk && options.stage.expendable.empty()) return false;
  if (std::ranges::find(options.with, fault.kind) != options.with.end()) return true;
  if (fault.opt_in) return std::ranges::find(options.faults, fault.kind) != options.faults.end();
  return options.faults.empty() || names(options.faults, fault);
}

void draw_swarm(const Streams& streams, const SwarmOptions& options, Plan& plan) {
  std::vector<Drawn> on = draw_kinds(streams, options);
  double rate = 0;
  for (const Drawn& each : on) rate += each.fault->info().ambient ? 0 : each.stage.rate();
  for (Drawn& each : on) {
    each.stage.intensity *= std::min(1.0, kRateMax / std::max(rate, 1.0));
    each.fault->draw(each.random, each.stage, plan);
  }
  std::ranges::stable_sort(plan.faults, {}, &FaultStep::at);
}

}  // namespace seatrial::sim
