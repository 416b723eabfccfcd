#include "checkers/log_transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace seatrial::checkers {
namespace {

enum class Why : uint8_t { kFound, kProcess, kTime };

struct Edge {
  uint32_t to = 0;
  Why why = Why::kFound;
};

// Nodes are operations, by their number in the history; behind them a clock node for each
// completion, in their order.
class Graph {
 public:
  Graph(const History& history, const LogFacts& facts)
      : history_(history), operations_(history.operations()), edges_(operations_.size()) {
    for (const LogPartition& partition : facts.partitions()) {
      for (const LogReading& reading : partition.readings) add_reading(partition, reading);
    }
  }

  // A cycle of the edges there are, as operations in its order; empty where there is none.
  std::vector<uint32_t> cycle() const {
    const std::vector<uint32_t> component = components();
    for (uint32_t node = 0; node < operations_.size(); node++) {
      for (const Edge& edge : edges_[node]) {
        if (component[edge.to] != component[node]) continue;
        std::vector<uint32_t> way = shortest(edge.to, node, component);
        std::erase_if(way, [&](uint32_t each) { return each >= operations_.size(); });
        return way;
      }
    }
    return {};
  }

  void add_processes() {
    std::unordered_map<ProcessId, uint32_t> last;
    for (uint32_t i = 0; i < operations_.size(); i++) {
      if (operations_[i].failed()) continue;
      const auto [at, fresh] = last.emplace(operations_[i].process, i);
      if (!fresh) add(at->second, i, Why::kProcess);
      at->second = i;
    }
  }

  void add_time() {
    std::vector<uint32_t> completed(history_.events(), kNeverAt);
    for (uint32_t i = 0; i < operations_.size(); i++) {
      if (operations_[i].ok()) completed[operations_[i].complete_at] = i;
    }
    std::vector<uint32_t> invoked(history_.events(), kNeverAt);
    for (uint32_t i = 0; i < operations_.size(); i++) invoked[operations_[i].invoke_at] = i;
    std::optional<uint32_t> clock;
    for (uint32_t at = 0; at < history_.events(); at++) {
      if (completed[at] != kNeverAt) {
        const auto next = static_cast<uint32_t>(edges_.size());
        edges_.emplace_back();
        if (clock) add(*clock, next, Why::kTime);
        add(completed[at], next, Why::kTime);
        clock = next;
      } else if (invoked[at] != kNeverAt && clock) {
        add(*clock, invoked[at], Why::kTime);
      }
    }
  }

  // Why the one comes before the other.
  Sentence tell(uint32_t from, uint32_t to) const {
    const OperationId a = operations_[from].id;
    const OperationId b = operations_[to].id;
    const auto edge = std::ranges::find_if(edges_[from], [&](const Edge& e) { return e.to == to; });
    if (edge != edges_[from].end() && edge->why == Why::kFound) {
      const auto found = found_.find(uint64_t{from} << 32 | to);
      return because({a, b, Dependency::kWriteRead,
                      fmt::format("{} found {}, which {} sent", b, found->second->json(), a)});
    }
    if (edge != edges_[from].end() && edge->why == Why::kProcess) {
      return because(
          {a, b, Dependency::kProcess,
           fmt::format("process {} did one after the other", operations_[from].process)});
    }
    return because(
        {a, b, Dependency::kRealTime, fmt::format("{} had completed before {} was invoked", a, b)});
  }

  const Operation& operation(uint32_t node) const { return operations_[node]; }

 private:
  uint32_t number(const Operation& operation) const {
    return static_cast<uint32_t>(&operation - operations_.data());
  }

  void add(uint32_t from, uint32_t to, Why why) { edges_[from].push_back({to, why}); }

  void add_reading(const LogPartition& partition, const LogReading& reading) {
    for (const Value& record : reading.records) {
      const auto at = partition.record_of.find(record.items()[1]);
      if (at == partition.record_of.end()) continue;
      const LogBatch& batch = partition.batches[partition.records[at->second].batch];
      if (batch.operation == reading.operation) continue;
      const uint32_t from = number(*batch.operation);
      const uint32_t to = number(*reading.operation);
      if (found_.emplace(uint64_t{from} << 32 | to, &record.items()[1]).second) {
        add(from, to, Why::kFound);
      }
    }
  }

  // Strongly connected components (Tarjan), by node; without recursion.
  std::vector<uint32_t> components() const;
  // The shortest way, both ends included.
  std::vector<uint32_t> shortest(uint32_t from, uint32_t to,
                                 const std::vector<uint32_t>& component) const;

