// What the faults of the network have in common: where they stand.
//
// A step's target names nodes: "a,b" means between these and all others, "a|b,c" between a on the
// one side and b and c on the other. A leading '>' lets through what goes to the first ones, and a
// '<' what comes from them: without either, the fault works both ways.
#pragma once

#include "sim/faults/fault.h"
#include "sim/machine/obstacle.h"

namespace seatrial::sim {

// The groups of a target, as node indices; without its direction.
std::vector<Border::Nodes> groups_of(World& world, std::string_view target);
Direction direction_of(std::string_view target);
Border border_of(World& world, std::string_view target);

// Two thirds of the time one of the servers, else one of them and any other node; in half of the
// cases both ways.
std::string draw_border(base::RandomStream& random, const Stage& stage);
// A leading '>' or '<', or nothing, with the rest of the probability.
std::string draw_direction(base::RandomStream& random, double one_way_chance);
// In any order, as targets write them.
std::string join_names(const std::vector<std::string>& names);
void shuffle(base::RandomStream& random, std::vector<std::string>& names);

// Puts it up where the step says, for as long as the step says.
void stand(World& world, const FaultStep& step, Obstacle obstacle);

}  // namespace seatrial::sim
