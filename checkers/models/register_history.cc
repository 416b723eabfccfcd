#include "checkers/models/register_history.h"

#include "checkers/models/cell.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {

RegisterHistory::RegisterHistory(const History& history) : history_(history) {
  const auto count = static_cast<uint32_t>(history.operations().size());
  certain_.resize(count, false);
  for (uint32_t txn = 0; txn < count; txn++) take(txn);
  judge_reads();
  for (Key& key : keys_) std::erase_if(key.writers, [&](uint32_t txn) { return !certain_[txn]; });
  find_lost_updates();
}

void RegisterHistory::found(std::string_view name, std::vector<uint32_t> txns, std::string text) {
  Anomaly anomaly{std::string(name), {}, {{std::move(text)}}, {}};
  std::vector<OperationId>& told = anomaly.explanation.front().operations;
  for (uint32_t txn : txns) {
    anomaly.operations.push_back(&operation(txn));
    if (std::ranges::find(told, operation(txn).id) == told.end()) told.push_back(operation(txn).id);
  }
  findings_.add(std::move(anomaly));
}

uint32_t RegisterHistory::intern(std::string_view name) {
  const auto [entry, is_new] = key_ids_.try_emplace(name, static_cast<uint32_t>(keys_.size()));
  if (is_new) keys_.emplace_back().name = name;
  return entry->second;
}

RegisterHistory::Version& RegisterHistory::version(uint32_t key, const Value& value) {
  const auto [entry, is_new] =
      version_ids_.try_emplace(Named{key, value}, static_cast<uint32_t>(versions_.size()));
  if (is_new) {
    Version& made = versions_.emplace_back();
    made.key = key;
    made.value = value;
  }
  return versions_[entry->second];
}

RegisterHistory::Local& RegisterHistory::local_of(uint32_t key) {
  const auto local = std::ranges::find(locals_, key, &Local::key);
  if (local != locals_.end()) return *local;
  return locals_.emplace_back(Local{key, std::nullopt, std::nullopt});
}

// One transaction's commands, in order. What its own commands rule out is found here.
void RegisterHistory::take(uint32_t txn) {
  const Operation& op = operation(txn);
  const bool aborted = op.failed() || (op.ok() && op.result.is_nil());
  locals_.clear();
  std::span<const Value> answers;
  if (op.ok() && !aborted) {
    answers = op.result.items();
    certain_[txn] = true;
  }
  const std::span<const Value> commands = op.argument.items();
  for (size_t i = 0; i < commands.size(); i++) {
    const std::span<const Value> words = commands[i].items();
    const uint32_t key = intern(words[1].as_text());
    if (words[0].as_text() == "set") {
      if (i < answers.size() && answers[i] != Value::text("OK")) {
        found("internal", {txn},
              fmt::format("{} set {} and was answered {}, not \"OK\"", op.id, keys_[key].name,
                          answers[i].json()));
      }
      if (aborted) {
        version(key, canonical(words[2])).failed.push_back(txn);
      } else {
        write(txn, local_of(key), canonical(words[2]));
      }
    } else if (i < answers.size()) {
      read(txn, local_of(key), canonical(answers[i]));
    }
  }
  for (const Local& local : locals_) {
    if (!local.written) continue;
    version(local.key, *local.written).writers.push_back(txn);
    keys_[local.key].writers.push_back(txn);
  }
}

void RegisterHistory::write(uint32_t txn, Local& local, const Value& value) {
  if (local.written && *local.written != value) {
    version(local.key, *local.written).intermediate.push_back(txn);
  }
  local.written = local.known = value;
}

void RegisterHistory::read(uint32_t txn, Local& local, const Value& answer) {
  const bool scalar = answer.is_nil() || answer.is_integer() || answer.is_text();
  if (!scalar || (local.known && *local.known != answer)) {
    return found("internal", {txn},
                 fmt::format("{} read {} = {}, but by its own commands it should be {}",
                             operation(txn).id, keys_[local.key].name, answer.json(),
                             local.known ? local.known->json() : "one value"));
  }
  if (!local.known) version(local.key, answer).readers.push_back(txn);
  local.known = answer;
}

bool RegisterHistory::writes(uint32_t txn, uint32_t key) const {
  return std::ranges::any_of(operation(txn).argument.items(), [&](const Value& command) {
    return command.items()[0].as_text() == "set" && command.items()[1].as_text() == keys_[key].name;
  });
}

std::optional<uint32_t> RegisterHistory::writer_of(const Version& version) const {
  const bool one = version.writers.size() == 1 && version.intermediate.empty();
  if (version.value.is_nil() || !one) return std::nullopt;
  return version.writers.front();
}

void RegisterHistory::judge_reads() {
  for (const Version& version : versions_) {
    for (uint32_t reader : version.readers) judge_read(version, reader);
    const std::optional<uint32_t> writer = writer_of(version);
    if (writer && !version.readers.empty()) certain_[*writer] = true;
  }
}

void RegisterHistory::judge_read(const Version& version, uint32_t reader) {
  if (version.value.is_nil()) return;
  const auto others = [&](const std::vector<uint32_t>& txns) {
    return std::ranges::any_of(txns, [&](uint32_t txn) { return txn != reader; });
  };
  if (others(version.writers)) return;
  const std::string what = fmt::format("{} read {} = {}", operation(reader).id,
                                       keys_[version.key].name, version.value.json());
  if (others(version.intermediate)) {
    const uint32_t writer = version.intermediate.front();
    return found("G1b", {reader, writer},
                 fmt::format("{}, which {} overwrote itself", what, operation(writer).id));
  }
  if (!version.failed.empty()) {
    const uint32_t writer = version.failed.front();
    return found(
        "G1a", {reader, writer},
        fmt::format("{}, which {} set, but that took no effect", what, operation(writer).id));
  }
  found("garbage", {reader}, fmt::format("{}, which nobody else set", what));
}

void RegisterHistory::find_lost_updates() {
  for (const Version& version : versions_) {
    if (!version.value.is_nil() && !writer_of(version)) continue;
    std::vector<uint32_t> updates;
    for (uint32_t reader : version.readers) {
      if (writes(reader, version.key)) updates.push_back(reader);
    }
    if (updates.size() < 2) continue;
    found("lost-update", {updates[0], updates[1]},
          fmt::format("{} and {} both found {} = {} and both replaced it", operation(updates[0]).id,
                      operation(updates[1]).id, keys_[version.key].name, version.value.json()));
  }
}

}  // namespace seatrial::checkers
