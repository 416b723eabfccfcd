#include "sim/machine/chaos.h"

#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

namespace seatrial::sim {

bool SimChaos::chance(std::string_view site) {
  if (!process_.may_act()) return false;
  Node& node = process_.node();
  World& world = process_.world();
  const ChaosWeather& weather = world.weather().chaos;
  auto it = node.chaos_sites.find(site);
  if (it == node.chaos_sites.end()) {
    base::RandomStream random = world.streams().stream(node.name(), fmt::format("chance.{}", site));
    const bool armed = random.chance(weather.site_armed);
    it = node.chaos_sites.emplace(std::string(site), Node::ChaosSite{armed, random}).first;
  }
  if (!it->second.armed || !it->second.random.chance(weather.site_fires)) return false;
  world.note(node.name(), TraceKind::kChaos, site);
  world.count("chaos");
  return true;
}

int64_t SimChaos::knob(std::string_view name, int64_t normal,
                       std::initializer_list<int64_t> others) {
  World& world = process_.world();
  // Per node, not per incarnation: a restarted server keeps its configuration.
  base::RandomStream random =
      world.streams().stream(process_.node().name(), fmt::format("knob.{}", name));
  if (others.size() == 0 || !random.chance(world.weather().chaos.knob_shaken)) return normal;
  const int64_t value = others.begin()[random.below(others.size())];
  world.note(process_.node().name(), TraceKind::kChaos, fmt::format("knob {} = {}", name, value));
  return value;
}

}  // namespace seatrial::sim
