// What operations on one key tell, whatever its type: which values they saw where, and which they
// may have left. By this a violation's sub-history is filled up and its anomaly named.
#pragma once

#include "checkers/history.h"

#include <vector>

namespace seatrial::checkers {

// A value in a cell of the key: a hash's field, a set's or sorted set's member (its value then is
// 1 or its score); nil for types that have no cells. A list's or queue's items are values of the
// one cell.
struct Sight {
  Value cell;
  Value value;  // Nil: absent.
};

// What the operation saw; of one that reads all cells only those that were there.
std::vector<Sight> sights_of(const Operation& operation);
// Whether the operation might leave what was seen.
bool may_leave(const Operation& operation, const Sight& sight);
// Whether it reads or changes that cell.
bool touches(const Operation& operation, const Value& cell);

}  // namespace seatrial::checkers
