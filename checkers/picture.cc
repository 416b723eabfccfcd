#include "checkers/picture.h"

#include "base/check.h"
#include "checkers/embedded.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace seatrial::checkers {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLabelMax = 30;
constexpr size_t kDetailMax = 1500;
constexpr size_t kSummaryMax = 600;
constexpr size_t kSentencesMax = 200;

// Of UTF-8, no more than `bytes` of it, cut between characters.
std::string cut(std::string text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) bytes--;
  text.resize(bytes);
  return text + "…";
}

// ---- Which operations are drawn ----

// The keys that an operation asks, those inside a transaction or a watch included.
std::vector<std::string> keys_of(const History& history, const Operation& operation) {
  if (operation.key != kNoKey) return {std::string(history.key_name(operation.key))};
  const Value* list = &operation.argument;
  if (operation.function == Function::kTxn) list = operation.argument.find("ops");
  if (operation.function == Function::kAssign) list = operation.argument.find("keys");
  if (list == nullptr || !list->is_list()) return {};
  std::vector<std::string> keys;
  for (const Value& item : list->items()) {
    const bool command = item.is_list() && item.items().size() > 1 && item.items()[1].is_text();
    const Value& name = command ? item.items()[1] : item;
    if (!name.is_text()) continue;
    std::string key(name.as_text());
    if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
  }
  return keys;
}

struct Chosen {
  std::vector<const Operation*> operations;  // By invocation.
  std::set<OperationId> ids;
};

// The operations that must be seen, then those that are nearest to them, of their keys first.
Chosen choose(const History& history, const std::vector<OperationId>& named, size_t most) {
  std::set<std::string> keys;
  std::vector<const Operation*> must;
  for (OperationId id : named) {
    const Operation* operation = history.find(id);
    if (operation == nullptr) continue;
    must.push_back(operation);
    for (std::string& key : keys_of(history, *operation)) keys.insert(std::move(key));
  }
  std::vector<std::pair<uint32_t, uint32_t>> spans;
  for (const Operation* operation : must) {
    const bool open = operation->complete_at == kNeverAt;
    spans.emplace_back(operation->invoke_at, open ? operation->invoke_at : operation->complete_at);
  }
  std::ranges::sort(spans);
  using Rank = std::tuple<int, bool, uint32_t, uint32_t>;  // Smaller is nearer.
  std::vector<std::pair<Rank, const Operation*>> ranked;
  std::set<OperationId> wanted(named.begin(), named.end());
  for (const Operation& operation : history.operations()) {
    uint32_t distance = 0;
    if (!spans.empty()) {
      const auto after = std::ranges::upper_bound(spans, operation.invoke_at, {},
                                                  &std::pair<uint32_t, uint32_t>::first);
      distance = std::numeric_limits<uint32_t>::max();
      if (after != spans.end()) distance = after->first - operation.invoke_at;
      if (after != spans.begin()) {
        const uint32_t end = std::prev(after)->second;
        distance = std::min(distance, operation.invoke_at - std::min(operation.invoke_at, end));
      }
    }
    const std::vector<std::string> its = keys_of(history, operation);
    const bool elsewhere =
        std::ranges::none_of(its, [&](const std::string& key) { return keys.contains(key); });
    ranked.push_back(
        {{wanted.contains(operation.id) ? 0 : 1, elsewhere, distance, operation.invoke_at},
         &operation});
  }
  if (ranked.size() > most) {
    std::ranges::nth_element(ranked, ranked.begin() + static_cast<ptrdiff_t>(most), {},
                             [](const auto& r) { return r.first; });
    ranked.resize(most);
  }
  Chosen chosen;
  for (const auto& [rank, operation] : ranked) {
    chosen.operations.push_back(operation);
    chosen.ids.insert(operation->id);
  }
  std::ranges::sort(chosen.operations, {}, &Operation::invoke_at);
  return chosen;
}

// ---- What the page is told ----

// A value in few words: the records of a send are "a b", those that a poll found "0:a 1:b".
std::string shortly(const Value& value) {
  if (value.is_nil()) return "nil";
  if (value.is_text()) return cut(std::string(value.as_text()), kLabelMax);
  if (!value.is_object()) return cut(value.json(), kLabelMax);
  const Value* sent = value.find("v");
  const Value* found = value.find("recs");
  const Value* list = sent != nullptr ? sent : found;
  if (list == nullptr || !list->is_list()) {
    return cut(value.items().empty() ? "" : value.json(), kLabelMax);
  }
  std::string words;
  for (const Value& record : list->items()) {
    if (words.size() > kLabelMax || !record.is_list() || record.items().empty()) break;
    words += words.empty() ? "" : " ";
    words += shortly(record.items()[0]);
    if (found == list && record.items().size() > 1) words += ":" + shortly(record.items()[1]);
  }
  return list->items().empty() ? "nothing" : cut(std::move(words), kLabelMax);
}

