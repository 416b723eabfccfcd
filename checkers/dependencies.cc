#include "checkers/dependencies.h"

#include "base/check.h"
#include "checkers/models/cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace seatrial::checkers {
namespace {

enum class Kind : uint8_t {
  kRealTime,     // It had completed before the other was invoked.
  kRead,         // The other read what it wrote.
  kReplaced,     // The other replaced what it wrote.
  kReadBefore,   // It read what the other replaced or overwrote.
  kOverwritten,  // It wrote, and a later read shows the other's write.
  kWindow,       // Its window was open when the other came.
  kBeforeWatch,  // It came before the other's watch, or would have spoilt the window.
  kCause,        // Only it, or only the other, can have made an exec abort.
  kInner,        // Along a chain.
};

Dependency dependency(Kind kind) {
  switch (kind) {
    case Kind::kRealTime: return Dependency::kRealTime;
    case Kind::kRead: return Dependency::kWriteRead;
    case Kind::kReplaced:
    case Kind::kOverwritten: return Dependency::kWriteWrite;
    case Kind::kReadBefore:
    case Kind::kWindow: return Dependency::kReadWrite;
    case Kind::kBeforeWatch:
    case Kind::kCause: return Dependency::kOther;
    case Kind::kInner: return Dependency::kInner;
  }
  return Dependency::kOther;
}

struct Edge {
  uint32_t to;
  Kind kind;
  uint32_t key = 0;
  const Value* value = nullptr;
  uint32_t witness = kNoStep;  // The unit that shows it, where that is neither of the two.
};

bool is_anti(Kind kind) { return kind == Kind::kReadBefore || kind == Kind::kWindow; }

const Value* find_key(std::span<const KeyValue> pairs, uint32_t key) {
  const auto found = std::ranges::find(pairs, key, &KeyValue::key);
  return found == pairs.end() ? nullptr : &found->value;
}

struct PairHash {
  size_t operator()(const KeyValue& pair) const {
    return base::mix64(pair.value.hash() ^ pair.key);
  }
};
struct PairEqual {
  bool operator()(const KeyValue& a, const KeyValue& b) const {
    return a.key == b.key && a.value == b.value;
  }
};
// Whether the operation would have written the version, had it taken effect.
bool operation_writes(const Operation& operation, const History& history, std::string_view key,
                      const Value& value) {
  if (operation.function == Function::kSet) {
    return history.key_name(operation.key) == key && canonical(operation.argument) == value;
  }
  if (operation.function != Function::kExec) return false;
  return std::ranges::any_of(operation.argument.items(), [&](const Value& command) {
    const std::span<const Value> words = command.items();
    return words[0].as_text() == "set" && words[1].as_text() == key && canonical(words[2]) == value;
  });
}

template <typename T>
using ByVersion = std::unordered_map<KeyValue, T, PairHash, PairEqual>;

// Who may have written a version, and who read it.
struct Version {
  std::vector<uint32_t> writers;
  std::vector<uint32_t> readers;
};

class Graph {
 public:
  Graph(const History& history, const KeyTable& keys, std::span<const Unit> units)
      : history_(history), keys_(keys), units_(units) {
    find_bases();
    find_versions();
    find_writers();
    add_nodes();
    add_real_time();
    for (uint32_t unit = 0; unit < units_.size(); unit++) add_unit(unit);
  }

  std::optional<Conflict> unwritten_read() const;
  std::optional<Conflict> lost_update() const;
  std::optional<Conflict> cycle() const;
  std::optional<Conflict> spurious_abort() const;
  // Where only one write can be why an exec aborted, that is certain, too. False where nothing
  // new came of it.
  bool find_causes();

 private:
  struct Node {
    const Operation* operation = nullptr;  // Null: along a chain.
  };
  // The certain writers of one key, in two orders.
  struct Writers {
    std::vector<uint32_t> by_call;
    std::vector<uint32_t> by_return;  // Those that returned.
    uint32_t call_chain = 0;          // Its i-th node leads to by_call[i] and to the next.
  };
  struct Segment {
    uint32_t from;
    uint32_t to;
    Edge edge;  // The first one: it says why.
  };

