// A verdict's picture: one HTML page that needs nothing but itself, for people.
//
// Operations are bars on the lanes of their processes, over time as far as it matters: a column an
// event, as wide as the words in it. Those of the sub-history stand out; the one that fits nowhere
// is red; the linearized order is a path through a point in each operation, somewhere between its
// invocation and its completion. The reasons stand above, and each shows its operations when
// pointed at. A reason that is an order (sentence.h) is an edge as well: where there are such
// edges, operations are drawn as a graph too, so that a cycle is seen as one.
//
// A large history is cut to the operations around those that the verdict names; the page says so.
// Whatever text a history holds is shown as text. The same history and verdict give the same bytes.
#pragma once

#include "checkers/history.h"
#include "checkers/verdict.h"

#include <cstddef>
#include <string>

namespace seatrial::checkers {

struct PictureOptions {
  size_t operations_max = 400;  // Drawn; those of the sub-history first.
};

std::string draw_picture(const History& history, const Verdict& verdict,
                         const PictureOptions& options = {});

}  // namespace seatrial::checkers
