// Swarm: each seed turns whole fault families off and on and draws the intensity of the rest,
// since "everything a little" hides bugs (Groce et al., Swarm Testing, ISSTA 2012).
#pragma once

#include "sim/faults/fault.h"
#include "sim/plan.h"
#include "sim/streams.h"

#include <span>
#include <string>
#include <vector>

namespace seatrial::sim {

struct SwarmOptions {
  Stage stage;
  // Kinds that may strike; empty: all there are.
  std::vector<std::string> kinds;
  // Families of ambient weather that may be drawn: "segmentation", "slow_network", "cuts",
  // "slow_disk", "short_writes", "fork", "chaos"; empty: all there are.
  std::vector<std::string> ambient;
};

std::span<const std::string_view> ambient_families();

// Fills in weather and faults; deterministic in the seed and the options.
void draw_swarm(const Streams& streams, const SwarmOptions& options, Plan& plan);

}  // namespace seatrial::sim
