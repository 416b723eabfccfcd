#include "checkers/list_append.h"

#include "base/check.h"
#include "checkers/graph/clock.h"
#include "checkers/graph/cycles.h"
#include "checkers/graph/report.h"
#include "checkers/models/append_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace seatrial::checkers {
namespace {

using Element = AppendHistory::Element;
using Key = AppendHistory::Key;
using Read = AppendHistory::Read;

// A place in a list that an answer counts and nobody saw.
struct Gap {
  uint32_t key;
  uint32_t position;
  std::vector<uint32_t> candidates;  // Elements.
};

// The places given to elements in gaps.
using Assignment = std::unordered_map<uint32_t, uint32_t>;

// Makes the graph of a history, given who stands in its gaps.
class GraphMaker {
 public:
  GraphMaker(const AppendHistory& history, const Assignment& assigned, bool gaps_are_open)
      : history_(history),
        assigned_(assigned),
        gaps_are_open_(gaps_are_open),
        certain_(history.certain()),
        graph_(static_cast<uint32_t>(history.certain().size())) {
    for (const auto& [element, position] : assigned) {
      certain_[history.elements()[element].txn] = true;
    }
  }

  DependencyGraph make() && {
    group_reads();
    for (uint32_t key = 0; key < history_.keys().size(); key++) add_key(key);
    add_client_order(history_.history(), certain_, graph_);
    graph_.pack();
    return std::move(graph_);
  }

 private:
  void group_reads() {
    starts_.assign(history_.keys().size() + 1, 0);
    for (const Read& read : history_.reads()) starts_[read.key + 1]++;
    for (size_t key = 1; key < starts_.size(); key++) starts_[key] += starts_[key - 1];
    by_key_.resize(history_.reads().size());
    std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
    for (uint32_t i = 0; i < by_key_.size(); i++) by_key_[next[history_.reads()[i].key]++] = i;
  }

  std::span<const uint32_t> reads_of(uint32_t key) const {
    return std::span(by_key_).subspan(starts_[key], starts_[key + 1] - starts_[key]);
  }

  uint32_t txn_of(uint32_t element) const { return history_.elements()[element].txn; }

  // The writer at a position of the order at hand; kNoElement where none is known to have been.
  uint32_t writer_at(size_t position) const {
    const uint32_t element = order_[position];
    if (element == kNoElement || !certain_[txn_of(element)]) return kNoElement;
    return txn_of(element);
  }

  void add_key(uint32_t key) {
    const Key& list = history_.keys()[key];
    order_ = list.order;
    loose_.clear();
    for (uint32_t element : list.elements) {
      if (history_.elements()[element].position != 0) continue;
      if (const auto place = assigned_.find(element); place != assigned_.end()) {
        order_[place->second] = element;
      } else if (certain_[txn_of(element)]) {
        loose_.push_back(element);
      }
    }
    const bool has_gap =
        std::ranges::any_of(std::span(order_).subspan(list.longest.size() + 1),
                            [](uint32_t element) { return element == kNoElement; });
    // What is loose may stand in a gap while that is open.
    if (has_gap && gaps_are_open_) loose_.clear();
    if (!loose_.empty()) extend(key);
    add_writes(key);
    add_reads(key);
    add_loose(key);
  }

  // Loose elements whose place is known after all: what the last writer appended then, and what a
  // transaction appended that had read all before.
  void extend(uint32_t key) {
    take_loose_of(writer_at(order_.size() - 1));
    const size_t end = order_.size() - 1;
    for (uint32_t index : reads_of(key)) {
      const Read& read = history_.reads()[index];
      if (!read.sound || !read.updated || read.list.size() != end) continue;
      take_loose_of(read.txn);
      if (order_.size() - 1 != end) break;
    }
  }

  void take_loose_of(uint32_t txn) {
    if (txn == kNoElement) return;
    std::erase_if(loose_, [&](uint32_t element) {
      if (txn_of(element) != txn) return false;
      order_.push_back(element);
      return true;
    });
  }

  void add_writes(uint32_t key) {
    uint32_t before = 0;
    for (uint32_t position = 1; position < order_.size(); position++) {
      const uint32_t writer = writer_at(position);
      if (writer == kNoElement) continue;
      if (before != 0) {
        graph_.add({.from = writer_at(before),
                    .to = writer,
                    .key = key,
                    .version = before,
                    .kind = Dependency::kWriteWrite});
      }
      before = position;
    }
    last_ = before;
  }

  // For each length read, its writer and the next one.
  void add_reads(uint32_t key) {
    if (reads_of(key).empty()) return;
    next_.assign(order_.size() + 1, kNoElement);
    for (size_t position = order_.size() - 1; position > 0; position--) {
      next_[position] =
          writer_at(position) == kNoElement ? next_[position + 1] : static_cast<uint32_t>(position);
    }
    for (uint32_t index : reads_of(key)) {
      const Read& read = history_.reads()[index];
      if (!read.sound) continue;
      const auto length = static_cast<uint32_t>(read.list.size());
      uint32_t written = length;
      while (written > 0 && writer_at(written) == kNoElement) written--;
      if (written > 0) {
        graph_.add({.from = writer_at(written),
                    .to = read.txn,
                    .key = key,
                    .version = length,
                    .kind = Dependency::kWriteRead});
      }
      const uint32_t next = next_[length + 1];
      if (next == kNoElement) continue;
      graph_.add({.from = read.txn,
                  .to = writer_at(next),
                  .key = key,
                  .version = length,
                  .kind = Dependency::kReadWrite});
    }
  }

