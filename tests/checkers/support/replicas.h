// A replicated store as plainly as possible: small random logs of what its nodes held, some
// spoilt, and the slow and obvious judge of what checkers/replication.h says. Shares nothing with
// the checker but the log.
#pragma once

#include "base/random.h"
#include "checkers/replication.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace seatrial::checkers {

// Goes through a log and says, by looking back at all of it, which rules an observation breaks.
// Whose byte stands at an offset is written out byte by byte for each id.
class ReplicationReference {
 public:
  ReplicationReference(const ReplicationLog& log, const ReplicationOptions& options)
      : log_(log), options_(options) {}

  // The rules that the first observation breaks that breaks any.
  std::set<std::string> broken() {
    for (at_ = 0; at_ < log_.observations.size(); at_++) {
      if (calm_is_over(log_.observations[at_].time)) return {"not-converged"};
      judge(log_.observations[at_]);
      if (!names_.empty()) return names_;
    }
    if (calm_is_over(Micros::max())) return {"not-converged"};
    return {};
  }

 private:
  using Observation = ReplicationObservation;
  using Reason = Observation::Reason;
  static constexpr int64_t kBytes = 100;

  struct Point {
    uint64_t digest = 0;
    int selected = -1;
    size_t seen = 0;  // Number of the observation.
  };
  struct Stream {
    Life author;
    std::vector<std::string> bytes;    // Whose they are.
    std::map<int64_t, Point> written;  // Where its author stood.
  };
  struct Claim {
    std::string owner;
    int64_t offset = 0;
    size_t seen = 0;
  };

  // What the same life of that node showed before, where that stood in a history.
  const Observation* before(const Observation& o) const {
    for (size_t i = at_; i-- > 0;) {
      const Observation& last = log_.observations[i];
      if (last.life.node != o.life.node) continue;
      return last.life == o.life && !last.id.empty() ? &last : nullptr;
    }
    return nullptr;
  }

  // Every end of a unit up to `offset` that the id has, whoever wrote it.
  std::map<int64_t, Point> ends(const std::string& id, int64_t offset) const {
    std::map<int64_t, Point> all;
    for (int64_t i = 0; i <= offset && i < kBytes; i++) {
      const Stream& owner = streams_.at(streams_.at(id).bytes[static_cast<size_t>(i)]);
      const auto found = owner.written.find(i);
      if (found != owner.written.end()) all.insert(*found);
    }
    return all;
  }

  // What whoever stands there must hold, and null where the id does not reach back so far.
  const Point* held(const std::string& id, int64_t offset) const {
    const Stream& owner = owner_of(id, offset);
    const auto after = owner.written.upper_bound(offset);
    return after == owner.written.begin() ? nullptr : &std::prev(after)->second;
  }

  const Stream& owner_of(const std::string& id, int64_t offset) const {
    return streams_.at(streams_.at(id).bytes[static_cast<size_t>(offset)]);
  }

  void judge(const Observation& o) {
    if (o.reason == Reason::kStarted || o.id.empty()) return;
    const Observation* const last = before(o);
    if (last != nullptr && o.reason == Reason::kRenamed) {
      if (o.offset < last->offset || o.digest != last->digest) names_.insert("renamed-data");
    } else if (last != nullptr && o.reason == Reason::kApplied) {
      if (o.id != last->id) names_.insert("renamed-data");
      if (o.offset < last->offset) names_.insert("went-back");
      if (o.offset == last->offset && o.digest != last->digest) names_.insert("diverged");
    }
    if (!names_.empty()) return;
    const bool known = streams_.contains(o.id);
    if (known && o.primary) return judge_author(o);
    if (known) return judge_replica(o, last, o.id);
    if (!o.primary && last != nullptr && o.reason == Reason::kApplied) {
      names_.insert("unknown-history");
      return;
    }
    begin(o, o.reason == Reason::kRenamed ? last : nullptr);
  }

  // A branch has all bytes of where it comes from; who begins one has come there as a replica.
  void begin(const Observation& o, const Observation* from) {
    Stream stream;
    stream.author = o.life;
    stream.bytes.assign(kBytes, o.id);
    if (from != nullptr && streams_.contains(from->id)) {
      if (!(streams_.at(from->id).author == o.life)) judge_replica(o, from, from->id);
      if (!names_.empty()) return;
      const Stream& parent = streams_.at(from->id);
      std::copy_n(parent.bytes.begin(), o.offset + 1, stream.bytes.begin());
    }
    stream.written[o.offset] = {o.digest, o.selected, at_};
    streams_[o.id] = stream;
  }

