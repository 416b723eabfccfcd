// A graph of dependencies between transactions, made for millions of them: first all edges are
// added, then it is packed so that each node's edges lie together.
//
// An edge says that `from` comes before `to` in every order that explains the history, for what
// reason is its kind (order.h). Nodes that are no transactions lie along chains: an edge to one
// carries the kind, those that go on from there are kInner and cost nothing, so that n completions
// before m invocations are n + m edges.
#pragma once

#include "checkers/order.h"

#include <cstdint>
#include <span>
#include <vector>

namespace seatrial::checkers {

// Sets of kinds.
using DependencySet = uint8_t;
constexpr DependencySet set_of(Dependency kind) {
  return static_cast<DependencySet>(1U << static_cast<unsigned>(kind));
}

struct Edge {
  uint32_t from = 0;
  uint32_t to = 0;
  uint32_t key = 0;
  uint32_t version = 0;  // Of the key: what `from` read or wrote, as the maker numbers it.
  Dependency kind = Dependency::kInner;
};

class DependencyGraph {
 public:
  // Nodes below `transactions` are transactions.
  explicit DependencyGraph(uint32_t transactions)
      : transactions_(transactions), nodes_(transactions) {}

  uint32_t transactions() const { return transactions_; }
  uint32_t nodes() const { return nodes_; }
  uint32_t add_node() { return nodes_++; }
  // An edge from a node to itself says nothing and is left out.
  void add(const Edge& edge) {
    if (edge.from != edge.to) edges_.push_back(edge);
  }
  // To be called once, after the last add() and before edges().
  void pack();
  std::span<const Edge> edges(uint32_t node) const {
    return std::span(edges_).subspan(starts_[node], starts_[node + 1] - starts_[node]);
  }

 private:
  uint32_t transactions_;
  uint32_t nodes_;
  std::vector<Edge> edges_;
  std::vector<uint32_t> starts_;
};

}  // namespace seatrial::checkers
