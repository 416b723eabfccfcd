#include "checkers/graph/clock.h"

#include <unordered_map>

namespace seatrial::checkers {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

void add_process_order(const History& history, const std::vector<bool>& certain,
                       DependencyGraph& graph) {
  std::unordered_map<ProcessId, uint32_t> last;
  for (uint32_t i = 0; i < history.operations().size(); i++) {
    if (!certain[i]) continue;
    const auto [before, is_first] = last.try_emplace(history.operations()[i].process, i);
    if (is_first) continue;
    graph.add({.from = before->second, .to = i, .kind = Dependency::kProcess});
    before->second = i;
  }
}

void add_real_time(const History& history, const std::vector<bool>& certain,
                   DependencyGraph& graph) {
  const std::span<const Operation> operations = history.operations();
  std::vector<uint32_t> completed(history.events(), kNone);
  for (uint32_t i = 0; i < operations.size(); i++) {
    if (certain[i] && operations[i].ok()) completed[operations[i].complete_at] = i;
  }
  uint32_t clock = kNone;
  bool read = false;  // Somebody was invoked at this clock: the next completion needs a new one.
  uint32_t event = 0;
  const auto run_to = [&](uint32_t end) {
    for (; event < end; event++) {
      if (completed[event] == kNone) continue;
      if (clock == kNone || read) {
        const uint32_t next = graph.add_node();
        if (clock != kNone) graph.add({.from = clock, .to = next});
        clock = next;
        read = false;
      }
      graph.add({.from = completed[event], .to = clock, .kind = Dependency::kRealTime});
    }
  };
  for (uint32_t i = 0; i < operations.size(); i++) {
    if (!certain[i]) continue;
    run_to(operations[i].invoke_at);
    if (clock == kNone) continue;
    graph.add({.from = clock, .to = i});
    read = true;
  }
}

}  // namespace

void add_client_order(const History& history, const std::vector<bool>& certain,
                      DependencyGraph& graph) {
  add_process_order(history, certain, graph);
  add_real_time(history, certain, graph);
}

}  // namespace seatrial::checkers
