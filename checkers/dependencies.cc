#include "checkers/dependencies.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "checkers/models/cell.h"

namespace seatrial::checkers {
namespace {

enum class Kind : uint8_t { kRealTime, kWriteRead, kWriteWrite, kReadWrite };

struct Edge {
  size_t from;
  size_t to;
  Kind kind;
  std::string why;
};

const Value* find_key(std::span<const KeyValue> pairs, uint32_t key) {
  const auto found = std::ranges::find(pairs, key, &KeyValue::key);
  return found == pairs.end() ? nullptr : &found->value;
}

class Conflict {
 public:
  Conflict(const History& history, const KeyTable& keys, std::span<const Unit> units,
           std::span<const Unit* const> guilty)
      : history_(history), keys_(keys), units_(units), guilty_(guilty) {
    for (const Unit* unit : guilty) nodes_.push_back({unit, base_versions(*unit)});
    // Whoever wrote what they read belongs to the picture, known outcome or not.
    for (const Unit& unit : units) {
      const bool is_guilty = std::ranges::find(guilty, &unit) != guilty.end();
      if (!is_guilty && wrote_for_guilty(unit)) nodes_.push_back({&unit, base_versions(unit)});
    }
    add_edges();
  }

  Verdict run() {
    Verdict verdict;
    verdict.outcome = Outcome::kViolation;
    for (const Unit* unit : guilty_) verdict.operations.push_back(unit->operation->id);
    if (!name_single(verdict) && !name_pair(verdict)) name_cycle(verdict);
    fill_sub_history(verdict);
    std::string list;
    for (const Unit* unit : guilty_) {
      list += (list.empty() ? "" : "; ") + describe(history_, *unit->operation);
    }
    verdict.summary = fmt::format("not strictly serializable ({}): {}", verdict.anomaly, list);
    if (verdict.explanation.empty()) {
      for (const Edge& edge : edges_) verdict.explanation.push_back(sentence(edge));
    }
    return verdict;
  }

 private:
  struct Node {
    const Unit* unit;
    // What it found under each key that it read, its watched keys included: a get of the same
    // process within the window saw what the exec then replaced.
    std::vector<KeyValue> base;
  };

  std::vector<KeyValue> base_versions(const Unit& unit) const {
    std::vector<KeyValue> base = unit.reads;
    if (!unit.commits()) return base;
    for (const Unit& other : units_) {
      if (other.operation->function != Function::kGet || !other.commits()) continue;
      if (other.operation->process != unit.operation->process) continue;
      for (const Unit::Watched& watched : unit.watched) {
        const Operation& watch = *unit.watches[watched.since];
        const bool inside =
            watch.precedes(*other.operation) && other.operation->precedes(*unit.operation);
        const Value* value = find_key(other.reads, watched.key);
        if (inside && value != nullptr && find_key(base, watched.key) == nullptr) {
          base.push_back({watched.key, *value});
        }
      }
    }
    return base;
  }

  static bool writes_pair(const Unit& unit, const KeyValue& pair) {
    const Value* value = find_key(unit.writes, pair.key);
    return value != nullptr && *value == pair.value && !unit.aborted;
  }

  bool wrote_for_guilty(const Unit& unit) const {
    return std::ranges::any_of(guilty_, [&](const Unit* reader) {
      return std::ranges::any_of(base_versions(*reader),
                                 [&](const KeyValue& pair) { return writes_pair(unit, pair); });
    });
  }

  void add(size_t from, size_t to, Kind kind, std::string why) {
    if (from != to) edges_.push_back({from, to, kind, std::move(why)});
  }

  void add_edges() {
    for (size_t from = 0; from < nodes_.size(); from++) {
      for (size_t to = 0; to < nodes_.size(); to++) {
        if (from == to) continue;
        const Unit& a = *nodes_[from].unit;
        const Unit& b = *nodes_[to].unit;
        if (a.operation->precedes(*b.operation)) {
          add(from, to, Kind::kRealTime, "it had completed before the other was invoked");
        }
        for (const KeyValue& pair : nodes_[to].base) {
          if (writes_pair(a, pair)) add_read(from, to, pair);
        }
      }
    }
  }

