#include "checkers/models/append_history.h"

#include "base/check.h"
#include "base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <tuple>

namespace seatrial::checkers {
namespace {

bool is_scalar(const Value& value) { return value.is_integer() || value.is_text(); }

}  // namespace

AppendHistory::AppendHistory(const History& history) : history_(history) {
  const auto count = static_cast<uint32_t>(history.operations().size());
  certain_.resize(count, false);
  for (uint32_t txn = 0; txn < count; txn++) take(txn);
  index_elements();
  if (!unusable_.empty()) return;
  order_reads();
  for (uint32_t key = 0; key < keys_.size(); key++) place_read_elements(key);
  for (uint32_t key = 0; key < keys_.size(); key++) place_told_elements(key);
  find_disorder();
  find_intermediate_reads();
  find_lost_updates();
}

bool AppendHistory::aborted(uint32_t txn) const {
  const Operation& op = operation(txn);
  return op.failed() || (op.ok() && op.result.is_nil());
}

void AppendHistory::found(std::string_view name, std::vector<uint32_t> txns, std::string text) {
  Anomaly anomaly{std::string(name), {}, {{std::move(text)}}, {}};
  std::vector<OperationId>& told = anomaly.explanation.front().operations;
  for (uint32_t txn : txns) {
    anomaly.operations.push_back(&operation(txn));
    if (std::ranges::find(told, operation(txn).id) == told.end()) told.push_back(operation(txn).id);
  }
  findings_.add(std::move(anomaly));
}

uint32_t AppendHistory::intern(std::string_view name) {
  const auto [entry, is_new] = key_ids_.try_emplace(name, static_cast<uint32_t>(keys_.size()));
  if (is_new) keys_.emplace_back().name = name;
  return entry->second;
}

AppendHistory::Local& AppendHistory::local_of(uint32_t key) {
  for (size_t i = 0; i < locals_used_; i++) {
    if (locals_[i].key == key) return locals_[i];
  }
  if (locals_used_ == locals_.size()) locals_.emplace_back();
  Local& local = locals_[locals_used_++];
  local.key = key;
  local.base.reset();
  local.found = nullptr;
  local.read = kNoElement;
  local.own.clear();
  return local;
}

// One transaction's commands, in order. What its own commands rule out is found here.
void AppendHistory::take(uint32_t txn) {
  const Operation& op = operation(txn);
  locals_used_ = 0;
  std::span<const Value> answers;
  if (op.ok() && !op.result.is_nil()) {
    answers = op.result.items();
    certain_[txn] = true;
  }
  const std::span<const Value> commands = op.argument.items();
  for (size_t i = 0; i < commands.size(); i++) {
    const std::span<const Value> words = commands[i].items();
    Local& local = local_of(intern(words[1].as_text()));
    const Value* answer = i < answers.size() ? &answers[i] : nullptr;
    if (words[0].as_text() == "rpush") {
      append(txn, local, words[2], answer);
    } else if (answer != nullptr) {
      read(txn, local, *answer);
    }
  }
}

void AppendHistory::append(uint32_t txn, Local& local, const Value& value, const Value* answer) {
  Element element{.txn = txn, .key = local.key, .value = &value};
  if (answer != nullptr && answer->is_integer() && answer->as_integer() > 0 &&
      answer->as_integer() < int64_t{1} << 28) {
    element.told = static_cast<uint32_t>(answer->as_integer());
    const auto own = static_cast<uint32_t>(local.own.size());
    if (!local.base && element.told > own) local.base = element.told - own - 1;
    if (local.base != element.told - own - 1) {
      found("internal", {txn},
            fmt::format("{} was told that {} is element {} of {}, but by its other answers it is "
                        "element {}",
                        operation(txn).id, value.json(), element.told, keys_[local.key].name,
                        local.base.value_or(0) + own + 1));
      element.told = 0;
    }
  } else if (answer != nullptr && !answer->is_nil() && *answer != Value::text("OK")) {
    found("internal", {txn},
          fmt::format("{} appended {} to {} and was answered {}, which is no length",
                      operation(txn).id, value.json(), keys_[local.key].name, answer->json()));
  }
  if (!local.own.empty()) elements_[local.own.back()].final = false;
  if (local.read != kNoElement) reads_[local.read].updated = true;
  const auto index = static_cast<uint32_t>(elements_.size());
  local.own.push_back(index);
  keys_[local.key].elements.push_back(index);
  elements_.push_back(element);
}

void AppendHistory::read(uint32_t txn, Local& local, const Value& answer) {
  const std::string_view name = keys_[local.key].name;
  const auto contradicts = [&](std::string_view what) {
    found("internal", {txn},
          fmt::format("{} read {} = {}, which {}", operation(txn).id, name, answer.json(), what));
  };
  if (!answer.is_list() || !std::ranges::all_of(answer.items(), is_scalar)) {
    return contradicts("is no list of elements");
  }
  const std::span<const Value> list = answer.items();
  const auto own = static_cast<uint32_t>(local.own.size());
  if (list.size() < own) return contradicts("lacks what it had appended itself");
  const auto base = static_cast<uint32_t>(list.size()) - own;
  for (uint32_t i = 0; i < own; i++) {
    if (list[base + i] == *elements_[local.own[i]].value) continue;
    return contradicts("does not end with what it had appended itself");
  }
  if (local.base && *local.base != base) {
    return contradicts(
        fmt::format("by its other answers should have {} elements", *local.base + own));
  }
  if (local.found != nullptr) {
    const std::span<const Value> before = local.found->items();
    if (!std::ranges::equal(before, list.first(std::min(before.size(), list.size())))) {
      return contradicts("is not what it had read before");
    }
  }
  local.base = base;
  if (own > 0) {
    own_reads_.push_back({txn, local.key, list});
  } else if (local.found == nullptr) {
    local.read = static_cast<uint32_t>(reads_.size());
    reads_.push_back({txn, local.key, list, false, true});
  }
  local.found = &answer;
}

size_t AppendHistory::slot_of(uint32_t key, const Value& value) const {
  const size_t mask = table_.size() - 1;
  for (size_t i = base::mix64(value.hash() ^ (uint64_t{key} << 32)) & mask;; i = (i + 1) & mask) {
    if (table_[i] == kNoElement) return i;
    const Element& element = elements_[table_[i]];
    if (element.key == key && *element.value == value) return i;
  }
}

uint32_t AppendHistory::find_element(uint32_t key, const Value& value) const {
  return table_[slot_of(key, value)];
}

void AppendHistory::index_elements() {
  table_.assign(std::bit_ceil(elements_.size() * 2 + 2), kNoElement);
  for (uint32_t index = 0; index < elements_.size(); index++) {
    const Element& element = elements_[index];
    uint32_t& slot = table_[slot_of(element.key, *element.value)];
    if (slot != kNoElement) {
      unusable_ = fmt::format(
          "{} was appended to {} by both {} and {}: only unique values tell versions apart",
          element.value->json(), keys_[element.key].name, operation(elements_[slot].txn).id,
          operation(element.txn).id);
      return;
    }
    slot = index;
  }
}

void AppendHistory::order_reads() {
  const auto consider = [&](uint32_t txn, uint32_t key, std::span<const Value> list) {
    if (list.size() <= keys_[key].longest.size()) return;
    keys_[key].longest = list;
    keys_[key].longest_by = txn;
  };
  for (const Read& read : reads_) consider(read.txn, read.key, read.list);
  for (const FullRead& read : own_reads_) consider(read.txn, read.key, read.list);
  for (Read& read : reads_) compare(read.txn, keys_[read.key], read.list, read.sound);
  for (const FullRead& read : own_reads_) {
    bool sound = true;
    compare(read.txn, keys_[read.key], read.list, sound);
  }
}

void AppendHistory::compare(uint32_t txn, Key& key, std::span<const Value> list, bool& sound) {
  if (list.data() == key.longest.data()) return;
  for (size_t i = 0; i < list.size(); i++) {
    if (list[i] == key.longest[i]) continue;
    sound = false;
    found("incompatible-order", {txn, key.longest_by},
          fmt::format("{} read {} as element {} of {}, but {} read {} there", operation(txn).id,
                      list[i].json(), i + 1, key.name, operation(key.longest_by).id,
                      key.longest[i].json()));
    return;
  }
}

void AppendHistory::place_read_elements(uint32_t key) {
  const size_t length = keys_[key].longest.size();
  keys_[key].order.resize(length + 1, kNoElement);
  for (uint32_t position = 1; position <= length; position++) place_read_element(key, position);
}

void AppendHistory::place_read_element(uint32_t key, uint32_t position) {
  Key& list = keys_[key];
  const Value& value = list.longest[position - 1];
  const OperationId reader = operation(list.longest_by).id;
  const uint32_t index = find_element(key, value);
  if (index == kNoElement) {
    return found(
        "garbage", {list.longest_by},
        fmt::format("{} read {} in {}, which nobody appended", reader, value.json(), list.name));
  }
  Element& element = elements_[index];
  if (element.position != 0) {
    return found("duplicate-elements", {list.longest_by, element.txn},
                 fmt::format("{} read {} in {} twice, as element {} and {}, but {} appended it "
                             "once",
                             reader, value.json(), list.name, element.position, position,
                             operation(element.txn).id));
  }
  element.position = position;
  list.order[position] = index;
  if (aborted(element.txn)) {
    found("G1a", {list.longest_by, element.txn},
          fmt::format("{} read {} in {}, which {} appended, but that took no effect", reader,
                      value.json(), list.name, operation(element.txn).id));
    const bool built_upon =
        std::ranges::any_of(list.longest.subspan(position), [&](const Value& later) {
          const uint32_t other = find_element(key, later);
          return other != kNoElement && !aborted(elements_[other].txn);
        });
    if (built_upon) {
      found("dirty-update", {list.longest_by, element.txn},
            fmt::format("others appended to {} behind {}, which {} appended, but that took no "
                        "effect",
                        list.name, value.json(), operation(element.txn).id));
    }
    return;
  }
  certain_[element.txn] = true;
  if (element.told == 0 || element.told == position) return;
  found("incompatible-order", {list.longest_by, element.txn},
        fmt::format("{} was told that {} is element {} of {}, but {} read it as element {}",
                    operation(element.txn).id, value.json(), element.told, list.name, reader,
                    position));
}

// Where nobody read an element, its appender's answer places it.
void AppendHistory::place_told_elements(uint32_t key) {
  Key& list = keys_[key];
  for (uint32_t index : list.elements) {
    Element& element = elements_[index];
    if (element.position != 0 || element.told == 0) continue;
    const auto contradicts = [&](uint32_t other, std::string_view what) {
      found("incompatible-order", {element.txn, other},
            fmt::format("{} was told that {} is element {} of {}, but {} {} there",
                        operation(element.txn).id, element.value->json(), element.told, list.name,
                        operation(other).id, what));
    };
    if (element.told <= list.longest.size()) {
      contradicts(list.longest_by, fmt::format("read {}", list.longest[element.told - 1].json()));
      continue;
    }
    if (element.told > list.elements.size()) {
      found("garbage", {element.txn},
            fmt::format("{} was told that {} is element {} of {}, to which only {} were ever "
                        "appended",
                        operation(element.txn).id, element.value->json(), element.told, list.name,
                        list.elements.size()));
      continue;
    }
    if (list.order.size() <= element.told) list.order.resize(element.told + 1, kNoElement);
    uint32_t& slot = list.order[element.told];
    if (slot != kNoElement) {
      contradicts(elements_[slot].txn,
                  fmt::format("was told that its {} is", elements_[slot].value->json()));
      continue;
    }
    slot = index;
    element.position = element.told;
  }
}

// One transaction's elements stand in the order of its commands. (That nothing stands between them
// is for the cycles to find.)
void AppendHistory::find_disorder() {
  for (const Key& list : keys_) {
    for (size_t i = 1; i < list.elements.size(); i++) {
      const Element& before = elements_[list.elements[i - 1]];
      const Element& element = elements_[list.elements[i]];
      if (before.txn != element.txn || element.position == 0) continue;
      if (before.position != 0 && before.position < element.position) continue;
      found("incompatible-order", {element.txn},
            fmt::format("{} appended {} to {} and then {}, but {} is element {}, and the first one "
                        "does not stand before it",
                        operation(element.txn).id, before.value->json(), list.name,
                        element.value->json(), element.value->json(), element.position));
    }
  }
}

void AppendHistory::find_intermediate_reads() {
  for (const Read& read : reads_) {
    if (!read.sound || read.list.empty()) continue;
    const uint32_t index = keys_[read.key].order[read.list.size()];
    if (index == kNoElement) continue;
    const Element& element = elements_[index];
    if (element.final || element.txn == read.txn || aborted(element.txn)) continue;
    found("G1b", {read.txn, element.txn},
          fmt::format("{} read {} up to {}, but that was not yet all that {} appended to it",
                      operation(read.txn).id, keys_[read.key].name, element.value->json(),
                      operation(element.txn).id));
  }
}

void AppendHistory::find_lost_updates() {
  std::vector<const Read*> updates;
  for (const Read& read : reads_) {
    if (read.updated && read.sound) updates.push_back(&read);
  }
  std::ranges::stable_sort(
      updates, {}, [](const Read* read) { return std::tuple(read->key, read->list.size()); });
  for (size_t i = 1; i < updates.size(); i++) {
    const Read& a = *updates[i - 1];
    const Read& b = *updates[i];
    if (a.key != b.key || a.list.size() != b.list.size()) continue;
    found("lost-update", {a.txn, b.txn},
          fmt::format("{} and {} both found {} elements in {} and both appended to it",
                      operation(a.txn).id, operation(b.txn).id, a.list.size(), keys_[a.key].name));
  }
}

}  // namespace seatrial::checkers
