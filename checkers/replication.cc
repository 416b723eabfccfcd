#include "checkers/replication.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::checkers {
namespace {

using Observation = ReplicationObservation;
using Reason = ReplicationObservation::Reason;

// Follows a log and stops at the first thing that is wrong.
class Judge {
 public:
  Judge(const ReplicationLog& log, const ReplicationOptions& options)
      : log_(log), options_(options), tree_(options.points_max), last_(log.nodes.size()) {}

  void follow() {
    for (const Observation& observation : log_.observations) {
      judge_calm(observation.time);
      if (found_) return;
      judge(observation);
      if (found_) return;
      last_[observation.life.node] = &observation;
    }
    judge_calm(Micros::max());
  }
  // To the end, whatever is wrong.
  void follow_all() {
    for (const Observation& observation : log_.observations) {
      judge(observation);
      found_ = false;
      last_[observation.life.node] = &observation;
    }
  }

  Verdict verdict() && {
    Verdict verdict = std::move(verdict_);
    verdict.checker = "replication";
    verdict.nodes = log_.observations.size();
    if (found_) return verdict;
    if (unjudged_ > 0) {
      verdict.outcome = Outcome::kUndecided;
      verdict.summary = fmt::format("{} observations were at points that are not kept", unjudged_);
      return verdict;
    }
    verdict.summary = fmt::format("{} observations of {} nodes agree", log_.observations.size(),
                                  log_.nodes.size());
    return verdict;
  }
  ReplicationTree tree() && { return std::move(tree_); }

 private:
  void find(std::string_view anomaly, const Observation& at, std::string_view what,
            const Observation* before = nullptr) {
    if (std::exchange(found_, true)) return;
    verdict_.outcome = Outcome::kViolation;
    verdict_.anomaly = anomaly;
    verdict_.summary = fmt::format("{}: {}: {}", anomaly, describe(log_, at), what);
    if (before != nullptr) {
      verdict_.explanation.push_back({fmt::format("before: {}", describe(log_, *before))});
    }
    verdict_.explanation.push_back({describe(log_, at)});
  }

  // What the node's observation before said; null at the beginning of a life, and where it stood
  // in no history.
  const Observation* before(const Observation& observation) const {
    const Observation* const last = last_[observation.life.node];
    if (last == nullptr || last->life != observation.life || last->id.empty()) return nullptr;
    return last;
  }

  void judge(const Observation& o) {
    if (o.reason == Reason::kStarted || o.id.empty()) return;
    const Observation* const last = before(o);
    if (last != nullptr && o.reason != Reason::kReplaced) {
      judge_step(o, *last);
      if (found_) return;
    }
    ReplicatedHistory* const history = tree_.find(o.id);
    if (o.primary) return judge_author(o, last, history);
    if (history == nullptr) {
      if (last != nullptr && o.reason == Reason::kApplied && last->id == o.id) {
        return find("unknown-history", o, "nobody has written under this id", last);
      }
      // A replica that has no primary yet stands in a history of its own.
      return begin(o, last);
    }
    judge_replica(o, last, o.id);
  }

  // From one observation of a life to the next, where the data was not replaced.
  void judge_step(const Observation& o, const Observation& last) {
    if (o.reason == Reason::kRenamed) {
      // Bytes without data, as a SELECT before what is still to come, may have come before.
      if (o.offset < last.offset || o.digest != last.digest) {
        find("renamed-data", o, "its offset or its data changed with its id", &last);
      }
      return;
    }
    if (o.id != last.id) {
      return find("renamed-data", o, "its id changed with what it applied", &last);
    }
    if (o.offset < last.offset) {
      find("went-back", o, fmt::format("its offset was {} before", last.offset), &last);
    } else if (o.offset == last.offset && o.digest != last.digest) {
      find("diverged", o, "its data changed although its offset did not", &last);
    }
  }

  void begin(const Observation& o, const Observation* last) {
    const bool branches = last != nullptr && o.reason == Reason::kRenamed;
    const ReplicatedHistory* const parent = branches ? tree_.find(last->id) : nullptr;
    // Unless it wrote it itself, it has followed its old id until there.
    if (parent != nullptr && parent->author != o.life) judge_replica(o, last, last->id);
    ReplicatedHistory& history = tree_.add(o.id, o.life);
    history.parent = parent;
    if (parent != nullptr) history.branch = o.offset;
    tree_.keep(history, o.offset, {o.digest, o.selected});
  }

