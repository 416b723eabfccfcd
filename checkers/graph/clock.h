// The order that clients saw, as edges: each process's own, and that of real time in O(n). The
// completions form a chain of clock nodes; a transaction leads to the clock at its completion, and
// the clock at an invocation leads to what is invoked there.
#pragma once

#include "checkers/graph/dependency_graph.h"
#include "checkers/history.h"

#include <vector>

namespace seatrial::checkers {

// Node i of `graph` is the history's i-th operation; those with `certain` set took effect, all
// others get no edges. One of unknown outcome has no completion: nothing follows it.
void add_client_order(const History& history, const std::vector<bool>& certain,
                      DependencyGraph& graph);

}  // namespace seatrial::checkers