// The commands of a transaction; nullopt where it is none.
std::optional<std::span<const Value>> commands_of(const Operation& operation) {
  const Value* list = operation.function == Function::kExec  ? &operation.argument
                      : operation.function == Function::kTxn ? operation.argument.find("ops")
                                                             : nullptr;
  if (list == nullptr || !list->is_list()) return std::nullopt;
  return list->items();
}

// "get k1 → 5"
std::string line_of(const Operation& operation, size_t command) {
  std::string line;
  const Value& words = (*commands_of(operation))[command];
  for (const Value& word : words.is_list() ? words.items() : std::span(&words, 1)) {
    const std::string text = shortly(word);
    if (!text.empty()) line += (line.empty() ? "" : " ") + text;
  }
  const bool told = operation.ok() && operation.result.is_list() &&
                    command < operation.result.items().size() &&
                    operation.result.items()[command] != Value::text("OK");
  if (told) line += " → " + shortly(operation.result.items()[command]);
  return cut(std::move(line), 2 * kLabelMax);
}

// A few words for a bar: "set 5", "get → 5", "cas [1,2] → 0".
std::string label_of(const Operation& operation) {
  std::string label;
  if (const auto commands = commands_of(operation)) {
    for (size_t i = 0; i < commands->size() && label.size() < 2 * kLabelMax; i++) {
      label += (i == 0 ? "" : ", ") + line_of(operation, i);
    }
    label = cut(std::move(label), 2 * kLabelMax);
    return operation.ok() && operation.result.is_nil() ? label + " → aborted" : label;
  }
  label = to_string(operation.function);
  if (!operation.argument.is_nil()) label += " " + shortly(operation.argument);
  label = cut(std::move(label), kLabelMax);
  if (operation.ok() && operation.result != Value::text("OK")) {
    label += " → " + shortly(operation.result);
  }
  return cut(std::move(label), 2 * kLabelMax);
}

std::string_view outcome_of(const Operation& operation) {
  if (operation.ok()) return "ok";
  return operation.failed() ? "failed" : "unknown";
}

// The operation that fits nowhere: of those that contradict each other, what came last.
std::optional<OperationId> misfit(const History& history, const Verdict& verdict) {
  const Operation* last = nullptr;
  for (OperationId id : verdict.operations) {
    const Operation* operation = history.find(id);
    if (operation == nullptr || operation->complete_at == kNeverAt) continue;
    if (last == nullptr || operation->complete_at > last->complete_at) last = operation;
  }
  return last == nullptr ? std::nullopt : std::optional(last->id);
}

Json describe_operation(const History& history, const Operation& operation) {
  Json json;
  json["id"] = operation.id;
  json["process"] = operation.process;
  json["label"] = label_of(operation);
  json["text"] = cut(describe(history, operation), kDetailMax);
  json["outcome"] = outcome_of(operation);
  json["from"] = operation.invoke_at;
  json["invoked"] = operation.invoke_time.count();
  if (operation.complete_at != kNeverAt) {
    json["to"] = operation.complete_at;
    json["completed"] = operation.complete_time.count();
  }
  json["keys"] = keys_of(history, operation);
  return json;
}

// A node of the graph: a line for each command of a transaction, else one.
Json describe_node(const History& history, const Operation& operation) {
  Json lines = Json::array();
  const auto commands = commands_of(operation);
  constexpr size_t kLinesMax = 8;
  const size_t shown = commands ? std::min(commands->size(), kLinesMax) : 0;
  for (size_t i = 0; i < shown; i++) lines.push_back(line_of(operation, i));
  if (commands && commands->size() > shown) {
    lines.push_back(fmt::format("and {} more", commands->size() - shown));
  }
  if (commands && operation.ok() && operation.result.is_nil()) lines.push_back("→ aborted");
  if (!commands) {
    for (const std::string& key : keys_of(history, operation)) lines.push_back(cut(key, kLabelMax));
    lines.push_back(label_of(operation));
  }
  return {{"id", operation.id}, {"lines", lines}};
}

