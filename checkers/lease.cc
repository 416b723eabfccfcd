#include "checkers/lease.h"

#include "checkers/models/lease_facts.h"
#include "checkers/rule_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

using Kind = LeaseCommand::Kind;

constexpr std::string_view kChecker = "leases";
constexpr Micros kSlack = std::chrono::milliseconds(2);

// The gravest first.
constexpr std::array<std::string_view, 11> kAnomalies = {
    "garbage",      "aborted-read", "torn-exec",         "expired-watch",
    "lost-watch",   "double-grant", "outlived-deadline", "stale-read",
    "early-expiry", "lost-write",   "spurious-abort"};

class Judge {
 public:
  Judge(const History& history, const Options& options)
      : history_(history), facts_(history, kSlack + options.clock_skew) {}

  Verdict run() {
    Verdict verdict;
    verdict.checker = kChecker;
    verdict.nodes = facts_.units().size();
    if (!facts_.ambiguity().empty()) {
      verdict.outcome = Outcome::kUndecided;
      verdict.summary = "undecided: " + facts_.ambiguity();
      return verdict;
    }
    for (size_t i = 0; i < facts_.units().size(); i++) {
      judge_reads(i);
      if (facts_.units()[i].operation->function == Function::kExec) judge_exec(i);
    }
    if (findings_.empty()) {
      verdict.summary = fmt::format("{} operations on {} keys keep their deadlines and watches",
                                    history_.operations().size(), facts_.keys().size());
      return verdict;
    }
    findings_.describe(history_, verdict);
    return verdict;
  }

 private:
  const LeaseUnit& unit(size_t index) const { return facts_.units()[index]; }
  std::string_view name(size_t key) const { return facts_.keys()[key].name; }

  void find(std::string_view anomaly, size_t at, std::string summary,
            std::initializer_list<OperationId> others) {
    std::vector<OperationId> operations(others);
    operations.push_back(unit(at).operation->id);
    findings_.add(anomaly, unit(at).operation->complete_at, std::move(summary),
                  std::move(operations));
  }

  OperationId id(const LeaseChange& change) const { return facts_.unit_of(change).operation->id; }

  // What a unit's own commands did to a key before one of its gets; null if nothing.
  static const LeaseCommand* own_change(const LeaseUnit& unit, const LeaseCommand& before) {
    const LeaseCommand* found = nullptr;
    for (const LeaseCommand& command : unit.commands) {
      if (&command == &before) break;
      if (command.kind != Kind::kGet && command.key == before.key) found = &command;
    }
    return found;
  }

  void judge_reads(size_t index) {
    for (const LeaseCommand& get : unit(index).commands) {
      if (get.kind != Kind::kGet || !get.told) continue;
      if (const LeaseCommand* const own = own_change(unit(index), get)) {
        judge_own(index, get, *own);
      } else if (get.result.is_nil()) {
        judge_nil(index, get);
      } else {
        judge_value(index, get);
      }
    }
  }

  void judge_own(size_t index, const LeaseCommand& get, const LeaseCommand& own) {
    const bool shown = own.kind == Kind::kDel
                           ? get.result.is_nil()
                           : !get.result.is_nil() && text_of(get.result) == text_of(own.value);
    if (shown) return;
    find("torn-exec", index,
         fmt::format("operation {} reads {} = {} after it changed the key itself",
                     unit(index).operation->id, name(get.key), get.result.json()),
         {});
  }

  void judge_value(size_t index, const LeaseCommand& get) {
    const LeaseUnit& reader = unit(index);
    const OperationId read = reader.operation->id;
    const std::string what =
        fmt::format("operation {} reads {} = {}", read, name(get.key), get.result.json());
    const LeaseChange* const set = facts_.writer(get.key, get.result);
    if (set == nullptr) return find("garbage", index, what + ", which nobody ever wrote", {});
    const LeaseUnit& writer = facts_.unit_of(*set);
    const OperationId wrote = writer.operation->id;
    if (writer.effectless) {
      return find(
          "aborted-read", index,
          fmt::format("{}, written only by operation {}, which took no effect", what, wrote),
          {wrote});
    }
    if (writer.lo > reader.hi) {
      return find("garbage", index, fmt::format("{}, before operation {} writes it", what, wrote),
                  {wrote});
    }
    if (const Micros gone = facts_.gone_after(*set); reader.lo > gone) {
      find("outlived-deadline", index,
           fmt::format("{}, at least {} us after its deadline; operation {} wrote it", what,
                       (reader.lo - gone).count(), wrote),
           {wrote});
    }
    if (const LeaseChange* const next = facts_.successor(get.key, *set, reader.lo)) {
      find("stale-read", index,
           fmt::format("{}, written by operation {}, which operation {} had replaced", what, wrote,
                       id(*next)),
           {wrote, id(*next)});
    }
  }

