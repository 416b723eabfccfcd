#include "checkers/replica_clients.h"

#include "checkers/models/node_states.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace seatrial::checkers {
namespace {

// A read within an operation.
struct Read {
  NodeKey key;
  std::string_view name;
  const Value* result;
};

// What a connection did that counts for its later operations.
struct Connection {
  std::vector<const Operation*> watches;
  const Operation* last_write = nullptr;
};

// A value that a write leaves under a key, where it is told apart by that.
struct Written {
  NodeKey key;
  std::string_view name;
  std::string value;
};

std::string text_of(const Value& value) {
  if (const Value* const inner = value.is_object() ? value.find("v") : nullptr) {
    return text_of(*inner);
  }
  return value.is_integer() ? std::to_string(value.as_integer()) : std::string(value.as_text());
}

// For summaries: a value that says which it is by its beginning.
std::string brief(std::string text) {
  constexpr size_t kBytesMax = 80;
  if (text.size() <= kBytesMax) return text;
  return fmt::format("{}... ({} bytes)", text.substr(0, kBytesMax), text.size());
}

class Judge {
 public:
  Judge(const ReplicationLog& log, const History& history)
      : log_(log), history_(history), states_(log), tree_(replication_tree(log)) {}

  Verdict run() {
    verdict_.checker = "replica-clients";
    for (const Operation& operation : history_.operations()) {
      judge(operation);
      if (!verdict_.ok()) return std::move(verdict_);
    }
    verdict_.summary = fmt::format("{} operations fit what their nodes held", judged_);
    return std::move(verdict_);
  }

 private:
  void find(std::string_view anomaly, const Operation& operation, std::string what,
            const Operation* other = nullptr) {
    verdict_.outcome = Outcome::kViolation;
    verdict_.anomaly = anomaly;
    verdict_.summary = fmt::format("{}: operation {} {}", anomaly, operation.id, what);
    if (other != nullptr) verdict_.operations.push_back(other->id);
    verdict_.operations.push_back(operation.id);
    for (OperationId id : verdict_.operations) {
      verdict_.explanation.push_back({brief(describe(history_, *history_.find(id))), {id}});
    }
    verdict_.sub_history = verdict_.operations;
  }

  void judge(const Operation& operation) {
    Connection& connection = connections_[operation.process];
    if (operation.ok()) judged_++;
    switch (operation.function) {
      case Function::kGet:
        if (operation.ok()) judge_reads(operation);
        break;
      case Function::kWatch:
        if (operation.ok()) connection.watches.push_back(&operation);
        break;
      case Function::kExec:
        if (operation.ok()) judge_exec(operation, connection);
        connection.watches.clear();
        if (operation.ok() && !operation.result.is_nil()) note_write(operation, connection);
        break;
      case Function::kSet:
        if (operation.ok()) note_write(operation, connection);
        break;
      case Function::kWait:
        if (operation.ok()) judge_wait(operation, connection);
        break;
      default: break;
    }
  }

  // ---- Reads

  std::optional<NodeKey> parse(const Operation& operation, std::string_view text) {
    auto parsed = states_.parse(text);
    if (!parsed) {
      verdict_.outcome = Outcome::kUndecided;
      verdict_.summary =
          fmt::format("operation {} has the key \"{}\", which names no node", operation.id, text);
    }
    return parsed;
  }

  // The reads of an operation; those of an EXEC up to its first change.
  std::vector<Read> reads_of(const Operation& operation) {
    std::vector<Read> reads;
    const auto add = [&](std::string_view name, const Value& result) {
      if (const auto key = parse(operation, name)) reads.push_back({*key, name, &result});
    };
    if (operation.function == Function::kGet) {
      add(history_.key_name(operation.key), operation.result);
      return reads;
    }
    const std::span<const Value> commands = operation.argument.items();
    for (size_t i = 0; i < commands.size(); i++) {
      const std::span<const Value> words = commands[i].items();
      if (words[0].as_text() != "get") break;
      add(words[1].as_text(), operation.result.items()[i]);
    }
    return reads;
  }

  ClockErrors clock(size_t node) const {
    return node < log_.clocks.size() ? log_.clocks[node] : ClockErrors{};
  }
  // Whether a deadline has certainly passed at `time` by its node's clock, or may have.
  bool surely_gone(const NodeKey& key, const KeyChange& held, Micros time) const {
    return held.gone_at != Micros::max() && time >= held.gone_at - clock(key.node).least;
  }
  bool maybe_gone(const NodeKey& key, const KeyChange& held, Micros time) const {
    return held.gone_at != Micros::max() && time >= held.gone_at - clock(key.node).most;
  }