  void judge_author(const Observation& o) {
    Stream& stream = streams_.at(o.id);
    if (!(stream.author == o.life)) {
      names_.insert("split-history");
      return;
    }
    const auto known = stream.written.find(o.offset);
    if (known != stream.written.end() && known->second.digest != o.digest)
      names_.insert("diverged");
    size_t newest = 0;
    for (const auto& [offset, point] : stream.written) {
      if (offset > o.offset) names_.insert("went-back");
      newest = std::max(newest, point.seen);
    }
    for (const Claim& claim : claims_) {
      const bool early = claim.owner == o.id && claim.seen > newest && claim.offset >= o.offset;
      if (early && known == stream.written.end()) names_.insert("ahead");
    }
    if (names_.empty()) stream.written[o.offset] = {o.digest, o.selected, at_};
  }

  void judge_replica(const Observation& o, const Observation* last, const std::string& id) {
    const Point* const must = held(id, o.offset);
    if (must == nullptr) {
      names_.insert("foreign-resync");
      return;
    }
    const std::string& owner = streams_.at(id).bytes[static_cast<size_t>(o.offset)];
    const Stream& stream = streams_.at(owner);
    const bool exact = stream.written.contains(o.offset);
    if (last != nullptr && o.reason == Reason::kRenamed && !exact && streams_.contains(last->id)) {
      if (&owner_of(last->id, o.offset) != &stream) names_.insert("foreign-resync");
    }
    if (last != nullptr && o.reason != Reason::kReplaced) {
      for (const auto& [offset, point] : ends(id, o.offset - 1)) {
        if (offset > last->offset) names_.insert("skipped");
      }
    }
    if (must->digest != o.digest) names_.insert("diverged");
    if (exact && o.reason == Reason::kApplied && o.selected >= 0 && must->selected >= 0 &&
        must->selected != o.selected) {
      names_.insert("wrong-database");
    }
    if (stream.written.rbegin()->first < o.offset) claims_.push_back({owner, o.offset, at_});
  }

  // Nothing that can still come may make the nodes agree within the window.
  bool calm_is_over(Micros next) const {
    if (!options_.calm || next <= options_.calm->second) return false;
    for (size_t seen = 0; seen <= at_; seen++) {
      const bool last = seen == log_.observations.size();
      const Micros until = last ? Micros::max() : log_.observations[seen].time;
      const Micros from = seen == 0 ? Micros::min() : log_.observations[seen - 1].time;
      if (until > options_.calm->first && from <= options_.calm->second && agree(seen)) {
        return false;
      }
    }
    return true;
  }

  // After so many observations.
  bool agree(size_t seen) const {
    std::set<std::tuple<std::string, int64_t, uint64_t>> held;
    for (uint32_t node = 0; node < log_.nodes.size(); node++) {
      const Observation* last = nullptr;
      for (size_t i = 0; i < seen; i++) {
        if (log_.observations[i].life.node == node) last = &log_.observations[i];
      }
      if (last == nullptr || last->reason == Reason::kStarted) return false;
      held.emplace(last->id, last->offset, last->digest);
    }
    return held.size() == 1;
  }

  const ReplicationLog& log_;
  const ReplicationOptions& options_;
  size_t at_ = 0;
  std::map<std::string, Stream> streams_;
  std::vector<Claim> claims_;
  std::set<std::string> names_;
};

// Three nodes that write, follow, fall behind, take over and start again.
class ReplicationGenerator {
 public:
  ReplicationGenerator(double spoilt, base::RandomStream& random)
      : spoilt_(spoilt), random_(random) {}

  ReplicationLog make() && {
    log_.nodes = {"kv0", "kv1", "kv2"};
    load(0);
    for (uint32_t node : {1U, 2U}) resync(node, false);
    for (uint64_t steps = 2 + random_.below(12); steps > 0; steps--) step();
    if (random_.chance(0.5)) settle();
    return std::move(log_);
  }

 private:
  using Reason = ReplicationObservation::Reason;
  struct Unit {
    int64_t end = 0;
    uint64_t digest = 0;
    int selected = -1;
    bool operator==(const Unit&) const = default;
  };
  struct Node {
    uint64_t incarnation = 1;
    std::string id;
    std::vector<Unit> units;  // That it has.
    int64_t offset = 0;
    int selected = -1;
    size_t base = 0;  // Units that its history began with.
  };

  Node& primary() { return nodes_[primary_]; }

  void observe(uint32_t node, Reason reason, bool primary) {
    const Node& n = nodes_[node];
    ReplicationObservation& o = log_.observations.emplace_back();
    o.time = now_ += Micros(random_.below(3));
    o.life = {node, n.incarnation};
    o.reason = reason;
    o.primary = primary;
    o.id = n.id;
    o.offset = n.offset;
    o.selected = n.selected;
    o.digest = n.units.back().digest;
    if (random_.chance(spoilt_)) spoil(o);
  }

  void spoil(ReplicationObservation& o) {
    switch (random_.below(6)) {
      case 0: o.digest = random_.below(4); break;
      case 1: o.offset = std::max<int64_t>(0, o.offset + random_.between(-2, 3)); break;
      case 2: o.id = name(random_.below(ids_ + 2)); break;
      case 3: o.selected = static_cast<int>(random_.below(3)); break;
      case 4: o.primary = !o.primary; break;
      default: o.reason = random_.chance(0.5) ? Reason::kRenamed : Reason::kApplied; break;
    }
  }

