// Cycles of dependencies: whether there are any, which levels of isolation they rule out, and the
// shortest of each kind by its name.
//
//   G0             ww only                        G-single       one rw
//   G1c            ww and wr, at least one wr     G-nonadjacent  several rw, no two in a row
//                                                 G2-item        two rw in a row
// "-process" and "-realtime" at a name's end: the cycle needs such an edge. Names as Adya (1999)
// and Kingsbury and Alvaro, "Elle" (VLDB 2020).
#pragma once

#include "checkers/graph/dependency_graph.h"
#include "checkers/graph/isolation.h"

#include <string>
#include <vector>

namespace seatrial::checkers {

struct Cycle {
  std::string name;
  // Each begins where the one before ends; between transactions only, chains are contracted.
  std::vector<Edge> edges;
};

struct CycleReport {
  bool acyclic = true;
  IsolationSet levels;        // Exact: by the graph's components, not by the cycles below.
  std::vector<Cycle> cycles;  // The shortest found of each name, from severe to subtle.
};

// `graph` is packed. `steps_max` limits the search for the short cycles of each name, not the
// answer: when it ends, a cycle may be longer than needed, or one of the names missing, but where
// there is any cycle at least one is told. Linear in the graph where there is no cycle.
CycleReport find_cycles(const DependencyGraph& graph, uint64_t steps_max);

// A cycle's name by its edges.
std::string name_of(const std::vector<Edge>& cycle);

}  // namespace seatrial::checkers