  enum class Fit : uint8_t { kFits, kOther, kExpired, kTooEarly };

  // How a read fits one state, where it is made in [from, to].
  Fit fits(const Read& read, size_t at, Micros from, Micros to) const {
    if (!states_.known(read.key.node, at)) return Fit::kOther;
    const KeyChange* const held = states_.value(read.key, at);
    from = std::max(from, states_.state(read.key.node, at).time);
    to = std::min(to, states_.end_of(read.key.node, at));
    if (read.result->is_nil()) {
      if (held == nullptr) return Fit::kFits;
      if (held->gone_at == Micros::max()) return Fit::kOther;
      return maybe_gone(read.key, *held, to) ? Fit::kFits : Fit::kTooEarly;
    }
    if (held == nullptr || text_of(*read.result) != *held->value) return Fit::kOther;
    return surely_gone(read.key, *held, from) ? Fit::kExpired : Fit::kFits;
  }

  void judge_reads(const Operation& operation) {
    const std::vector<Read> reads = reads_of(operation);
    if (reads.empty()) return;
    const Micros from = operation.invoke_time;
    const Micros to = operation.complete_time;
    const StateRange range = states_.within(reads[0].key.node, from, to);
    for (size_t at = range.first; at <= range.last; at++) {
      if (std::ranges::all_of(
              reads, [&](const Read& read) { return fits(read, at, from, to) == Fit::kFits; })) {
        return;
      }
    }
    for (const Read& read : reads) {
      judge_read(operation, read, range);
      if (!verdict_.ok()) return;
    }
    find("torn-exec", operation, "fits no one state of its node, though each of its reads does");
  }

  // Says what is wrong with one read, if it is wrong by itself.
  void judge_read(const Operation& operation, const Read& read, const StateRange& range) {
    Fit best = Fit::kOther;
    for (size_t at = range.first; at <= range.last; at++) {
      best = fits(read, at, operation.invoke_time, operation.complete_time);
      if (best == Fit::kFits) return;
      if (best != Fit::kOther) break;
    }
    const std::string what = fmt::format("reads {} = {}", read.name, brief(read.result->json()));
    if (best == Fit::kExpired) {
      return find("outlived-deadline", operation, what + ", which is past its deadline");
    }
    if (best == Fit::kTooEarly) {
      return find("early-expiry", operation, what + ", which has not reached its deadline");
    }
    for (size_t at = 0; at < range.first; at++) {
      if (fits(read, at, Micros(0), Micros::max()) != Fit::kFits) continue;
      return find("went-back", operation,
                  fmt::format("{}, as its node held it only before, until {} us", what,
                              states_.end_of(read.key.node, at).count()));
    }
    find("no-such-state", operation, what + ", which its node held at no instant of the read");
  }

  // ---- WATCH and EXEC

  void judge_exec(const Operation& exec, const Connection& connection) {
    if (exec.result.is_nil()) {
      if (!may_abort(exec, connection)) {
        find("spurious-abort", exec, "was aborted, but nothing it watched can have changed",
             connection.watches.empty() ? nullptr : connection.watches.back());
      }
      return;
    }
    for (const Operation* watch : connection.watches) {
      for (const Value& name : watch->argument.items()) {
        const auto key = parse(exec, name.as_text());
        if (!key) return;
        const std::string why = must_abort(*watch, exec, *key);
        if (why.empty()) continue;
        return find("lost-watch", exec, fmt::format("ran although {} {}", name.as_text(), why),
                    watch);
      }
    }
    judge_reads(exec);
  }

  // Why an EXEC cannot have run, or nothing.
  std::string must_abort(const Operation& watch, const Operation& exec, const NodeKey& key) const {
    const Micros from = watch.complete_time;
    const Micros to = exec.invoke_time;
    const StateRange range = states_.begun_between(key.node, from, to);
    for (size_t at = range.first; at <= range.last; at++) {
      if (at == 0) continue;
      const KeyChange* const held = states_.value(key, at - 1);
      // What was past its deadline at WATCH counted as missing; its removal is no change.
      const bool was = held != nullptr && !maybe_gone(key, *held, from);
      const bool is = states_.value(key, at) != nullptr;
      const Micros time = states_.state(key.node, at).time;
      if (states_.changed(key, at) && (was || is)) {
        return fmt::format("changed at {} us", time.count());
      }
      if (was && states_.replaced(key.node, at)) {
        return fmt::format("was replaced at {} us", time.count());
      }
    }
    const StateRange before = states_.within(key.node, from, from);
    if (before.first > before.last) return {};
    const KeyChange* const held = states_.value(key, before.last);
    // Its last instant is its own: what is past it at `to` was gone before.
    if (held == nullptr || maybe_gone(key, *held, from) || !surely_gone(key, *held, to - Micros(1)))
      return {};
    return fmt::format("expired at {} us", held->gone_at.count());
  }