  void judge_author(const Observation& o, const Observation* last, ReplicatedHistory* history) {
    if (history == nullptr) return begin(o, last);
    if (history->author != o.life) {
      return find("split-history", o,
                  fmt::format("{} writes under this id", log_.nodes[history->author.node]), last);
    }
    const auto known = history->points.find(o.offset);
    if (known != history->points.end() && known->second.digest != o.digest) {
      return find("diverged", o, "it held other data at this offset before", last);
    }
    if (!history->points.empty() && o.offset < history->points.rbegin()->first) {
      return find("went-back", o, "it has written beyond this offset", last);
    }
    // Who stands beyond the end of a unit before it was written is ahead of its primary; within
    // the unit's bytes there are points without data only.
    auto& claims = claims_[o.id];
    const auto ahead = claims.lower_bound(o.offset);
    if (ahead != claims.end() && known == history->points.end()) {
      return find("ahead", *ahead->second,
                  fmt::format("its primary wrote offset {} only later", o.offset), &o);
    }
    claims.clear();
    tree_.keep(*history, o.offset, {o.digest, o.selected});
  }

  void judge_replica(const Observation& o, const Observation* last, std::string_view id) {
    const ReplicatedHistory& history = *tree_.canonical(id, o.offset);
    if (o.offset <= history.forgotten) {
      unjudged_++;
      return;
    }
    auto next = history.points.upper_bound(o.offset);
    if (next == history.points.begin()) {
      return find("foreign-resync", o, "its history begins at a greater offset", last);
    }
    const auto floor = std::prev(next);
    const bool exact = floor->first == o.offset;
    if (last != nullptr && o.reason == Reason::kRenamed && !exact &&
        tree_.canonical(last->id, o.offset) != &history) {
      return find("foreign-resync", o, "the history that it joins does not have this point", last);
    }
    if (last != nullptr && o.reason != Reason::kReplaced) {
      if (const auto passed = tree_.end_between(id, last->offset, o.offset)) {
        return find("skipped", o, fmt::format("it passed over offset {}", *passed), last);
      }
    }
    if (floor->second.digest != o.digest) {
      return find("diverged", o,
                  fmt::format("{} held other data at offset {}", log_.nodes[history.author.node],
                              floor->first),
                  last);
    }
    if (exact && o.reason == Reason::kApplied && o.selected >= 0 && floor->second.selected >= 0 &&
        o.selected != floor->second.selected) {
      return find("wrong-database", o,
                  fmt::format("it applies the stream to database {}, it is {}", o.selected,
                              floor->second.selected),
                  last);
    }
    if (next == history.points.end() && !exact) claims_[history.id].emplace(o.offset, &o);
  }

  // Says whether all nodes agree, and keeps in `odd` a pair that does not.
  bool agree(std::pair<const Observation*, const Observation*>& odd) const {
    const Observation* const first = last_.front();
    for (const Observation* last : last_) {
      if (last != nullptr && last->reason != Reason::kStarted && last->id == first->id &&
          last->offset == first->offset && last->digest == first->digest) {
        continue;
      }
      odd = {first, last};
      return false;
    }
    return true;
  }

  // All that happened before `next` is known: did all nodes agree until then, within the window?
  void judge_calm(Micros next) {
    if (!options_.calm || converged_ || next <= options_.calm->first) return;
    converged_ = agree(odd_);
    if (!converged_ && next > options_.calm->second) fail_calm();
  }

  void fail_calm() {
    if (odd_.first == nullptr || odd_.second == nullptr) {
      verdict_.outcome = Outcome::kViolation;
      verdict_.anomaly = "not-converged";
      verdict_.summary = "not-converged: a node has no data after the calm";
      found_ = true;
      return;
    }
    find("not-converged", *odd_.second, "after the calm it is not where the others are",
         odd_.first);
  }

  const ReplicationLog& log_;
  const ReplicationOptions& options_;
  ReplicationTree tree_;
  // By node.
  std::vector<const Observation*> last_;
  // By id: where replicas stood beyond the last end of a unit.
  std::map<std::string, std::map<int64_t, const Observation*>> claims_;
  Verdict verdict_;
  uint64_t unjudged_ = 0;
  bool found_ = false;
  bool converged_ = false;
  std::pair<const Observation*, const Observation*> odd_;
};

}  // namespace

std::string_view to_string(ReplicationObservation::Reason reason) {
  switch (reason) {
    case Reason::kStarted: return "started";
    case Reason::kApplied: return "applied";
    case Reason::kReplaced: return "replaced";
    case Reason::kRenamed: return "renamed";
  }
  return "?";
}

Verdict check_replication(const ReplicationLog& log, const ReplicationOptions& options) {
  Judge judge(log, options);
  judge.follow();
  return std::move(judge).verdict();
}

ReplicationTree replication_tree(const ReplicationLog& log, const ReplicationOptions& options) {
  Judge judge(log, options);
  judge.follow_all();
  return std::move(judge).tree();
}

std::string describe(const ReplicationLog& log, const ReplicationObservation& o) {
  return fmt::format("{} (life {}) at {}.{:06} s: {}, {}@{}, database {}, data {:016x}, {}",
                     log.nodes[o.life.node], o.life.incarnation, o.time.count() / 1'000'000,
                     o.time.count() % 1'000'000, o.primary ? "primary" : "replica",
                     o.id.substr(0, 8), o.offset, o.selected, o.digest, to_string(o.reason));
}

}  // namespace seatrial::checkers
