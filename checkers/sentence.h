// What a verdict says, sentence by sentence: words for a person, and beside them what they speak
// of, so that nobody has to find it in the words (which may hold anyone's keys and values).
#pragma once

#include "checkers/history.h"
#include "checkers/order.h"

#include <optional>
#include <string>
#include <vector>

namespace seatrial::checkers {

struct Sentence {
  std::string text;
  std::vector<OperationId> operations = {};  // That it speaks of, each once.
  // Where it says that one transaction depends on another: an edge of the graph that pictures draw.
  std::optional<Order> order = std::nullopt;
};

// "3 < 7 because ..."
Sentence because(Order order);

// An operation as it was: "3: set k1 5 -> "OK"".
Sentence quote(const History& history, const Operation& operation);

}  // namespace seatrial::checkers