  bool may_abort(const Operation& exec, const Connection& connection) {
    for (const Operation* watch : connection.watches) {
      for (const Value& name : watch->argument.items()) {
        const auto key = parse(exec, name.as_text());
        if (!key || may_change(*watch, exec, *key)) return true;
      }
    }
    return false;
  }

  // Whether a watched key may have changed, expired or been replaced.
  bool may_change(const Operation& watch, const Operation& exec, const NodeKey& key) const {
    const StateRange range = states_.within(key.node, watch.invoke_time, exec.complete_time);
    for (size_t at = range.first; at <= range.last; at++) {
      const bool new_state = at > range.first;
      if (new_state && (states_.changed(key, at) || states_.replaced(key.node, at))) return true;
      const KeyChange* const held = states_.value(key, at);
      if (held != nullptr && maybe_gone(key, *held, exec.complete_time)) return true;
    }
    return false;
  }

  // ---- Writes and WAIT

  // The values by which a write can be found among its node's data.
  std::vector<Written> written_by(const Operation& operation) {
    std::vector<Written> written;
    const auto add = [&](std::string_view name, const Value& value) {
      if (const auto key = parse(operation, name)) written.push_back({*key, name, text_of(value)});
    };
    if (operation.function == Function::kSet) {
      add(history_.key_name(operation.key), operation.argument);
      return written;
    }
    for (const Value& command : operation.argument.items()) {
      const std::span<const Value> words = command.items();
      if (words[0].as_text() == "set") add(words[1].as_text(), words[2]);
    }
    return written;
  }

  // The state that began with this write, within the operation's time.
  std::optional<size_t> state_of(const Operation& operation, const Written& written) const {
    const StateRange range =
        states_.within(written.key.node, operation.invoke_time, operation.complete_time);
    for (size_t at = range.first; at <= range.last; at++) {
      if (!states_.changed(written.key, at)) continue;
      const KeyChange* const held = states_.value(written.key, at);
      if (held != nullptr && *held->value == written.value) return at;
    }
    return std::nullopt;
  }

  void note_write(const Operation& operation, Connection& connection) {
    const std::vector<Written> written = written_by(operation);
    if (written.empty()) return;
    for (const Written& each : written) {
      if (state_of(operation, each)) continue;
      return find(
          "unseen-write", operation,
          fmt::format("wrote {} = {}, which its node never held", each.name, brief(each.value)));
    }
    connection.last_write = &operation;
  }

  void judge_wait(const Operation& wait, const Connection& connection) {
    if (connection.last_write == nullptr || !verdict_.ok()) return;
    const Operation& write = *connection.last_write;
    const Written written = written_by(write).front();
    const ReplicationObservation& end = states_.state(written.key.node, *state_of(write, written));
    if (end.id.empty()) return;
    std::set<size_t> holders;
    for (const ReplicationObservation& observation : log_.observations) {
      if (observation.time > wait.complete_time) break;
      if (observation.life.node == written.key.node || observation.id.empty()) continue;
      if (observation.offset < end.offset || holders.contains(observation.life.node)) continue;
      if (tree_.holds(observation.id, observation.offset, end.id, end.offset)) {
        holders.insert(observation.life.node);
      }
    }
    if (static_cast<int64_t>(holders.size()) >= wait.result.as_integer()) return;
    find("broken-wait", wait,
         fmt::format("counts {} replicas, but only {} held {}@{}, the end of operation {}",
                     wait.result.as_integer(), holders.size(), end.id.substr(0, 8), end.offset,
                     write.id),
         &write);
  }

  const ReplicationLog& log_;
  const History& history_;
  NodeStates states_;
  ReplicationTree tree_;
  std::map<ProcessId, Connection> connections_;
  Verdict verdict_;
  uint64_t judged_ = 0;
};

}  // namespace

Verdict check_replica_clients(const ReplicationLog& log, const History& history) {
  return Judge(log, history).run();
}

}  // namespace seatrial::checkers
