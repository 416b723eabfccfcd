// Swarm: each seed turns whole fault families off and on, then single faults of those that are on,
// and draws the intensity of the rest, since "everything a little" hides bugs (Groce et al., Swarm
// Testing, ISSTA 2012).
#pragma once

#include "sim/faults/fault.h"
#include "sim/plan.h"
#include "sim/streams.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

struct SwarmOptions {
  Stage stage;
  // Kinds and families that may be drawn; empty: all there are but those that are opt-in.
  std::vector<std::string> faults;
  std::vector<std::string> with;     // And these kinds: for those that are opt-in.
  std::vector<std::string> without;  // But of these kinds and families none.
  std::map<std::string, FaultSettings, std::less<>> settings;
};

// Whether the options let this fault be drawn.
bool may_draw(const SwarmOptions& options, const FaultInfo& fault);

// Fills in weather and faults; deterministic in the seed and the options.
void draw_swarm(const Streams& streams, const SwarmOptions& options, Plan& plan);

}  // namespace seatrial::sim
