#include "checkers/graph/dependency_graph.h"

#include "base/check.h"

namespace seatrial::checkers {

void DependencyGraph::pack() {
  CHECK(starts_.empty());
  CHECK(edges_.size() < UINT32_MAX);
  starts_.assign(size_t{nodes_} + 1, 0);
  for (const Edge& edge : edges_) starts_[edge.from + 1]++;
  for (uint32_t node = 0; node < nodes_; node++) starts_[node + 1] += starts_[node];
  std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
  std::vector<Edge> packed(edges_.size());
  for (const Edge& edge : edges_) packed[next[edge.from]++] = edge;
  edges_ = std::move(packed);
}

}  // namespace seatrial::checkers