  const History& history_;
  std::span<const Operation> operations_;
  std::vector<std::vector<Edge>> edges_;
  std::unordered_map<uint64_t, const Value*> found_;  // By both ends: one value that went there.
};

std::vector<uint32_t> Graph::components() const {
  const size_t nodes = edges_.size();
  std::vector<uint32_t> component(nodes, kNeverAt);
  std::vector<uint32_t> number(nodes, kNeverAt);
  std::vector<uint32_t> low(nodes);
  std::vector<uint32_t> open;
  std::vector<std::pair<uint32_t, uint32_t>> stack;  // Node, and which of its edges is next.
  uint32_t next = 0;
  for (uint32_t root = 0; root < nodes; root++) {
    if (number[root] != kNeverAt) continue;
    stack.emplace_back(root, 0);
    while (!stack.empty()) {
      const auto [node, edge] = stack.back();
      if (edge == 0) {
        number[node] = low[node] = next++;
        open.push_back(node);
      }
      if (edge < edges_[node].size()) {
        stack.back().second++;
        const uint32_t to = edges_[node][edge].to;
        if (number[to] == kNeverAt) {
          stack.emplace_back(to, 0);
        } else if (component[to] == kNeverAt) {
          low[node] = std::min(low[node], number[to]);
        }
        continue;
      }
      stack.pop_back();
      if (!stack.empty()) {
        const uint32_t parent = stack.back().first;
        low[parent] = std::min(low[parent], low[node]);
      }
      if (low[node] != number[node]) continue;
      uint32_t member = kNeverAt;
      do {
        member = open.back();
        open.pop_back();
        component[member] = node;
      } while (member != node);
    }
  }
  return component;
}

std::vector<uint32_t> Graph::shortest(uint32_t from, uint32_t to,
                                      const std::vector<uint32_t>& component) const {
  std::vector<uint32_t> before(edges_.size(), kNeverAt);
  std::vector<uint32_t> queue = {from};
  before[from] = from;
  for (size_t i = 0; i < queue.size() && before[to] == kNeverAt; i++) {
    for (const Edge& edge : edges_[queue[i]]) {
      if (before[edge.to] != kNeverAt || component[edge.to] != component[from]) continue;
      before[edge.to] = queue[i];
      queue.push_back(edge.to);
    }
  }
  std::vector<uint32_t> way = {to};
  while (way.back() != from) way.push_back(before[way.back()]);
  std::ranges::reverse(way);
  return way;
}

bool judge_cycle(const Graph& graph, std::string_view name, LogFindings& findings) {
  const std::vector<uint32_t> cycle = graph.cycle();
  if (cycle.empty()) return false;
  std::vector<const Operation*> operations;
  std::vector<Sentence> why;
  std::string order;
  for (size_t i = 0; i < cycle.size(); i++) {
    operations.push_back(&graph.operation(cycle[i]));
    why.push_back(graph.tell(cycle[i], cycle[(i + 1) % cycle.size()]));
    order += fmt::format("{} < ", operations.back()->id);
  }
  findings.add(name, operations,
               fmt::format("operations {}{} would have to come before themselves", order,
                           operations.front()->id),
               std::move(why));
  return true;
}

void judge_own_reads(const LogFacts& facts, LogFindings& findings) {
  for (const LogPartition& partition : facts.partitions()) {
    for (const LogReading& reading : partition.readings) {
      if (reading.operation->function != Function::kTxn) continue;
      for (const Value& record : reading.records) {
        const auto at = partition.record_of.find(record.items()[1]);
        if (at == partition.record_of.end()) continue;
        const LogBatch& batch = partition.batches[partition.records[at->second].batch];
        if (batch.operation != reading.operation) continue;
        findings.add("precommitted-read", *reading.operation,
                     fmt::format("operation {} finds {} on {}, which it sent itself and had not "
                                 "committed",
                                 reading.operation->id, record.items()[1].json(), partition.name));
        break;
      }
    }
  }
}

}  // namespace

void judge_transactions(const History& history, const LogFacts& facts, LogFindings& findings) {
  if (!facts.has_transactions()) return;
  judge_own_reads(facts, findings);
  Graph graph(history, facts);
  if (judge_cycle(graph, "G1c", findings)) return;
  graph.add_processes();
  if (judge_cycle(graph, "G1c-process", findings)) return;
  graph.add_time();
  judge_cycle(graph, "G1c-realtime", findings);
}

}  // namespace seatrial::checkers