  // The key certainly holds `set` at all instants from `from` to `to`, as far as others go.
  bool certainly_there(size_t key, const LeaseChange& set, Micros from, Micros to,
                       size_t but) const {
    const LeaseUnit& writer = facts_.unit_of(set);
    return set.is_set && set.is_last && writer.certain && writer.hi < from &&
           facts_.alive_until(set) > to && !facts_.may_change(key, writer.lo, to, {set.unit, but});
  }

  void judge_nil(size_t index, const LeaseCommand& get) {
    const LeaseUnit& reader = unit(index);
    for (const LeaseChange& set : facts_.keys()[get.key].changes) {
      if (set.unit == index) continue;
      if (!certainly_there(get.key, set, reader.lo, reader.hi, index)) continue;
      find(set.px ? "early-expiry" : "lost-write", index,
           fmt::format("operation {} reads {} = null, but operation {} wrote {}, which nothing "
                       "can have removed",
                       reader.operation->id, name(get.key), id(set), set.value.json()),
           {id(set)});
      return;
    }
  }

  void judge_exec(size_t index) {
    const LeaseUnit& exec = unit(index);
    if (exec.aborted()) return judge_abort(index);
    if (!exec.certain) return;
    for (const LeaseWatch& watch : exec.watches) judge_watch(index, watch);
    for (const LeaseGlimpse& glimpse : exec.glimpses) {
      const Value& value = *facts_.glimpsed(glimpse);
      if (value.is_nil()) {
        judge_grant(index, glimpse.key);
      } else {
        judge_guard(index, glimpse.key, value);
      }
    }
  }

  void judge_watch(size_t index, const LeaseWatch& watch) {
    const LeaseUnit& exec = unit(index);
    for (const LeaseChange& change : facts_.keys()[watch.key].changes) {
      const LeaseUnit& other = facts_.unit_of(change);
      if (change.unit == index || !change.surely || !other.certain) continue;
      if (other.lo <= watch.operation->complete_time || other.hi >= exec.lo) continue;
      find("lost-watch", index,
           fmt::format("operation {} ran although operation {} changed {} after the WATCH of "
                       "operation {}",
                       exec.operation->id, other.operation->id, name(watch.key),
                       watch.operation->id),
           {watch.operation->id, other.operation->id});
      return;
    }
  }

  void judge_guard(size_t index, size_t key, const Value& value) {
    const LeaseUnit& exec = unit(index);
    const LeaseChange* const set = facts_.writer(key, value);
    if (set == nullptr || exec.lo <= facts_.gone_after(*set)) return;
    find("expired-watch", index,
         fmt::format("operation {} ran although {} = {}, read under its WATCH, had expired at "
                     "least {} us before; operation {} wrote it",
                     exec.operation->id, name(key), value.json(),
                     (exec.lo - facts_.gone_after(*set)).count(), id(*set)),
         {id(*set)});
  }

  void judge_grant(size_t index, size_t key) {
    const LeaseUnit& exec = unit(index);
    const bool takes = std::ranges::any_of(exec.commands, [&](const LeaseCommand& command) {
      return command.kind == Kind::kSet && command.key == key;
    });
    if (!takes) return;
    for (const LeaseChange& set : facts_.keys()[key].changes) {
      if (set.unit == index) continue;
      if (!certainly_there(key, set, exec.lo, exec.hi, index)) continue;
      find("double-grant", index,
           fmt::format("operation {} takes {} while it is held since operation {}",
                       exec.operation->id, name(key), id(set)),
           {id(set)});
      return;
    }
  }

  void judge_abort(size_t index) {
    const LeaseUnit& exec = unit(index);
    std::string watched;
    for (const LeaseWatch& watch : exec.watches) {
      const Micros from = watch.operation->invoke_time;
      if (facts_.may_change(watch.key, from, exec.hi, {index})) return;
      if (facts_.may_expire(watch.key, from, exec.hi)) return;
      watched += fmt::format("{}{}", watched.empty() ? "" : ", ", name(watch.key));
    }
    find("spurious-abort", index,
         fmt::format("operation {} was aborted, but nothing can have changed what it watched ({})",
                     exec.operation->id, watched.empty() ? "nothing" : watched),
         {});
  }

  static std::string text_of(const Value& value) {
    return value.is_integer() ? std::to_string(value.as_integer()) : std::string(value.as_text());
  }

  const History& history_;
  LeaseFacts facts_;
  RuleFindings findings_{kAnomalies};
};

}  // namespace

Verdict check_leases(const History& history, const Options& options) {
  return Judge(history, options).run();
}

}  // namespace seatrial::checkers