  // All loose elements come after the last one that has a place, and after who read that far.
  void add_loose(uint32_t key) {
    if (loose_.empty()) return;
    const uint32_t behind = graph_.add_node();
    const size_t end = order_.size() - 1;
    if (last_ != 0 && last_ == end) {
      graph_.add({.from = writer_at(last_),
                  .to = behind,
                  .key = key,
                  .version = last_,
                  .kind = Dependency::kWriteWrite});
    }
    for (uint32_t index : reads_of(key)) {
      const Read& read = history_.reads()[index];
      const auto length = static_cast<uint32_t>(read.list.size());
      if (!read.sound || length < end) continue;
      graph_.add({.from = read.txn,
                  .to = behind,
                  .key = key,
                  .version = length,
                  .kind = Dependency::kReadWrite});
    }
    uint32_t before = kNoElement;
    for (uint32_t element : loose_) {
      if (txn_of(element) != before) graph_.add({.from = behind, .to = txn_of(element)});
      before = txn_of(element);
    }
  }

  const AppendHistory& history_;
  const Assignment& assigned_;
  bool gaps_are_open_;
  std::vector<bool> certain_;
  DependencyGraph graph_;
  std::vector<uint32_t> starts_;
  std::vector<uint32_t> by_key_;
  // Of the key at hand.
  std::vector<uint32_t> order_;
  std::vector<uint32_t> loose_;
  std::vector<uint32_t> next_;  // The first position from here on with a known writer.
  uint32_t last_ = 0;           // The last position with a known writer; 0: none.
};

class Checker {
 public:
  Checker(const History& history, const Options& options) : options_(options), history_(history) {}

  Verdict run() {
    if (!history_.unusable().empty()) return undecided(history_.unusable());
    const std::vector<Gap> gaps = find_gaps();
    const bool hopeless =
        std::ranges::any_of(gaps, [](const Gap& gap) { return gap.candidates.empty(); });
    if (hopeless) blame_gap(gaps);
    const CycleReport certain = judge({}, true);
    const bool consistent = findings_.empty() && history_.findings().empty();
    if (!certain.acyclic || !consistent) return violation(certain);
    if (gaps.empty()) return sound();
    return fill(gaps);
  }

 private:
  CycleReport judge(const Assignment& assigned, bool gaps_are_open) {
    const DependencyGraph graph = GraphMaker(history_, assigned, gaps_are_open).make();
    graphs_++;
    return find_cycles(graph, options_.explain ? kCycleSteps : 1);
  }

  std::vector<Gap> find_gaps() const {
    std::vector<Gap> gaps;
    for (uint32_t key = 0; key < history_.keys().size(); key++) {
      const Key& list = history_.keys()[key];
      for (auto position = static_cast<uint32_t>(list.longest.size()) + 1;
           position < list.order.size(); position++) {
        if (list.order[position] != kNoElement) continue;
        Gap& gap = gaps.emplace_back(Gap{key, position, {}});
        for (uint32_t element : list.elements) {
          if (may_fill(element)) gap.candidates.push_back(element);
        }
      }
    }
    return gaps;
  }

  bool may_fill(uint32_t index) const {
    const Element& element = history_.elements()[index];
    return element.position == 0 && element.told == 0 && !history_.aborted(element.txn);
  }

  void blame_gap(std::span<const Gap> gaps) {
    for (const Gap& gap : gaps) {
      if (!gap.candidates.empty()) continue;
      const Key& list = history_.keys()[gap.key];
      uint32_t next = gap.position;
      while (list.order[next] == kNoElement) next++;
      const Element& element = history_.elements()[list.order[next]];
      const OperationId id = history_.operation(element.txn).id;
      findings_.add({"garbage",
                     {&history_.operation(element.txn)},
                     {{fmt::format("{} was told that {} is element {} of {}, but nobody appended "
                                   "element {}",
                                   id, element.value->json(), next, list.name, gap.position),
                       {id}}},
                     {}});
    }
  }

  // Tries who stands in the gaps until one choice has no cycle.
  Verdict fill(const std::vector<Gap>& gaps) {
    // A choice costs as much as the whole history.
    const size_t size = history_.history().operations().size();
    choices_left_ = std::max<uint64_t>(options_.budget.nodes_max / (size + 1), 8);
    Assignment assigned;
    CycleReport first;
    if (try_gaps(gaps, 0, assigned, first)) return sound();
    if (choices_left_ == 0) {
      return undecided(
          fmt::format("{} elements were counted but never seen, and too many "
                      "transactions of unknown outcome may have appended them",
                      gaps.size()));
    }
    if (first.cycles.empty()) {
      blame_places(gaps.front());
      return violation(first);
    }
    Verdict verdict = violation(first);
    verdict.explanation.push_back(
        {"whichever transactions of unknown outcome appended the elements that were counted but "
         "never seen, there is a cycle; this is one of them"});
    return verdict;
  }