  // `from` wrote what `to` read: so it comes before, and all other writers of the key come before
  // the one or after the other; where the reader replaced what it read, nothing lies between.
  void add_read(size_t from, size_t to, const KeyValue& pair) {
    const std::string key(keys_.name(pair.key));
    const Unit& reader = *nodes_[to].unit;
    add(from, to, Kind::kWriteRead, fmt::format("the other read {} = {}", key, pair.value.json()));
    const bool replaces = reader.writes_key(pair.key) && reader.watches_key(pair.key);
    if (replaces && reader.commits()) {
      add(from, to, Kind::kWriteWrite,
          fmt::format("the other replaced its {} = {}", key, pair.value.json()));
      for (size_t other = 0; other < nodes_.size(); other++) {
        if (other == from || other == to) continue;
        const Value* seen = find_key(nodes_[other].base, pair.key);
        if (seen != nullptr && *seen == pair.value) {
          add(other, to, Kind::kReadWrite,
              fmt::format("it read {} = {}, which the other replaced", key, pair.value.json()));
        }
      }
    }
    // A writer that certainly follows `from` follows its readers, too.
    for (size_t other = 0; other < nodes_.size(); other++) {
      if (other == from || other == to || !nodes_[other].unit->writes_key(pair.key)) continue;
      if (nodes_[from].unit->operation->precedes(*nodes_[other].unit->operation) &&
          nodes_[other].unit->completion == Completion::kOk && !nodes_[other].unit->aborted) {
        add(to, other, Kind::kReadWrite,
            fmt::format("it read {} = {}, which the other overwrote", key, pair.value.json()));
      }
    }
  }

  std::string sentence(const Edge& edge) const {
    return fmt::format("{} < {} because {}", nodes_[edge.from].unit->operation->id,
                       nodes_[edge.to].unit->operation->id, edge.why);
  }

  // One unit alone is impossible.
  bool name_single(Verdict& verdict) const {
    for (const Unit* unit : guilty_) {
      if (unit->contradicts_itself) {
        verdict.anomaly = "internal";
        verdict.explanation.push_back(fmt::format("{} contradicts itself", unit->operation->id));
        return true;
      }
      for (const KeyValue& pair : unit->reads) {
        if (pair.value.is_nil()) continue;
        if (const auto name = unwritten(*unit, pair)) {
          verdict.anomaly = *name;
          verdict.explanation.push_back(
              fmt::format("{} read {} = {}, which {}", unit->operation->id, keys_.name(pair.key),
                          pair.value.json(),
                          *name == "future-read" ? "was written only after it had completed"
                                                 : "no operation that took effect wrote"));
          return true;
        }
      }
      if (unit->aborted && !has_cause(*unit)) {
        verdict.anomaly = "spurious-abort";
        verdict.explanation.push_back(fmt::format(
            "{} answered nil, but no write of a watched key can lie between its watch and it",
            unit->operation->id));
        return true;
      }
    }
    return false;
  }

  std::optional<std::string> unwritten(const Unit& reader, const KeyValue& pair) const {
    bool later = false;
    for (const Unit& unit : units_) {
      if (&unit == &reader || !writes_pair(unit, pair)) continue;
      if (unit.operation->invoke_at < reader.operation->complete_at) return std::nullopt;
      later = true;
    }
    if (later) return "future-read";
    for (const Operation& operation : history_.operations()) {
      if (operation.failed() && may_have_written(operation, pair)) return "aborted-read";
    }
    for (const Unit& unit : units_) {
      const Value* value = find_key(unit.writes, pair.key);
      if (unit.aborted && value != nullptr && *value == pair.value) return "aborted-read";
    }
    return "phantom-read";
  }

  bool may_have_written(const Operation& operation, const KeyValue& pair) const {
    if (operation.function == Function::kSet) {
      return history_.key_name(operation.key) == keys_.name(pair.key) &&
             canonical(operation.argument) == pair.value;
    }
    if (operation.function != Function::kExec) return false;
    return std::ranges::any_of(operation.argument.items(), [&](const Value& command) {
      const std::span<const Value> words = command.items();
      return words[0].as_text() == "set" && words[1].as_text() == keys_.name(pair.key) &&
             canonical(words[2]) == pair.value;
    });
  }

  // A write of a watched key that is not certainly before the watch or after the exec.
  bool has_cause(const Unit& aborted) const {
    for (const Unit& unit : units_) {
      if (&unit == &aborted || unit.aborted) continue;
      for (const Unit::Watched& watched : aborted.watched) {
        const Operation& watch = *aborted.watches[watched.since];
        if (unit.writes_key(watched.key) && !unit.operation->precedes(watch) &&
            !aborted.operation->precedes(*unit.operation)) {
          return true;
        }
      }
    }
    return false;
  }

  // Two that exclude each other by what they watched.
  bool name_pair(Verdict& verdict) const {
    for (const Unit* a : guilty_) {
      for (const Unit* b : guilty_) {
        if (a == b || !a->commits() || !b->commits()) continue;
        if (a < b && name_lost_update(*a, *b, verdict)) return true;
      }
    }
    for (const Unit* a : guilty_) {
      for (const Unit* b : guilty_) {
        if (a != b && a->commits() && b->commits() && name_lost_watch(*a, *b, verdict)) {
          return true;
        }
      }
    }
    return false;
  }

