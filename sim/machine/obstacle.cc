#include "sim/machine/obstacle.h"

#include "base/check.h"
#include "sim/machine/network.h"

#include <algorithm>
#include <utility>

namespace seatrial::sim {

void Border::put(const Nodes& nodes, size_t into) {
  CHECK(into < classes_);
  for (const uint32_t node : nodes) {
    if (node >= class_of_.size()) class_of_.resize(node + 1, 0);
    class_of_[node] = static_cast<uint32_t>(into);
  }
}

Border Border::around(const Nodes& inside, Direction direction) {
  Border border(2);
  border.put(inside, 1);
  if (direction != Direction::kOut) border.draw(0, 1);
  if (direction != Direction::kIn) border.draw(1, 0);
  return border;
}

Border Border::between(const Nodes& here, const Nodes& there, Direction direction) {
  Border border(3);
  border.put(here, 1);
  border.put(there, 2);
  if (direction != Direction::kOut) border.draw(2, 1);
  if (direction != Direction::kIn) border.draw(1, 2);
  return border;
}

Border Border::among(const std::vector<Nodes>& groups) {
  Border border(groups.size() + 1);
  for (size_t i = 0; i < groups.size(); ++i) {
    border.put(groups[i], i + 1);
    for (size_t j = 0; j < i; ++j) {
      border.draw(i + 1, j + 1);
      border.draw(j + 1, i + 1);
    }
  }
  return border;
}

Border Border::ring(const Nodes& nodes) {
  const size_t count = nodes.size();
  Border border(count + 1);
  for (size_t i = 0; i < count; ++i) {
    border.put({nodes[i]}, i + 1);
    for (size_t j = 0; j < count; ++j) {
      const size_t apart = (j + count - i) % count;
      if (apart > 1 && apart != count - 1) border.draw(i + 1, j + 1);
    }
  }
  return border;
}

Barrier& Barrier::operator=(Barrier&& other) noexcept {
  if (this == &other) return *this;
  fall();
  standing_ = std::move(other.standing_);
  other.standing_.reset();
  return *this;
}

void Barrier::fall() {
  if (const std::shared_ptr<Standing> standing = standing_.lock())
    standing->net.take_down(*standing);
  standing_.reset();
}

}  // namespace seatrial::sim