  void find_bases();
  void find_versions();
  void find_writers();
  void add_nodes();
  void add_real_time();
  void add_unit(uint32_t unit);
  void add_read(uint32_t unit, const KeyValue& pair);
  void add_window(uint32_t unit, const Unit::Watched& watched);
  void after_event(uint32_t from, const Writers& writers, uint32_t event, const Edge& why);
  void before_event(const Writers& writers, uint32_t event, uint32_t to, const Edge& why);

  bool certain(uint32_t unit) const { return certain_[unit]; }
  const Operation& op(uint32_t unit) const { return *units_[unit].operation; }
  uint32_t watch_node(uint32_t unit, uint32_t number) const { return first_watch_[unit] + number; }
  // The one unit that wrote the version; nullopt where several may have, or none.
  std::optional<uint32_t> writer_of(const KeyValue& pair) const;
  void add(uint32_t from, const Edge& edge) {
    if (from != edge.to) edges_[from].push_back(edge);
  }
  uint32_t new_node(const Operation* operation) {
    nodes_.push_back({operation});
    edges_.emplace_back();
    return static_cast<uint32_t>(nodes_.size() - 1);
  }

  Conflict from_nowhere(const Operation& reader, const KeyValue& pair) const;
  std::vector<uint32_t> components() const;
  std::vector<Segment> path(uint32_t from, uint32_t to,
                            const std::vector<uint32_t>* component = nullptr) const;
  std::vector<Segment> segments(
      uint32_t from, uint32_t to,
      const std::unordered_map<uint32_t, std::pair<uint32_t, const Edge*>>& came) const;
  void tell(std::span<const Segment> segments, Conflict& conflict) const;
  std::vector<uint32_t> causes_of(uint32_t aborted, Conflict* why_not) const;
  Sentence sentence(const Segment& segment) const;
  std::string why(const Edge& edge) const;
  std::string name(const std::vector<Segment>& cycle) const;

