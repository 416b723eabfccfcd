#include "checkers/sentence.h"

#include <fmt/format.h>

namespace seatrial::checkers {

Sentence because(Order order) {
  return {.text = fmt::format("{} < {} because {}", order.from, order.to, order.why),
          .operations = {order.from, order.to},
          .order = std::move(order)};
}

Sentence quote(const History& history, const Operation& operation) {
  return {.text = describe(history, operation), .operations = {operation.id}};
}

}  // namespace seatrial::checkers
