#include "checkers/read_write.h"

#include "base/check.h"
#include "checkers/graph/clock.h"
#include "checkers/graph/components.h"
#include "checkers/graph/cycles.h"
#include "checkers/graph/report.h"
#include "checkers/models/register_history.h"
#include "checkers/transactions.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

using Version = RegisterHistory::Version;

class GraphMaker {
 public:
  explicit GraphMaker(const RegisterHistory& history)
      : history_(history), graph_(static_cast<uint32_t>(history.certain().size())) {}

  DependencyGraph make() && {
    for (uint32_t i = 0; i < history_.versions().size(); i++) add_version(i);
    add_client_order(history_.history(), history_.certain(), graph_);
    graph_.pack();
    return std::move(graph_);
  }

 private:
  void add(uint32_t from, uint32_t to, uint32_t version, Dependency kind) {
    const uint32_t key = history_.versions()[version].key;
    graph_.add({.from = from, .to = to, .key = key, .version = version, .kind = kind});
  }

  void add_version(uint32_t index) {
    const Version& version = history_.versions()[index];
    const std::optional<uint32_t> writer = history_.writer_of(version);
    if (!version.value.is_nil() && !writer) return;
    // Who replaced it. Two of them are a lost update already.
    uint32_t next = kNoTarget;
    for (uint32_t reader : version.readers) {
      if (writer) add(*writer, reader, index, Dependency::kWriteRead);
      if (!history_.writes(reader, version.key)) continue;
      if (writer) add(*writer, reader, index, Dependency::kWriteWrite);
      if (next == kNoTarget) next = reader;
    }
    if (next != kNoTarget) {
      for (uint32_t reader : version.readers) add(reader, next, index, Dependency::kReadWrite);
    }
    if (version.value.is_nil()) add_absent(index, next);
  }

  // Whoever found no value comes before all that wrote one. `first` is one that did both.
  void add_absent(uint32_t index, uint32_t first) {
    const Version& version = history_.versions()[index];
    if (version.readers.empty()) return;
    const uint32_t all = graph_.add_node();
    for (uint32_t reader : version.readers) {
      if (reader != first && history_.writes(reader, version.key)) continue;
      add(reader, all, index, Dependency::kReadWrite);
    }
    if (first != kNoTarget) add(first, all, index, Dependency::kWriteWrite);
    for (uint32_t writer : history_.keys()[version.key].writers) {
      if (writer != first) graph_.add({.from = all, .to = writer});
    }
  }

  const RegisterHistory& history_;
  DependencyGraph graph_;
};

std::string why(const RegisterHistory& history, const Edge& edge, OperationId from,
                OperationId to) {
  const Version& version = history.versions()[edge.version];
  const std::string what =
      fmt::format("{} = {}", history.keys()[version.key].name, version.value.json());
  switch (edge.kind) {
    case Dependency::kWriteWrite:
      if (version.value.is_nil()) {
        return fmt::format("{} found {} and set it, and {} set it, too", from, what, to);
      }
      return fmt::format("{} set {}, and {} found and replaced that", from, what, to);
    case Dependency::kWriteRead: return fmt::format("{} read {}, which {} set", to, what, from);
    case Dependency::kReadWrite:
      return fmt::format("{} read {}, which {} replaced", from, what, to);
    default: UNREACHABLE("an edge along a chain in a cycle");
  }
}

Sentence tell(const RegisterHistory& history, const Edge& edge) {
  if (auto sentence = tell_client_order(history.history(), edge)) return *std::move(sentence);
  const OperationId from = history.operation(edge.from).id;
  const OperationId to = history.operation(edge.to).id;
  return because({from, to, edge.kind, why(history, edge, from, to)});
}

}  // namespace

Verdict check_read_write(const History& history, const Options& options) {
  const RegisterHistory registers(history);
  const DependencyGraph graph = GraphMaker(registers).make();
  constexpr uint64_t kCycleSteps = 1'000'000;  // For each name.
  const CycleReport cycles = find_cycles(graph, options.explain ? kCycleSteps : 1);
  if (!cycles.acyclic || !registers.findings().empty()) {
    return report_anomalies(history, registers.findings(), cycles,
                            [&](const Edge& edge) { return tell(registers, edge); });
  }
  Verdict verdict = check_transactions(history, options);
  if (verdict.ok()) verdict.level = to_string(Isolation::kStrictSerializable);
  return verdict;
}

}  // namespace seatrial::checkers