  const History& history_;
  const KeyTable& keys_;
  std::span<const Unit> units_;
  std::vector<std::vector<KeyValue>> bases_;  // What each unit found, its window's gets included.
  std::vector<bool> certain_;                 // It took effect.
  ByVersion<Version> versions_;
  std::vector<Writers> writers_;  // By key.
  std::vector<Node> nodes_;       // Units first, under their own numbers.
  std::vector<std::vector<Edge>> edges_;
  std::vector<uint32_t> first_watch_;  // Of each unit: the node of its first watch.
  std::vector<bool> caused_;           // Its abort has one cause, and that is an edge.
  uint32_t operation_nodes_ = 0;       // Units and watches; all others lie along chains.
};

// A get of the same process within the window of an exec that went through saw what the exec then
// found.
void Graph::find_bases() {
  bases_.resize(units_.size());
  std::unordered_map<ProcessId, std::vector<uint32_t>> gets;
  for (uint32_t i = 0; i < units_.size(); i++) {
    const Unit& unit = units_[i];
    std::vector<uint32_t>& own = gets[unit.operation->process];
    bases_[i] = unit.reads;
    if (unit.operation->function == Function::kGet && unit.commits()) own.push_back(i);
    if (unit.operation->function != Function::kExec) continue;
    for (uint32_t get : own) {
      if (!unit.commits()) break;
      for (const KeyValue& pair : units_[get].reads) {
        const auto watched = std::ranges::find(unit.watched, pair.key, &Unit::Watched::key);
        if (watched == unit.watched.end() || find_key(bases_[i], pair.key) != nullptr) continue;
        if (unit.watches[watched->since]->precedes(op(get))) bases_[i].push_back(pair);
      }
    }
    own.clear();
  }
}

void Graph::find_versions() {
  certain_.resize(units_.size());
  for (uint32_t i = 0; i < units_.size(); i++) {
    certain_[i] = units_[i].commits();
    if (units_[i].aborted) continue;
    for (const KeyValue& pair : units_[i].writes) versions_[pair].writers.push_back(i);
  }
  for (uint32_t i = 0; i < units_.size(); i++) {
    for (const KeyValue& pair : bases_[i]) versions_[pair].readers.push_back(i);
  }
  // What was read was written.
  for (const auto& [pair, version] : versions_) {
    if (version.writers.size() == 1 && !version.readers.empty()) {
      certain_[version.writers.front()] = true;
    }
  }
}

std::optional<uint32_t> Graph::writer_of(const KeyValue& pair) const {
  const auto found = versions_.find(pair);
  if (found == versions_.end() || found->second.writers.size() != 1) return std::nullopt;
  return found->second.writers.front();
}

void Graph::find_writers() {
  writers_.resize(keys_.size());
  for (uint32_t i = 0; i < units_.size(); i++) {
    if (!certain(i) || units_[i].aborted) continue;
    for (const KeyValue& pair : units_[i].writes) {
      writers_[pair.key].by_call.push_back(i);
      if (units_[i].commits()) writers_[pair.key].by_return.push_back(i);
    }
  }
  for (Writers& writers : writers_) {
    std::ranges::sort(writers.by_return, {}, [&](uint32_t i) { return op(i).complete_at; });
  }
}

void Graph::add_nodes() {
  for (const Unit& unit : units_) new_node(unit.operation);
  for (const Unit& unit : units_) {
    first_watch_.push_back(static_cast<uint32_t>(nodes_.size()));
    for (const Operation* watch : unit.watches) new_node(watch);
  }
  operation_nodes_ = static_cast<uint32_t>(nodes_.size());
  for (Writers& writers : writers_) {
    writers.call_chain = static_cast<uint32_t>(nodes_.size());
    for (uint32_t i = 0; i < writers.by_call.size(); i++) {
      const uint32_t node = new_node(nullptr);
      add(node, {.to = writers.by_call[i], .kind = Kind::kInner});
      if (i > 0) add(node - 1, {.to = node, .kind = Kind::kInner});
    }
  }
}

// One clock node for each event: a completion leads to its own, and the one before an invocation
// leads to what is invoked there.
void Graph::add_real_time() {
  std::vector<uint32_t> starts(history_.events(), kNoStep);
  std::vector<uint32_t> ends(history_.events(), kNoStep);
  for (uint32_t node = 0; node < operation_nodes_; node++) {
    const Operation& operation = *nodes_[node].operation;
    starts[operation.invoke_at] = node;
    const bool is_unit = node < units_.size();
    if (is_unit ? units_[node].completion == Completion::kOk : operation.ok()) {
      ends[operation.complete_at] = node;
    }
  }
  uint32_t clock = kNoStep;
  for (uint32_t event = 0; event < history_.events(); event++) {
    if (starts[event] != kNoStep && clock != kNoStep) {
      add(clock, {.to = starts[event], .kind = Kind::kInner});
    }
    if (ends[event] == kNoStep) continue;
    const uint32_t next = new_node(nullptr);
    if (clock != kNoStep) add(clock, {.to = next, .kind = Kind::kInner});
    add(ends[event], {.to = next, .kind = Kind::kRealTime});
    clock = next;
  }
}

void Graph::add_unit(uint32_t unit) {
  for (const KeyValue& pair : bases_[unit]) add_read(unit, pair);
  if (!units_[unit].commits()) return;
  for (const Unit::Watched& watched : units_[unit].watched) add_window(unit, watched);
}

void Graph::add_read(uint32_t unit, const KeyValue& pair) {
  const Writers& writers = writers_[pair.key];
  const Edge why{.to = 0, .kind = Kind::kReadBefore, .key = pair.key, .value = &pair.value};
  if (pair.value.is_nil()) {
    // A key that was written is there for ever.
    after_event(unit, writers, 0, why);
    return;
  }
  const std::optional<uint32_t> writer = writer_of(pair);
  if (!writer || *writer == unit) return;
  const Edge read{.to = unit, .kind = Kind::kRead, .key = pair.key, .value = &pair.value};
  add(*writer, read);
  if (units_[unit].writes_key(pair.key)) {
    // It found the version when it replaced it, so nothing lies between.
    Edge replaced = read;
    replaced.kind = Kind::kReplaced;
    add(*writer, replaced);
    Edge before = why;
    before.to = unit;
    for (uint32_t other : versions_.at(pair).readers) add(other, before);
  }
  if (units_[*writer].commits()) after_event(unit, writers, op(*writer).complete_at, why);
  const Edge shown{
      .to = 0, .kind = Kind::kOverwritten, .key = pair.key, .value = &pair.value, .witness = unit};
  before_event(writers, op(unit).invoke_at, *writer, shown);
}

void Graph::add_window(uint32_t unit, const Unit::Watched& watched) {
  const Writers& writers = writers_[watched.key];
  const Operation& watch = *units_[unit].watches[watched.since];
  after_event(unit, writers, watch.complete_at,
              {.to = 0, .kind = Kind::kWindow, .key = watched.key});
  before_event(writers, op(unit).invoke_at, watch_node(unit, watched.since),
               {.to = 0, .kind = Kind::kBeforeWatch, .key = watched.key, .witness = unit});
}

// `from` comes before all writers invoked after `event` but itself.
void Graph::after_event(uint32_t from, const Writers& writers, uint32_t event, const Edge& why) {
  const auto& by_call = writers.by_call;
  const auto first = static_cast<size_t>(
      std::ranges::lower_bound(by_call, event, {}, [&](uint32_t i) { return op(i).invoke_at; }) -
      by_call.begin());
  Edge edge = why;
  const auto own =
      std::ranges::find(by_call.begin() + static_cast<ptrdiff_t>(first), by_call.end(), from);
  size_t chain_from = first;
  if (own != by_call.end()) {
    chain_from = static_cast<size_t>(own - by_call.begin()) + 1;
    // A few at most lie between the event and the unit's own invocation.
    constexpr size_t kDirectMax = 64;
    for (size_t i = first; i + 1 < chain_from && i < first + kDirectMax; i++) {
      edge.to = by_call[i];
      add(from, edge);
    }
  }
  if (chain_from >= by_call.size()) return;
  edge.to = writers.call_chain + static_cast<uint32_t>(chain_from);
  add(from, edge);
}

// All writers that returned before `event`, but `to` itself, come before `to`.
void Graph::before_event(const Writers& writers, uint32_t event, uint32_t to, const Edge& why) {
  const auto& by_return = writers.by_return;
  const auto end =
      static_cast<size_t>(std::ranges::lower_bound(by_return, event, {},
                                                   [&](uint32_t i) { return op(i).complete_at; }) -
                          by_return.begin());
  // Only the latest matter: what lies further back has its own readers and clock edges.
  constexpr size_t kDirectMax = 16;
  Edge edge = why;
  edge.to = to;
  for (size_t i = end; i > 0 && i + kDirectMax > end; i--) add(by_return[i - 1], edge);
}

std::optional<Conflict> Graph::unwritten_read() const {
  for (uint32_t i = 0; i < units_.size(); i++) {
    if (units_[i].contradicts_itself) {
      return Conflict{
          "internal", {&op(i)}, {{fmt::format("{} contradicts itself", op(i).id), {op(i).id}}}};
    }
    for (const KeyValue& pair : units_[i].reads) {
      if (pair.value.is_nil()) continue;
      const bool written = std::ranges::any_of(versions_.at(pair).writers, [&](uint32_t writer) {
        return writer != i && op(writer).invoke_at < op(i).complete_at;
      });
      if (!written) return from_nowhere(op(i), pair);
    }
  }
  return std::nullopt;
}

Conflict Graph::from_nowhere(const Operation& reader, const KeyValue& pair) const {
  bool aborted = false;
  bool later = false;
  for (const Operation& operation : history_.operations()) {
    if (&operation == &reader) continue;
    if (!operation_writes(operation, history_, keys_.name(pair.key), pair.value)) continue;
    (operation.invoke_at < reader.complete_at ? aborted : later) = true;
  }
  const auto [name, reason] =
      aborted ? std::pair("aborted-read", "only one that failed or aborted wrote")
      : later ? std::pair("future-read", "was written only after it had completed")
              : std::pair("phantom-read", "nobody wrote");
  return {name,
          {&reader},
          {{fmt::format("{} read {} = {}, which {}", reader.id, keys_.name(pair.key),
                        pair.value.json(), reason),
            {reader.id}}}};
}

std::optional<Conflict> Graph::lost_update() const {
  ByVersion<uint32_t> replaced_by;
  for (uint32_t i = 0; i < units_.size(); i++) {
    if (!units_[i].commits()) continue;
    for (const KeyValue& pair : bases_[i]) {
      // Several may write the same value where values are not unique.
      if (!units_[i].writes_key(pair.key)) continue;
      if (!pair.value.is_nil() && !writer_of(pair)) continue;
      const auto [first, is_new] = replaced_by.try_emplace(pair, i);
      if (is_new) continue;
      return Conflict{
          "lost-update",
          {units_[first->second].operation, units_[i].operation},
          {{fmt::format("{} and {} both found {} = {} and both replaced it", op(first->second).id,
                        op(i).id, keys_.name(pair.key), pair.value.json()),
            {op(first->second).id, op(i).id}}}};
    }
  }
  return std::nullopt;
}

// Tarjan's strongly connected components, without recursion; 0 for those of one node.
std::vector<uint32_t> Graph::components() const {
  const auto count = static_cast<uint32_t>(nodes_.size());
  std::vector<uint32_t> index(count, kNoStep);
  std::vector<uint32_t> low(count, 0);
  std::vector<uint32_t> component(count, 0);
  std::vector<bool> on_stack(count, false);
  std::vector<uint32_t> stack;
  std::vector<std::pair<uint32_t, size_t>> calls;
  uint32_t next = 0;
  uint32_t found = 0;
  for (uint32_t root = 0; root < count; root++) {
    if (index[root] != kNoStep) continue;
    calls.emplace_back(root, 0);
    while (!calls.empty()) {
      auto& [node, edge] = calls.back();
      if (edge == 0 && index[node] == kNoStep) {
        index[node] = low[node] = next++;
        stack.push_back(node);
        on_stack[node] = true;
      }
      if (edge < edges_[node].size()) {
        const uint32_t to = edges_[node][edge++].to;
        if (index[to] == kNoStep) {
          calls.emplace_back(to, 0);
        } else if (on_stack[to]) {
          low[node] = std::min(low[node], index[to]);
        }
        continue;
      }
      const uint32_t done = node;
      calls.pop_back();
      if (!calls.empty()) low[calls.back().first] = std::min(low[calls.back().first], low[done]);
      if (low[done] != index[done]) continue;
      const bool single = stack.back() == done;
      if (!single) found++;
      while (true) {
        const uint32_t member = stack.back();
        stack.pop_back();
        on_stack[member] = false;
        component[member] = single ? 0 : found;
        if (member == done) break;
      }
    }
  }
  return component;
}

// The shortest way from one node to another, or around to itself, within a component if one is
// given: breadth first, where steps along chains cost nothing. Empty where there is none.
std::vector<Graph::Segment> Graph::path(uint32_t from, uint32_t to,
                                        const std::vector<uint32_t>* component) const {
  std::unordered_map<uint32_t, std::pair<uint32_t, const Edge*>> came;  // From where, by what.
  std::deque<uint32_t> queue = {from};
  std::vector<bool> done(nodes_.size(), false);
  while (!queue.empty()) {
    const uint32_t node = queue.front();
    queue.pop_front();
    if (done[node]) continue;
    done[node] = true;
    for (const Edge& edge : edges_[node]) {
      if (component != nullptr && (*component)[edge.to] != (*component)[from]) continue;
      if (edge.to != to && (done[edge.to] || came.contains(edge.to))) continue;
      came[edge.to] = {node, &edge};
      if (edge.to == to) return segments(from, to, came);
      if (nodes_[edge.to].operation == nullptr) {
        queue.push_front(edge.to);
      } else {
        queue.push_back(edge.to);
      }
    }
  }
  return {};
}

std::vector<Graph::Segment> Graph::segments(
    uint32_t from, uint32_t to,
    const std::unordered_map<uint32_t, std::pair<uint32_t, const Edge*>>& came) const {
  std::vector<Segment> segments;
  uint32_t end = to;
  uint32_t at = to;
  do {
    const auto [before, edge] = came.at(at);
    if (nodes_[before].operation != nullptr) {
      segments.push_back({before, end, *edge});
      end = before;
    }
    at = before;
  } while (at != from);
  std::ranges::reverse(segments);
  return segments;
}

std::optional<Conflict> Graph::cycle() const {
  const std::vector<uint32_t> component = components();
  std::vector<Segment> best;
  // The shortest cycle among the first nodes that lie on any: more would cost time for little.
  constexpr int kStartsMax = 200;
  int starts = 0;
  for (uint32_t node = 0; node < nodes_.size() && starts < kStartsMax; node++) {
    if (component[node] == 0 || nodes_[node].operation == nullptr) continue;
    starts++;
    std::vector<Segment> cycle = path(node, node, &component);
    if (!cycle.empty() && (best.empty() || cycle.size() < best.size())) best = std::move(cycle);
  }
  if (best.empty()) return std::nullopt;
  Conflict conflict{name(best), {}, {}};
  tell(best, conflict);
  return conflict;
}

void Graph::tell(std::span<const Segment> segments, Conflict& conflict) const {
  const auto blame = [&](const Operation* operation) {
    if (std::ranges::find(conflict.operations, operation) == conflict.operations.end()) {
      conflict.operations.push_back(operation);
    }
  };
  for (const Segment& segment : segments) {
    blame(nodes_[segment.from].operation);
    blame(nodes_[segment.to].operation);
    if (segment.edge.witness != kNoStep) blame(nodes_[segment.edge.witness].operation);
    conflict.explanation.push_back(sentence(segment));
  }
}

std::string Graph::name(const std::vector<Segment>& cycle) const {
  size_t anti = 0;
  bool real_time = false;
  bool read = false;
  bool window = false;
  bool other = false;
  for (const Segment& segment : cycle) {
    const Kind kind = segment.edge.kind;
    anti += is_anti(kind) ? 1 : 0;
    real_time |= kind == Kind::kRealTime;
    read |= kind == Kind::kRead;
    window |= kind == Kind::kWindow || kind == Kind::kBeforeWatch;
    other |= kind == Kind::kRead || kind == Kind::kReplaced || kind == Kind::kReadBefore;
  }
  if (window && !other) return "lost-watch";
  const auto missed = std::ranges::find_if(cycle, [](const Segment& s) {
    return s.edge.kind == Kind::kReadBefore || s.edge.kind == Kind::kOverwritten;
  });
  // Somebody saw an older version although a newer one was complete.
  if (cycle.size() == 2 && missed != cycle.end() &&
      (real_time || missed->edge.kind == Kind::kOverwritten)) {
    return "stale-read";
  }
  const std::string level = anti == 0 ? (read ? "G1c" : "G0") : anti == 1 ? "G-single" : "G2-item";
  return real_time ? level + "-realtime" : level;
}

Sentence Graph::sentence(const Segment& segment) const {
  const Edge& edge = segment.edge;
  Sentence sentence = because({nodes_[segment.from].operation->id, nodes_[segment.to].operation->id,
                               dependency(edge.kind), why(edge)});
  if (edge.witness == kNoStep) return sentence;
  const OperationId witness = op(edge.witness).id;
  if (std::ranges::find(sentence.operations, witness) == sentence.operations.end()) {
    sentence.operations.push_back(witness);
  }
  return sentence;
}

std::string Graph::why(const Edge& edge) const {
  const auto pair = [&] {
    return fmt::format("{} = {}", keys_.name(edge.key), edge.value->json());
  };
  switch (edge.kind) {
    case Kind::kRealTime: return "it had completed before the other was invoked";
    case Kind::kRead: return fmt::format("the other read its {}", pair());
    case Kind::kReplaced: return fmt::format("the other replaced its {}", pair());
    case Kind::kReadBefore: return fmt::format("it read {}, which the other replaced", pair());
    case Kind::kOverwritten:
      return fmt::format("{}, invoked after it had completed, found the other's {}",
                         op(edge.witness).id, pair());
    case Kind::kWindow:
      return fmt::format("it watched {} before the other wrote that, and went through",
                         keys_.name(edge.key));
    case Kind::kBeforeWatch:
      return fmt::format("it wrote {} before {}, which went through, so it did before its watch",
                         keys_.name(edge.key), op(edge.witness).id);
    case Kind::kCause:
      return fmt::format("nothing else can have made {} abort", op(edge.witness).id);
    case Kind::kInner: break;
  }
  UNREACHABLE("a segment begins at an operation");
}

// The writes of watched keys that are not certainly before the watch nor after the exec; why the
// others are no causes goes to `why_not`.
std::vector<uint32_t> Graph::causes_of(uint32_t aborted, Conflict* why_not) const {
  std::vector<uint32_t> causes;
  for (const Unit::Watched& watched : units_[aborted].watched) {
    const uint32_t watch = watch_node(aborted, watched.since);
    for (uint32_t writer = 0; writer < units_.size(); writer++) {
      const Unit& unit = units_[writer];
      if (unit.aborted || !unit.writes_key(watched.key)) continue;
      if (op(aborted).precedes(op(writer))) continue;
      if (unit.commits() && op(writer).precedes(*nodes_[watch].operation)) continue;
      const std::vector<Segment> before = path(writer, watch);
      if (why_not != nullptr) tell(before, *why_not);
      if (!before.empty()) continue;
      const std::vector<Segment> after = path(aborted, writer);
      if (why_not != nullptr) tell(after, *why_not);
      if (after.empty() && std::ranges::find(causes, writer) == causes.end()) {
        causes.push_back(writer);
      }
    }
  }
  return causes;
}

bool Graph::find_causes() {
  bool found = false;
  caused_.resize(units_.size(), false);
  for (uint32_t i = 0; i < units_.size(); i++) {
    if (!units_[i].aborted || caused_[i]) continue;
    const std::vector<uint32_t> causes = causes_of(i, nullptr);
    if (causes.size() != 1) continue;
    caused_[i] = found = true;
    const uint32_t cause = causes.front();
    add(cause, {.to = i, .kind = Kind::kCause, .witness = i});
    // It may spoil the window of any watch that names a key of its, but the first is before it.
    for (const Unit::Watched& watched : units_[i].watched) {
      const bool only = units_[i].watches.size() == 1;
      if (!only || !units_[cause].writes_key(watched.key)) continue;
      add(watch_node(i, watched.since), {.to = cause, .kind = Kind::kCause, .witness = i});
      break;
    }
  }
  return found;
}

std::optional<Conflict> Graph::spurious_abort() const {
  for (uint32_t i = 0; i < units_.size(); i++) {
    if (!units_[i].aborted || !causes_of(i, nullptr).empty()) continue;
    Conflict conflict{"spurious-abort", {units_[i].operation}, {}};
    CHECK(causes_of(i, &conflict).empty());
    conflict.explanation.push_back(
        {fmt::format("{} answered nil, but no write of a watched key can lie between its watch "
                     "and it",
                     op(i).id),
         {op(i).id}});
    return conflict;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Unit> prefix_units(std::span<const Unit> units, uint32_t events) {
  std::vector<Unit> prefix;
  for (const Unit& unit : units) {
    if (unit.operation->invoke_at >= events) continue;
    Unit& copy = prefix.emplace_back(unit);
    if (unit.completion == Completion::kOk && unit.operation->complete_at < events) continue;
    copy.completion = Completion::kUnknown;
    copy.reads.clear();
    copy.aborted = false;
    copy.contradicts_itself = false;
  }
  return prefix;
}

std::optional<Conflict> find_conflict(const History& history, const KeyTable& keys,
                                      std::span<const Unit> units) {
  Graph graph(history, keys, units);
  if (auto conflict = graph.unwritten_read()) return conflict;
  if (auto conflict = graph.lost_update()) return conflict;
  constexpr int kRoundsMax = 8;
  for (int round = 0; round < kRoundsMax; round++) {
    if (auto conflict = graph.cycle()) return conflict;
    if (auto conflict = graph.spurious_abort()) return conflict;
    if (!graph.find_causes()) break;
  }
  return std::nullopt;
}

}  // namespace seatrial::checkers
