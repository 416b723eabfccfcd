#include "checkers/graph/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

// From severe to subtle. What implies another stands before it.
constexpr std::array<std::string_view, 23> kSeverity = {"internal",
                                                        "garbage",
                                                        "duplicate-elements",
                                                        "incompatible-order",
                                                        "G1a",
                                                        "dirty-update",
                                                        "G1b",
                                                        "G0",
                                                        "G1c",
                                                        "lost-update",
                                                        "G-single",
                                                        "G-nonadjacent",
                                                        "G2-item",
                                                        "G0-process",
                                                        "G1c-process",
                                                        "G-single-process",
                                                        "G-nonadjacent-process",
                                                        "G2-item-process",
                                                        "G0-realtime",
                                                        "G1c-realtime",
                                                        "G-single-realtime",
                                                        "G-nonadjacent-realtime",
                                                        "G2-item-realtime"};

size_t severity(const Anomaly& anomaly) {
  return static_cast<size_t>(std::ranges::find(kSeverity, anomaly.name) - kSeverity.begin());
}

Anomaly anomaly_of(const History& history, const Cycle& cycle, const TellEdge& tell) {
  Anomaly anomaly{cycle.name, {}, {}, cycle.edges};
  for (const Edge& edge : cycle.edges) {
    anomaly.operations.push_back(&history.operations()[edge.from]);
    anomaly.explanation.push_back(tell(edge));
  }
  return anomaly;
}

// Long lists are cut: whoever wants them has the history.
Sentence quote_shortly(const History& history, const Operation& operation) {
  constexpr size_t kLengthMax = 240;
  Sentence sentence = quote(history, operation);
  std::string& text = sentence.text;
  if (text.size() > kLengthMax) text = text.substr(0, kLengthMax) + "...";
  return sentence;
}

std::string_view colour_of(Dependency kind) {
  switch (kind) {
    case Dependency::kWriteWrite: return "#b03a2e";
    case Dependency::kWriteRead: return "#1f618d";
    case Dependency::kReadWrite: return "#b9770e";
    default: return "#707b7c";
  }
}

// What stands in a quoted string of Graphviz.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// A line for each command with its answer, aligned to the left.
std::string box_of(const Operation& operation) {
  std::string label = fmt::format("{} (process {})\\l", operation.id, operation.process);
  const std::span<const Value> commands = operation.argument.items();
  const bool answered = operation.ok() && operation.result.is_list();
  for (size_t i = 0; i < commands.size(); i++) {
    std::string line;
    for (const Value& word : commands[i].items()) {
      line += line.empty() ? std::string(word.as_text()) : " " + word.json();
    }
    if (answered && i < operation.result.items().size()) {
      line += " -> " + operation.result.items()[i].json();
    }
    constexpr size_t kLineMax = 72;
    if (line.size() > kLineMax)
      line = line.substr(0, kLineMax - 30) + "..." + line.substr(line.size() - 27);
    label += escaped(line) + "\\l";
  }
  return label;
}

}  // namespace

std::optional<Sentence> tell_client_order(const History& history, const Edge& edge) {
  const Operation& from = history.operations()[edge.from];
  const Operation& to = history.operations()[edge.to];
  if (edge.kind == Dependency::kRealTime) {
    return because({from.id, to.id, edge.kind,
                    fmt::format("{} had completed before {} was invoked", from.id, to.id)});
  }
  if (edge.kind != Dependency::kProcess) return std::nullopt;
  return because(
      {from.id, to.id, edge.kind, fmt::format("process {} ran {} first", from.process, from.id)});
}

std::string draw_cycles(const History& history, const std::vector<Anomaly>& anomalies) {
  std::string out = "digraph anomalies {\n  node [shape=box, fontname=\"monospace\"];\n";
  for (size_t number = 0; number < anomalies.size(); number++) {
    const Anomaly& anomaly = anomalies[number];
    if (anomaly.cycle.empty()) continue;
    auto to = std::back_inserter(out);
    fmt::format_to(to, "  subgraph cluster_{} {{\n    label=\"{}\";\n", number, anomaly.name);
    for (const Operation* operation : anomaly.operations) {
      fmt::format_to(to, "    a{}t{} [label=\"{}\"];\n", number, operation->id, box_of(*operation));
    }
    for (const Edge& edge : anomaly.cycle) {
      fmt::format_to(to, "    a{}t{} -> a{}t{} [label=\"{}\", color=\"{}\"];\n", number,
                     history.operations()[edge.from].id, number, history.operations()[edge.to].id,
                     to_string(edge.kind), colour_of(edge.kind));
    }
    out += "  }\n";
  }
  return out + "}\n";
}

Verdict report_anomalies(const History& history, const Findings& findings,
                         const CycleReport& cycles, const TellEdge& tell) {
  std::vector<Anomaly> all = findings.all();
  IsolationSet levels = cycles.levels;
  if (!all.empty()) levels.rule_out(Isolation::kStrictSerializable);
  for (const Anomaly& anomaly : all) levels.rule_out_above(strongest_with(anomaly.name));
  for (const Cycle& cycle : cycles.cycles) all.push_back(anomaly_of(history, cycle, tell));
  std::ranges::stable_sort(all, {}, severity);

  Verdict verdict;
  verdict.outcome = Outcome::kViolation;
  verdict.checker = "strict-serializability";
  verdict.anomaly = all.front().name;
  verdict.level = to_string(levels.strongest());
  std::vector<const Operation*> blamed;
  for (const Anomaly& anomaly : all) {
    verdict.anomalies.push_back(anomaly.name);
    blamed.insert(blamed.end(), anomaly.operations.begin(), anomaly.operations.end());
    for (const Sentence& sentence : anomaly.explanation) {
      verdict.explanation.push_back(sentence);
      verdict.explanation.back().text = fmt::format("{}: {}", anomaly.name, sentence.text);
    }
  }
  std::ranges::sort(blamed, {}, &Operation::invoke_at);
  const auto repeated = std::ranges::unique(blamed);
  blamed.erase(repeated.begin(), repeated.end());
  for (const Operation* operation : blamed) {
    verdict.operations.push_back(operation->id);
    verdict.explanation.push_back(quote_shortly(history, *operation));
  }
  verdict.sub_history = verdict.operations;
  std::vector<OperationId> first;
  for (const Operation* operation : all.front().operations) first.push_back(operation->id);
  verdict.summary = fmt::format(
      "not strict serializable: {} between transactions {}; {} kinds of anomaly ({}); the "
      "strongest level that is not ruled out: {}",
      verdict.anomaly, fmt::join(first, ", "), all.size(), fmt::join(verdict.anomalies, ", "),
      verdict.level);
  verdict.dot = draw_cycles(history, all);
  return verdict;
}

}  // namespace seatrial::checkers