  static std::string name(uint64_t number) {
    return std::string(1, static_cast<char>('A' + number));
  }

  void load(uint32_t node) {
    Node& n = nodes_[node];
    n.id = name(ids_++);
    if (n.units.empty()) n.units.push_back({2, 0, -1});
    n.offset = n.units.back().end;
    n.base = n.units.size();
    primary_ = node;
    observe(node, Reason::kReplaced, true);
  }

  void step() {
    const auto node = static_cast<uint32_t>(random_.below(3));
    const uint64_t die = random_.below(20);
    if (die < 7) return write();
    if (die == 19) return restart(node);
    if (node == primary_) return;
    if (die < 15) return follow(node);
    if (die < 17) return promote(node);
    resync(node, random_.chance(0.5));
  }

  // Now and then only bytes without data.
  void write() {
    Node& n = primary();
    if (n.offset > 60) return;
    Unit unit = n.units.back();
    unit.end = n.offset + 1 + static_cast<int64_t>(random_.below(3));
    if (random_.chance(0.8)) unit.digest = 1 + random_.below(3);
    unit.selected = static_cast<int>(random_.below(2));
    n.units.push_back(unit);
    n.offset = unit.end;
    n.selected = unit.selected;
    observe(primary_, Reason::kApplied, true);
  }

  bool fits(const Node& n) {
    const std::vector<Unit>& all = primary().units;
    if (n.units.size() > all.size() || n.units.size() < primary().base) return false;
    return std::equal(n.units.begin(), n.units.end(), all.begin()) &&
           n.offset == n.units.back().end;
  }

  // The next unit, or a part of it; spoilt, one more.
  void follow(uint32_t node) {
    Node& n = nodes_[node];
    const std::vector<Unit>& all = primary().units;
    if (n.id != primary().id) return resync(node, true);
    if (n.units.size() >= all.size()) return early(node);
    if (random_.chance(spoilt_) && n.units.size() + 1 < all.size()) n.units.push_back({});
    const Unit& next = all[n.units.size()];
    if (random_.chance(0.2) && n.offset + 1 < next.end) {
      n.offset++;
    } else {
      n.units.push_back(next);
      n.offset = next.end;
      n.selected = next.selected;
    }
    observe(node, Reason::kApplied, false);
  }

  // It sees bytes without data before its primary is seen to have written them; spoilt, the
  // primary then writes there.
  void early(uint32_t node) {
    Node& n = nodes_[node];
    if (!random_.chance(0.3) || n.offset != primary().offset || n.offset > 60) return;
    n.offset++;
    if (!random_.chance(spoilt_)) primary().offset = n.offset;
    observe(node, Reason::kApplied, false);
  }

  void resync(uint32_t node, bool partial) {
    Node& n = nodes_[node];
    if (partial && !n.units.empty() && (fits(n) || random_.chance(spoilt_))) {
      n.id = primary().id;
      n.base = primary().base;
      return observe(node, Reason::kRenamed, false);
    }
    const std::vector<Unit>& all = primary().units;
    n.base = std::min(primary().base, all.size());
    const uint64_t size = n.base + (random_.chance(0.7) ? all.size() - n.base
                                                        : random_.below(all.size() - n.base + 1));
    n.units.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(size));
    n.id = primary().id;
    n.offset = n.units.back().end;
    n.selected = -1;
    observe(node, Reason::kReplaced, false);
  }

  void promote(uint32_t node) {
    Node& n = nodes_[node];
    const uint32_t old = primary_;
    n.id = name(ids_++);
    primary_ = node;
    const std::vector<Unit>& all = nodes_[old].units;
    const bool whole = n.units.size() >= all.size() || all[n.units.size()].end == n.offset + 1;
    if (random_.chance(0.3) && n.offset < 60 && (!whole || random_.chance(spoilt_))) n.offset++;
    if (n.offset != n.units.back().end) n.units.push_back({n.offset, n.units.back().digest, -1});
    observe(node, Reason::kRenamed, true);
    if (random_.chance(0.5)) resync(old, true);
  }

  void restart(uint32_t node) {
    Node& n = nodes_[node];
    n.incarnation++;
    n.id.clear();
    observe(node, Reason::kStarted, false);
    if (node == primary_) return load(node);
    resync(node, false);
  }

  void settle() {
    for (uint32_t node = 0; node < 3; node++) {
      if (node == primary_) continue;
      if (random_.chance(0.8)) resync(node, false);
    }
  }

  double spoilt_;
  base::RandomStream& random_;
  ReplicationLog log_;
  Node nodes_[3];
  uint32_t primary_ = 0;
  uint64_t ids_ = 0;
  Micros now_{0};
};

}  // namespace seatrial::checkers