  bool try_gaps(const std::vector<Gap>& gaps, size_t number, Assignment& assigned,
                CycleReport& first) {
    if (number == gaps.size()) {
      choices_left_--;
      CycleReport report = judge(assigned, false);
      if (!report.acyclic && first.acyclic) first = report;
      return report.acyclic;
    }
    const Gap& gap = gaps[number];
    for (uint32_t element : gap.candidates) {
      if (choices_left_ == 0) return false;
      if (assigned.contains(element) || !fits(gap, element, assigned)) continue;
      assigned.emplace(element, gap.position);
      if (try_gaps(gaps, number + 1, assigned, first)) return true;
      assigned.erase(element);
    }
    return false;
  }

  // One transaction's elements stand side by side in the order of its commands.
  bool fits(const Gap& gap, uint32_t element, const Assignment& assigned) const {
    const std::span<const Element> elements = history_.elements();
    const Element& candidate = elements[element];
    std::optional<uint32_t> before;  // Of the element before it.
    for (uint32_t other : history_.keys()[gap.key].elements) {
      if (other >= element) break;
      if (elements[other].txn != candidate.txn) continue;
      const auto place = assigned.find(other);
      before = place == assigned.end() ? elements[other].position : place->second;
    }
    if (before && *before + 1 != gap.position) return false;
    // Whoever knew the next place had not answered before this one was invoked.
    const std::vector<uint32_t>& order = history_.keys()[gap.key].order;
    uint32_t next = gap.position;
    while (order[next] == kNoElement) next++;
    return !history_.operation(elements[order[next]].txn)
                .precedes(history_.operation(candidate.txn));
  }

  void blame_places(const Gap& gap) {
    findings_.add({"garbage",
                   {},
                   {{fmt::format("no choice of transactions of unknown outcome fills element {} of "
                                 "{} and all others that were counted but never seen",
                                 gap.position, history_.keys()[gap.key].name)}},
                   {}});
  }

  Verdict sound() const {
    Verdict verdict;
    verdict.checker = kChecker;
    verdict.level = to_string(Isolation::kStrictSerializable);
    verdict.summary = fmt::format("{} transactions on {} lists are strictly serializable",
                                  history_.history().operations().size(), history_.keys().size());
    verdict.nodes = graphs_;
    return verdict;
  }

  Verdict undecided(std::string_view why) const {
    Verdict verdict;
    verdict.checker = kChecker;
    verdict.outcome = Outcome::kUndecided;
    verdict.summary = fmt::format("undecided: {}", why);
    verdict.nodes = graphs_;
    return verdict;
  }

  Verdict violation(const CycleReport& cycles) const {
    Findings all = history_.findings();
    for (const Anomaly& anomaly : findings_.all()) all.add(anomaly);
    Verdict verdict = report_anomalies(history_.history(), all, cycles,
                                       [this](const Edge& edge) { return tell(edge); });
    verdict.nodes = graphs_;
    return verdict;
  }

  // What `txn` appended to the key behind position `after`.
  const Element* appended_by(uint32_t txn, uint32_t key, uint32_t after) const {
    for (uint32_t index : history_.keys()[key].elements) {
      const Element& element = history_.elements()[index];
      if (element.txn == txn && (element.position == 0 || element.position > after)) {
        return &element;
      }
    }
    return nullptr;
  }

  Sentence tell(const Edge& edge) const {
    if (auto sentence = tell_client_order(history_.history(), edge)) return *std::move(sentence);
    const OperationId from = history_.operation(edge.from).id;
    const OperationId to = history_.operation(edge.to).id;
    return because({from, to, edge.kind, why(edge, from, to)});
  }

  std::string why(const Edge& edge, OperationId from, OperationId to) const {
    const std::string_view list = history_.keys()[edge.key].name;
    const Element* later = appended_by(edge.to, edge.key, edge.version);
    const std::string what = later == nullptr ? "an element" : later->value->json();
    switch (edge.kind) {
      case Dependency::kWriteWrite:
        return fmt::format("{} appended element {} of {}, and {} appended {} behind it", from,
                           edge.version, list, to, what);
      case Dependency::kWriteRead:
        return fmt::format("{} read {} with {} elements, the last of which {} appended", to, list,
                           edge.version, from);
      case Dependency::kReadWrite:
        return fmt::format("{} read {} with {} elements and did not see {}, which {} appended",
                           from, list, edge.version, what, to);
      default: UNREACHABLE("an edge along a chain in a cycle");
    }
  }

  static constexpr std::string_view kChecker = "strict-serializability";
  static constexpr uint64_t kCycleSteps = 1'000'000;  // For each name.

  const Options& options_;
  AppendHistory history_;
  Findings findings_;  // Beside the history's own.
  uint64_t choices_left_ = 0;
  uint64_t graphs_ = 0;
};

}  // namespace

Verdict check_list_append(const History& history, const Options& options) {
  return Checker(history, options).run();
}

}  // namespace seatrial::checkers
