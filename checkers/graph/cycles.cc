#include "checkers/graph/cycles.h"

#include "base/check.h"
#include "checkers/graph/components.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace seatrial::checkers {
namespace {

constexpr DependencySet kWw = set_of(Dependency::kWriteWrite);
constexpr DependencySet kWr = set_of(Dependency::kWriteRead);
constexpr DependencySet kRw = set_of(Dependency::kReadWrite);
constexpr DependencySet kProcess = set_of(Dependency::kProcess);
constexpr DependencySet kRealTime = set_of(Dependency::kRealTime);
constexpr DependencySet kInner = set_of(Dependency::kInner);

// What a cycle of one name looks like when told from the right edge on.
struct Spec {
  std::string_view name;
  DependencySet allowed;
  DependencySet first;  // The first edge is one of these.
  bool anti_next;       // The second edge is rw.
  bool anti_later;      // More rw may follow...
  bool apart;           // ...and one must, but none next to another.
};

constexpr std::array kSpecs = {
    Spec{"G0", kWw, kWw, false, false, false},
    Spec{"G1c", kWw | kWr, kWr, false, false, false},
    Spec{"G-single", kWw | kWr | kRw, kRw, false, false, false},
    Spec{"G-nonadjacent", kWw | kWr | kRw, kRw, false, true, true},
    Spec{"G2-item", kWw | kWr | kRw, kRw, true, true, false},
};

struct Suffix {
  std::string_view name;
  DependencySet added;
  DependencySet needed;  // Empty: nothing.
};

constexpr std::array kSuffixes = {
    Suffix{"", 0, 0},
    Suffix{"-process", kProcess, kProcess},
    Suffix{"-realtime", kProcess | kRealTime, kRealTime},
};

// The shortest walk around that fits a spec: breadth first over pairs of node and what the walk
// has still to do, where edges along chains cost nothing.
class CycleSearch {
 public:
  explicit CycleSearch(const DependencyGraph& graph) : graph_(graph) {
    // A cycle has an edge that leads back; ids rise with time, so that one is rare.
    for (const bool back : {true, false}) {
      for (uint32_t node = 0; node < graph.transactions(); node++) {
        const bool leads_back = std::ranges::any_of(
            graph.edges(node), [&](const Edge& edge) { return edge.to < node; });
        if (leads_back == back) starts_.push_back(node);
      }
    }
  }

  // Empty where there is none, or none was found in that many steps.
  std::vector<Edge> shortest(const Spec& spec, const Suffix& suffix, uint64_t steps_max) {
    steps_left_ = steps_max;
    std::vector<Edge> best;
    for (uint32_t start : starts_) {
      if (steps_left_ == 0 || best.size() == 2) break;
      std::vector<Edge> cycle = around(start, spec, suffix, best.size());
      if (!cycle.empty()) best = std::move(cycle);
    }
    return best;
  }

  // Any cycle of all edges.
  std::vector<Edge> any() {
    constexpr Spec kAny{"", kWw | kWr | kRw, kWw | kWr | kRw, false, true, false};
    constexpr Suffix kAll{"", kProcess | kRealTime, 0};
    steps_left_ = UINT64_MAX;
    for (uint32_t start : starts_) {
      std::vector<Edge> cycle = around(start, kAny, kAll, 0);
      if (!cycle.empty()) return cycle;
    }
    UNREACHABLE("{} nodes on cycles, but no cycle", graph_.nodes());
  }

 private:
  // A walk's state beside its node: whether its last edge was rw, whether it has met a second rw,
  // an edge that the suffix needs, and whether only its first edge lies behind it.
  static constexpr uint32_t kLastAnti = 1;
  static constexpr uint32_t kSecondAnti = 2;
  static constexpr uint32_t kNeedMet = 4;
  static constexpr uint32_t kFirst = 8;
  static constexpr uint32_t kFlagSets = 16;

  struct Came {
    uint32_t state;
    uint32_t depth;
    const Edge* edge;
  };

  // The flags after `edge`; nullopt where it may not follow.
  static std::optional<uint32_t> follow(uint32_t flags, const Edge& edge, const Spec& spec,
                                        const Suffix& suffix) {
    const DependencySet kind = set_of(edge.kind);
    if (kind == kInner) return flags;
    if ((kind & (spec.allowed | suffix.added)) == 0) return std::nullopt;
    const bool anti = kind == kRw;
    if ((flags & kFirst) != 0 && spec.anti_next && !anti) return std::nullopt;
    if (anti && !spec.anti_later) return std::nullopt;
    if (anti && spec.apart && (flags & kLastAnti) != 0) return std::nullopt;
    uint32_t next = flags & (kSecondAnti | kNeedMet);
    if (anti) next |= kLastAnti | kSecondAnti;
    if ((kind & suffix.needed) != 0) next |= kNeedMet;
    return next;
  }

