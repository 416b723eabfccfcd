// Strongly connected components (Tarjan, "Depth-first search and linear graph algorithms", 1972),
// without recursion, in one pass over nodes and edges.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace seatrial::checkers {

struct Components {
  // By node: 0 for those that lie on no cycle of two nodes or more, else the component's number.
  std::vector<uint32_t> of;
  uint32_t count = 0;
};

// `degree(node)` is how many edges leave a node; `target(node, i)` where the i-th of them leads,
// or kNoTarget where it is not to be followed.
inline constexpr uint32_t kNoTarget = std::numeric_limits<uint32_t>::max();

template <typename Degree, typename Target>
Components find_components(uint32_t nodes, Degree degree, Target target) {
  struct Call {
    uint32_t node;
    uint32_t edge;
  };
  Components result;
  result.of.assign(nodes, 0);
  std::vector<uint32_t> low(nodes, 0);  // 0: not visited yet.
  std::vector<bool> on_stack(nodes, false);
  std::vector<uint32_t> stack;
  std::vector<Call> calls;
  std::vector<uint32_t> index(nodes, 0);
  uint32_t next = 1;
  const auto enter = [&](uint32_t node) {
    index[node] = low[node] = next++;
    stack.push_back(node);
    on_stack[node] = true;
    calls.push_back({node, 0});
  };
  const auto leave = [&](uint32_t node) {
    if (low[node] != index[node]) return;
    const uint32_t number = stack.back() == node ? 0 : ++result.count;
    uint32_t member = node;
    do {
      member = stack.back();
      stack.pop_back();
      on_stack[member] = false;
      result.of[member] = number;
    } while (member != node);
  };
  for (uint32_t root = 0; root < nodes; root++) {
    if (index[root] != 0) continue;
    enter(root);
    while (!calls.empty()) {
      Call& call = calls.back();
      const uint32_t node = call.node;
      if (call.edge < degree(node)) {
        const uint32_t to = target(node, call.edge++);
        if (to == kNoTarget) continue;
        if (index[to] == 0) {
          enter(to);
        } else if (on_stack[to]) {
          low[node] = std::min(low[node], index[to]);
        }
        continue;
      }
      calls.pop_back();
      if (!calls.empty()) {
        const uint32_t caller = calls.back().node;
        low[caller] = std::min(low[caller], low[node]);
      }
      leave(node);
    }
  }
  return result;
}

}  // namespace seatrial::checkers
