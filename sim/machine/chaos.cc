#include "sim/machine/chaos.h"

#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

namespace seatrial::sim {

bool SimChaos::chance(const os::ChanceSite& site) {
  if (!process_.may_act()) return false;
  Node& node = process_.node();
  if (node.chaos_over) return false;
  World& world = process_.world();
  auto it = node.chance_sites.find(site.name);
  if (it == node.chance_sites.end()) {
    it = node.chance_sites
             .emplace(site.name, Node::Site{how_often(site.name),
                                            world.streams().stream(
                                                node.name(), fmt::format("chance.{}", site.name))})
             .first;
  }
  if (it->second.fires <= 0 || !it->second.random.chance(it->second.fires)) return false;
  world.note(node.name(), TraceKind::kChaos, site.name);
  world.count("chaos");
  return true;
}

double SimChaos::how_often(std::string_view site) const {
  Node& node = process_.node();
  World& world = process_.world();
  if (node.chaos) {
    const auto armed = node.chaos->armed.find(site);
    return armed == node.chaos->armed.end() ? 0 : armed->second;
  }
  const ChaosWeather& weather = world.weather().chaos;
  base::RandomStream random = world.streams().stream(node.name(), fmt::format("arm.{}", site));
  return random.chance(weather.site_armed) ? weather.site_fires : 0;
}

int64_t SimChaos::knob(const os::KnobSite& site, int64_t normal) {
  const int64_t value = value_of(site, normal);
  if (value != normal) {
    process_.world().note(process_.node().name(), TraceKind::kChaos,
                          fmt::format("knob {} = {}", site.name, value));
  }
  return value;
}

int64_t SimChaos::value_of(const os::KnobSite& site, int64_t normal) const {
  const Node& node = process_.node();
  World& world = process_.world();
  if (node.chaos) {
    const auto turned = node.chaos->knobs.find(std::string_view(site.name));
    return turned == node.chaos->knobs.end() ? normal : turned->second;
  }
  // By the machine, not by its process's life: a restarted server keeps its configuration.
  base::RandomStream random =
      world.streams().stream(node.name(), fmt::format("knob.{}", site.name));
  const auto others = site.values();
  if (others.empty() || !random.chance(world.weather().chaos.knob_shaken)) return normal;
  return others[random.below(others.size())];
}

}  // namespace seatrial::sim