  static bool complete(uint32_t flags, const Spec& spec, const Suffix& suffix) {
    if ((flags & kFirst) != 0) return false;
    if (suffix.needed != 0 && (flags & kNeedMet) == 0) return false;
    if (spec.apart) return (flags & kSecondAnti) != 0 && (flags & kLastAnti) == 0;
    return true;
  }

  std::vector<Edge> around(uint32_t start, const Spec& spec, const Suffix& suffix, size_t below) {
    came_.clear();
    std::deque<uint32_t> queue;
    const auto reach = [&](uint32_t state, const Came& came) {
      if (!came_.try_emplace(state, came).second) return;
      const bool inner = came.edge->kind == Dependency::kInner;
      inner ? queue.push_front(state) : queue.push_back(state);
    };
    for (const Edge& edge : graph_.edges(start)) {
      if ((set_of(edge.kind) & spec.first) == 0) continue;
      const uint32_t flags = kFirst | (set_of(edge.kind) == kRw ? kLastAnti : 0);
      reach(edge.to * kFlagSets + flags, {kNoTarget, 1, &edge});
    }
    while (!queue.empty() && steps_left_ > 0) {
      const uint32_t state = queue.front();
      queue.pop_front();
      const uint32_t depth = came_.at(state).depth;
      if (below != 0 && depth + 1 >= below) continue;
      for (const Edge& edge : graph_.edges(state / kFlagSets)) {
        if (steps_left_ > 0) steps_left_--;
        const auto flags = follow(state % kFlagSets, edge, spec, suffix);
        if (!flags) continue;
        const bool inner = edge.kind == Dependency::kInner;
        const Came came{state, depth + (inner ? 0 : 1), &edge};
        if (edge.to == start) {
          if (!complete(*flags, spec, suffix)) continue;
          std::vector<Edge> cycle = told(came);
          if (is_simple(cycle)) return cycle;
          continue;
        }
        reach(edge.to * kFlagSets + *flags, came);
      }
    }
    return {};
  }

  // The walk that ends with `last`, chains contracted.
  std::vector<Edge> told(Came last) const {
    std::vector<Edge> edges;
    uint32_t to = last.edge->to;
    while (true) {
      if (last.edge->kind != Dependency::kInner) {
        Edge edge = *last.edge;
        edge.to = to;
        edges.push_back(edge);
        to = edge.from;
      }
      if (last.state == kNoTarget) break;
      last = came_.at(last.state);
    }
    std::ranges::reverse(edges);
    return edges;
  }

  // One that meets a node twice is made of two cycles of simpler names.
  static bool is_simple(const std::vector<Edge>& cycle) {
    std::vector<uint32_t> nodes;
    for (const Edge& edge : cycle) nodes.push_back(edge.from);
    std::ranges::sort(nodes);
    return std::ranges::adjacent_find(nodes) == nodes.end();
  }