// The orders that the sentences tell of, each kind between two operations once.
std::vector<Order> orders_of(const History& history, const Verdict& verdict) {
  std::vector<Order> orders;
  for (const Sentence& sentence : verdict.explanation) {
    if (!sentence.order) continue;
    const Order& order = *sentence.order;
    if (history.find(order.from) == nullptr || history.find(order.to) == nullptr) continue;
    const bool known = std::ranges::any_of(orders, [&](const Order& each) {
      return each.from == order.from && each.to == order.to && each.kind == order.kind;
    });
    if (!known) orders.push_back(order);
  }
  return orders;
}

Json graph_of(const History& history, const std::vector<Order>& orders) {
  Json graph = {{"nodes", Json::array()}, {"edges", Json::array()}};
  std::vector<OperationId> nodes;
  for (const Order& order : orders) {
    for (OperationId id : {order.from, order.to}) {
      if (std::ranges::find(nodes, id) == nodes.end()) nodes.push_back(id);
    }
    graph["edges"].push_back({{"from", order.from},
                              {"to", order.to},
                              {"kind", to_string(order.kind)},
                              {"why", order.why}});
  }
  for (OperationId id : nodes) graph["nodes"].push_back(describe_node(history, *history.find(id)));
  return graph;
}

Json data_of(const History& history, const Verdict& verdict, const PictureOptions& options) {
  const std::vector<Order> orders = orders_of(history, verdict);
  std::vector<OperationId> named = verdict.sub_history;
  named.insert(named.end(), verdict.operations.begin(), verdict.operations.end());
  for (const Order& order : orders) {
    named.push_back(order.from);
    named.push_back(order.to);
  }
  const Chosen chosen = choose(history, named, options.operations_max);
  const auto only_chosen = [&](const std::vector<OperationId>& ids) {
    Json list = Json::array();
    for (OperationId id : ids) {
      if (chosen.ids.contains(id)) list.push_back(id);
    }
    return list;
  };

  Json data;
  data["type"] = history.type();
  data["checker"] = verdict.checker;
  data["outcome"] = to_string(verdict.outcome);
  data["anomaly"] = verdict.anomaly;
  data["summary"] = {{"text", cut(verdict.summary, kSummaryMax)},
                     {"operations", only_chosen(verdict.operations)}};
  data["total"] = history.operations().size();
  data["sentences"] = Json::array();
  for (const Sentence& sentence : verdict.explanation) {
    if (data["sentences"].size() == kSentencesMax) break;
    data["sentences"].push_back({{"text", cut(sentence.text, kDetailMax)},
                                 {"operations", only_chosen(sentence.operations)}});
  }
  data["unsaid"] = verdict.explanation.size() - data["sentences"].size();
  data["operations"] = Json::array();
  for (const Operation* operation : chosen.operations) {
    data["operations"].push_back(describe_operation(history, *operation));
  }
  data["named"] = only_chosen(named);
  // A cycle has no single operation that is to blame.
  if (const auto id = misfit(history, verdict); id && orders.empty()) data["misfit"] = *id;
  data["order"] = only_chosen(verdict.linearized);
  data["crashes"] = Json::array();
  for (const Crash& crash : history.crashes()) {
    const bool of_all = crash.key == kNoKey;
    data["crashes"].push_back({{"at", crash.at},
                               {"time", crash.time.count()},
                               {"key", of_all ? "" : std::string(history.key_name(crash.key))}});
  }
  data["graph"] = graph_of(history, orders);
  return data;
}

std::string with(std::string page, std::string_view place, std::string_view text) {
  const size_t at = page.find(place);
  CHECK_MSG(at != std::string::npos, "{}", place);
  return page.replace(at, place.size(), text);
}

// As text of the page: what has a meaning in HTML loses it.
std::string escaped_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// JSON that may stand inside a script element, whatever its texts hold.
std::string escaped_json(const Json& data) {
  std::string out;
  for (char c : data.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    switch (c) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace

std::string draw_picture(const History& history, const Verdict& verdict,
                         const PictureOptions& options) {
  CHECK(embedded_files().size() == 1);
  std::string page(embedded_files().front().text);
  const std::string title = fmt::format("{} {}: {}", verdict.checker, to_string(verdict.outcome),
                                        verdict.anomaly.empty() ? "-" : verdict.anomaly);
  page = with(std::move(page), "{{title}}", escaped_html(title));
  return with(std::move(page), "{{data}}", escaped_json(data_of(history, verdict, options)));
}

}  // namespace seatrial::checkers
