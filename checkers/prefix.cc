#include "checkers/prefix.h"

#include "base/check.h"
#include "checkers/models/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace seatrial::checkers {
namespace {

struct Slot {
  Value value;     // Nil: nothing is there.
  Value deadline;  // Nil: none.
  friend bool operator==(const Slot&, const Slot&) = default;
};

// What a row of writes makes, and what each is to be answered.
class Store {
 public:
  Slot get(std::string_view key) const {
    const auto found = slots_.find(key);
    return found == slots_.end() ? Slot{} : found->second;
  }

  // The answer; nil where the command cannot be carried out.
  Value apply(std::span<const Value> words) {
    const std::string_view name = words[0].as_text();
    const std::string_view key = words[1].as_text();
    if (name == "set") {
      slots_[key] = {words[2], words.size() > 3 ? words[3] : Value()};
      return Value::text("OK");
    }
    if (name == "incr") return increment(key);
    const auto found = slots_.find(key);
    if (found == slots_.end()) return Value::integer(0);
    if (name == "del") {
      slots_.erase(found);
    } else if (name == "expireat") {
      found->second.deadline = words[2];
    } else {
      CHECK(name == "persist");
      if (found->second.deadline.is_nil()) return Value::integer(0);
      found->second.deadline = Value();
    }
    return Value::integer(1);
  }

 private:
  Value increment(std::string_view key) {
    Slot& slot = slots_[key];
    if (slot.value.is_text()) return {};
    const int64_t number = slot.value.is_nil() ? 0 : slot.value.as_integer();
    slot.value = Value::integer(number + 1);
    return slot.value;
  }

  std::map<std::string_view, Slot> slots_;
};

class Judge {
 public:
  explicit Judge(const History& history) : history_(history), lineage_(history) {}

  Verdict run() {
    lineage_.trace();
    if (!lineage_.finding()) judge_states();
    Verdict verdict;
    verdict.checker = "prefix";
    verdict.nodes = history_.operations().size();
    const auto& found = lineage_.finding() ? lineage_.finding() : finding_;
    if (!found) {
      verdict.summary = fmt::format("{} operations over {} lives of the server: always a prefix",
                                    history_.operations().size(), lineage_.lives().size());
      return verdict;
    }
    verdict.outcome = Outcome::kViolation;
    verdict.anomaly = found->anomaly;
    verdict.summary = found->summary;
    verdict.operations = found->operations;
    verdict.sub_history = found->operations;
    for (const OperationId id : found->operations) {
      verdict.explanation.push_back(quote(history_, *history_.find(id)));
    }
    return verdict;
  }

 private:
  void find(std::string_view anomaly, std::string summary, std::vector<OperationId> operations) {
    if (!finding_) finding_ = {anomaly, std::move(summary), std::move(operations)};
  }

  // Each life's order is folded once; views and answers are compared on the way.
  void judge_states() {
    for (const PrefixLife& life : lineage_.lives()) {
      std::multimap<size_t, const Operation*> views;
      for (const Operation* view : life.views) {
        views.emplace(view->result.find("order")->items().size(), view);
      }
      Store store;
      size_t place = 0;
      for (const auto& [at, view] : views) {
        for (; place < at; ++place) apply(*life.order[place], store);
        compare(*view, store, life);
        if (finding_) return;
      }
      // Answers that no view followed; behind a place that nobody shows they may be anything.
      for (; place < life.order.size() && life.order[place] != nullptr; ++place) {
        apply(*life.order[place], store);
      }
    }
  }

  void apply(const Operation& write, Store& store) {
    const std::span<const Value> commands = write.argument.items();
    for (size_t i = 0; i < commands.size(); i++) {
      const Value answer = store.apply(commands[i].items());
      if (!write.ok() || write.result.items()[i + 1] == answer) continue;
      find("wrong-answer",
           fmt::format("{} of write {} was answered {}, after the writes before it that is {}",
                       commands[i].json(), write.id, write.result.items()[i + 1].json(),
                       answer.json()),
           {write.id});
    }
  }

  void compare(const Operation& view, const Store& store, const PrefixLife& life) {
    const std::span<const Value> keys = view.argument.items();
    const std::span<const Value> slots = view.result.find("keys")->items();
    for (size_t i = 0; i < keys.size() && !finding_; i++) {
      const Slot seen{slots[i].items()[0], slots[i].items()[1]};
      const Slot expected = store.get(keys[i].as_text());
      if (!(seen == expected)) differ(view, keys[i].as_text(), seen, expected, life);
    }
  }

  void differ(const Operation& view, std::string_view key, const Slot& seen, const Slot& expected,
              const PrefixLife& life) {
    const size_t place = view.result.find("order")->items().size();
    std::vector<OperationId> operations;
    if (const Operation* last = last_writer(key, life, place)) operations.push_back(last->id);
    std::string_view anomaly = "mixed-state";
    std::string whose;
    if (seen.value == expected.value) {
      anomaly = "wrong-deadline";
    } else if (seen.value.is_nil()) {
      anomaly = "lost-key";
    } else if (expected.value.is_nil()) {
      anomaly = "resurrected-key";
    } else if (const Operation* writer = find_writer(key, seen.value)) {
      whose = fmt::format(", which is of write {}", writer->id);
      operations.push_back(writer->id);
    }
    operations.push_back(view.id);
    find(anomaly,
         fmt::format("view {} found {} (deadline {}) in {}{}; its {} writes make that {} "
                     "(deadline {})",
                     view.id, seen.value.json(), seen.deadline.json(), key, whose, place,
                     expected.value.json(), expected.deadline.json()),
         std::move(operations));
  }

  static bool names(const Operation& write, std::string_view key) {
    return std::ranges::any_of(write.argument.items(), [&](const Value& command) {
      return command.items()[1].as_text() == key;
    });
  }

  static const Operation* last_writer(std::string_view key, const PrefixLife& life, size_t place) {
    for (size_t i = place; i > 0; i--) {
      if (names(*life.order[i - 1], key)) return life.order[i - 1];
    }
    return nullptr;
  }

  const Operation* find_writer(std::string_view key, const Value& value) const {
    for (const Operation& operation : history_.operations()) {
      if (operation.function != Function::kWrite) continue;
      for (const Value& command : operation.argument.items()) {
        const std::span<const Value> words = command.items();
        const bool sets = words[0].as_text() == "set" && words[1].as_text() == key;
        if (sets && words[2] == value) return &operation;
      }
    }
    return nullptr;
  }

  const History& history_;
  Lineage lineage_;
  std::optional<PrefixFinding> finding_;
};

}  // namespace

Verdict check_prefix(const History& history, const Options&) { return Judge(history).run(); }

}  // namespace seatrial::checkers