  const DependencyGraph& graph_;
  uint64_t steps_left_ = 0;
  std::vector<uint32_t> starts_;
  std::unordered_map<uint32_t, Came> came_;  // How each state was reached.
};

Components components_of(const DependencyGraph& graph, DependencySet allowed) {
  return find_components(
      graph.nodes(), [&](uint32_t node) { return graph.edges(node).size(); },
      [&](uint32_t node, uint32_t i) {
        const Edge& edge = graph.edges(node)[i];
        return (set_of(edge.kind) & allowed) != 0 ? edge.to : kNoTarget;
      });
}

// Whether there is a cycle without two rw in a row. Each node stands twice: as reached by an rw
// edge (odd), from where no other leads on, and as reached by any other (even).
bool has_cycle_apart(const DependencyGraph& graph, DependencySet allowed) {
  const Components components = find_components(
      graph.nodes() * 2, [&](uint32_t state) { return graph.edges(state / 2).size(); },
      [&](uint32_t state, uint32_t i) {
        const Edge& edge = graph.edges(state / 2)[i];
        const DependencySet kind = set_of(edge.kind);
        if (kind == kInner) return edge.to * 2 + state % 2;
        if ((kind & allowed) == 0) return kNoTarget;
        if (kind != kRw) return edge.to * 2;
        return state % 2 == 0 ? edge.to * 2 + 1 : kNoTarget;
      });
  return components.count > 0;
}

void judge_levels(const DependencyGraph& graph, IsolationSet& levels) {
  const auto rule_out = [&](Isolation level, bool broken) {
    if (broken) levels.rule_out(level);
  };
  const auto cyclic = [&](DependencySet allowed) {
    return components_of(graph, allowed | kInner).count > 0;
  };
  constexpr DependencySet kData = kWw | kWr | kRw;
  rule_out(Isolation::kReadUncommitted, cyclic(kWw));
  rule_out(Isolation::kReadCommitted, cyclic(kWw | kWr));
  rule_out(Isolation::kSnapshotIsolation, has_cycle_apart(graph, kData));
  rule_out(Isolation::kStrongSessionSnapshotIsolation, has_cycle_apart(graph, kData | kProcess));
  rule_out(Isolation::kStrongSnapshotIsolation,
           has_cycle_apart(graph, kData | kProcess | kRealTime));
  rule_out(Isolation::kSerializable, cyclic(kData));
  rule_out(Isolation::kStrongSessionSerializable, cyclic(kData | kProcess));
  rule_out(Isolation::kStrictSerializable, true);
}

// The part of a graph that lies on cycles.
struct Knot {
  DependencyGraph graph;
  std::vector<uint32_t> original;  // By its node.
};

Knot knot_of(const DependencyGraph& graph, const Components& components) {
  std::vector<uint32_t> number(graph.nodes(), kNoTarget);
  std::vector<uint32_t> original;
  uint32_t transactions = 0;
  for (uint32_t node = 0; node < graph.nodes(); node++) {
    if (components.of[node] == 0) continue;
    number[node] = static_cast<uint32_t>(original.size());
    original.push_back(node);
    if (node < graph.transactions()) transactions++;
  }
  Knot knot{DependencyGraph(transactions), std::move(original)};
  while (knot.graph.nodes() < knot.original.size()) knot.graph.add_node();
  for (uint32_t node : knot.original) {
    for (Edge edge : graph.edges(node)) {
      if (components.of[edge.to] != components.of[node]) continue;
      edge.from = number[edge.from];
      edge.to = number[edge.to];
      knot.graph.add(edge);
    }
  }
  knot.graph.pack();
  return knot;
}

}  // namespace

std::string name_of(const std::vector<Edge>& cycle) {
  DependencySet kinds = 0;
  size_t anti = 0;
  bool adjacent = false;
  for (size_t i = 0; i < cycle.size(); i++) {
    kinds |= set_of(cycle[i].kind);
    if (cycle[i].kind != Dependency::kReadWrite) continue;
    anti++;
    adjacent |= cycle[(i + 1) % cycle.size()].kind == Dependency::kReadWrite;
  }
  std::string name = anti == 0   ? ((kinds & kWr) != 0 ? "G1c" : "G0")
                     : anti == 1 ? "G-single"
                     : adjacent  ? "G2-item"
                                 : "G-nonadjacent";
  if ((kinds & kRealTime) != 0) return name + "-realtime";
  return (kinds & kProcess) != 0 ? name + "-process" : name;
}

CycleReport find_cycles(const DependencyGraph& graph, uint64_t steps_max) {
  CycleReport report;
  const Components components = components_of(graph, 0xff);
  if (components.count == 0) return report;
  report.acyclic = false;
  const Knot knot = knot_of(graph, components);
  judge_levels(knot.graph, report.levels);
  CycleSearch search(knot.graph);
  const auto tell = [&](std::string name, std::vector<Edge> edges) {
    for (Edge& edge : edges) {
      edge.from = knot.original[edge.from];
      edge.to = knot.original[edge.to];
    }
    report.cycles.push_back({std::move(name), std::move(edges)});
  };
  for (const Suffix& suffix : kSuffixes) {
    for (const Spec& spec : kSpecs) {
      std::vector<Edge> cycle = search.shortest(spec, suffix, steps_max);
      if (!cycle.empty()) tell(std::string(spec.name) + std::string(suffix.name), std::move(cycle));
    }
  }
  if (report.cycles.empty()) {
    std::vector<Edge> cycle = search.any();
    tell(name_of(cycle), std::move(cycle));
  }
  return report;
}

}  // namespace seatrial::checkers