  bool name_lost_update(const Unit& a, const Unit& b, Verdict& verdict) const {
    for (const KeyValue& pair : base_versions(a)) {
      const std::vector<KeyValue> other = base_versions(b);
      const Value* seen = find_key(other, pair.key);
      if (seen == nullptr || *seen != pair.value) continue;
      if (!a.writes_key(pair.key) || !b.writes_key(pair.key)) continue;
      verdict.anomaly = "lost-update";
      verdict.explanation.push_back(fmt::format("{} and {} both read {} = {} and both replaced it",
                                                a.operation->id, b.operation->id,
                                                keys_.name(pair.key), pair.value.json()));
      return true;
    }
    return false;
  }

  bool name_lost_watch(const Unit& exec, const Unit& writer, Verdict& verdict) const {
    for (const Unit::Watched& watched : exec.watched) {
      const Operation& watch = *exec.watches[watched.since];
      if (!writer.writes_key(watched.key) || !watch.precedes(*writer.operation) ||
          !writer.operation->precedes(*exec.operation)) {
        continue;
      }
      verdict.anomaly = "lost-watch";
      verdict.explanation.push_back(
          fmt::format("{} went through although {} wrote {} after its watch {}", exec.operation->id,
                      writer.operation->id, keys_.name(watched.key), watch.id));
      return true;
    }
    return false;
  }

  // The shortest cycle, with the fewest anti-dependencies among equals.
  void name_cycle(Verdict& verdict) const {
    std::vector<const Edge*> best;
    for (size_t start = 0; start < nodes_.size(); start++) {
      std::vector<const Edge*> cycle = shortest_cycle(start);
      if (!cycle.empty() && (best.empty() || cycle.size() < best.size())) best = cycle;
    }
    if (best.empty()) {
      verdict.anomaly = "not-serializable";
      return;
    }
    size_t anti = 0;
    bool real_time = false;
    bool read = false;
    for (const Edge* edge : best) {
      anti += edge->kind == Kind::kReadWrite ? 1 : 0;
      real_time |= edge->kind == Kind::kRealTime;
      read |= edge->kind == Kind::kWriteRead;
      verdict.explanation.push_back(sentence(*edge));
    }
    // A single read that missed what had been written before it: the commonest by far.
    if (anti == 1 && real_time && best.size() == 2) {
      const Edge* missed = best[0]->kind == Kind::kReadWrite ? best[0] : best[1];
      const bool plain = nodes_[missed->from].unit->writes.empty();
      verdict.anomaly = plain ? "stale-read" : "G-single-realtime";
      return;
    }
    verdict.anomaly = anti == 0 ? (read ? "G1c" : "G0") : anti == 1 ? "G-single" : "G2-item";
    if (real_time) verdict.anomaly += "-realtime";
  }

  std::vector<const Edge*> shortest_cycle(size_t start) const {
    std::vector<const Edge*> reached_by(nodes_.size(), nullptr);
    std::vector<size_t> queue = {start};
    for (size_t head = 0; head < queue.size(); head++) {
      for (const Edge& edge : edges_) {
        if (edge.from != queue[head]) continue;
        if (edge.to == start) {
          std::vector<const Edge*> cycle = {&edge};
          for (size_t at = queue[head]; at != start; at = reached_by[at]->from) {
            cycle.push_back(reached_by[at]);
          }
          std::ranges::reverse(cycle);
          return cycle;
        }
        if (reached_by[edge.to] != nullptr) continue;
        reached_by[edge.to] = &edge;
        queue.push_back(edge.to);
      }
    }
    return {};
  }

  void fill_sub_history(Verdict& verdict) const {
    std::vector<const Operation*> chosen;
    for (const Node& node : nodes_) {
      chosen.push_back(node.unit->operation);
      chosen.insert(chosen.end(), node.unit->watches.begin(), node.unit->watches.end());
    }
    std::ranges::sort(chosen, {}, &Operation::invoke_at);
    for (const Operation* operation : chosen) verdict.sub_history.push_back(operation->id);
  }

  const History& history_;
  const KeyTable& keys_;
  std::span<const Unit> units_;
  std::span<const Unit* const> guilty_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
};

}  // namespace

Verdict describe_conflict(const History& history, const KeyTable& keys, std::span<const Unit> units,
                          std::span<const Unit* const> guilty) {
  return Conflict(history, keys, units, guilty).run();
}

}  // namespace seatrial::checkers
