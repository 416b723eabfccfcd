#include "scenarios/replication_witness.h"

#include "base/random.h"
#include "kv/data/canonical.h"
#include "sim/machine/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace seatrial::scenarios {

using checkers::KeyChange;
using checkers::Micros;
using checkers::ReplicationLog;
using checkers::ReplicationObservation;

namespace {

ReplicationObservation::Reason reason_of(kv::ReplicationPoint::Change change) {
  switch (change) {
    case kv::ReplicationPoint::Change::kApplied: return ReplicationObservation::Reason::kApplied;
    case kv::ReplicationPoint::Change::kReplaced: return ReplicationObservation::Reason::kReplaced;
    case kv::ReplicationPoint::Change::kRenamed: return ReplicationObservation::Reason::kRenamed;
  }
  return ReplicationObservation::Reason::kApplied;
}

checkers::ClockErrors clock_errors(const sim::World& world, std::string_view name) {
  const auto node = std::ranges::find(world.nodes(), name, [](const auto& n) { return n->name(); });
  if (node == world.nodes().end()) return {};
  const auto errors = (*node)->clock().wall_errors(world.now_virtual());
  return {std::chrono::floor<Micros>(errors.least), std::chrono::ceil<Micros>(errors.most)};
}

// A deadline hides its key from the millisecond after it on.
Micros gone_at(std::optional<kv::WallMs> deadline) {
  if (!deadline) return Micros::max();
  const auto epoch = std::chrono::duration_cast<Micros>(sim::kEpoch.time_since_epoch());
  return Micros((*deadline + 1) * 1000) - epoch;
}

}  // namespace

class ReplicationWitness::NodeObserver : public kv::Observer {
 public:
  NodeObserver(ReplicationWitness& witness, uint32_t node) : witness_(witness), node_(node) {}

  void observe(const kv::ReplicationPoint& point, const kv::Keyspace& data) override {
    const uint64_t starts = starts_of_node();
    if (starts != life_) {
      life_ = starts;
      held_.clear();
      keys_held_ = 0;
    }
    ReplicationObservation observation{.time = witness_.now(),
                                       .life = {node_, life_},
                                       .reason = reason_of(point.change),
                                       .primary = point.primary,
                                       .id = std::string(point.id),
                                       .offset = point.offset,
                                       .selected = point.database};
    observation.digest = compare(data, observation.changes);
    witness_.log_.observations.push_back(std::move(observation));
  }

 private:
  struct Held {
    uint32_t number;
    std::string value;
    std::optional<kv::WallMs> deadline;
    uint64_t hash = 0;
    uint64_t round = 0;  // When it was last there.
  };

  uint64_t starts_of_node() {
    const auto& incidents = witness_.world_.incidents();
    const std::string& name = witness_.log_.nodes[node_];
    for (; incidents_seen_ < incidents.size(); ++incidents_seen_) {
      const sim::Incident& incident = incidents[incidents_seen_];
      if (incident.kind == sim::Incident::Kind::kStarted && incident.node == name) ++starts_;
    }
    return starts_;
  }

  // Notes what is not as it was, and returns the digest of all data: a sum, so that the order of
  // keys in memory does not count.
  uint64_t compare(const kv::Keyspace& data, std::vector<KeyChange>& changes) {
    ++round_;
    size_t count = 0;
    uint64_t digest = 0;
    for (size_t i = 0; i < data.count(); ++i) {
      const int database = static_cast<int>(i);
      if (held_.size() <= i) held_.resize(i + 1);
      data.at(database).entries().for_each([&](const kv::Entry* entry) {
        digest += look_at(database, *entry, changes);
        ++count;
      });
    }
    if (count < keys_held_) forget_missing(changes);
    keys_held_ = count;
    std::ranges::sort(changes, {}, &KeyChange::key);
    return digest;
  }

  uint64_t look_at(int database, const kv::Entry& entry, std::vector<KeyChange>& changes) {
    kv::NumberText digits;
    const bool text = entry.type() == kv::Type::kString;
    const std::string collection = text ? std::string() : kv::canonical_text(entry);
    const std::string_view value = text ? entry.text(digits) : collection;
    auto& held_keys = held_[static_cast<size_t>(database)];
    auto found = held_keys.find(entry.key());
    if (found == held_keys.end()) {
      const uint32_t number = witness_.key_number(fmt::format("{}/{}", database, entry.key()));
      found = held_keys.emplace(std::string(entry.key()), Held{number}).first;
      ++keys_held_;
    } else if (found->second.value == value && found->second.deadline == entry.deadline()) {
      found->second.round = round_;
      return found->second.hash;
    }
    Held& held = found->second;
    held.value = value;
    held.deadline = entry.deadline();
    held.hash = base::mix64(base::hash_name(value, base::hash_name(entry.key())) ^
                            base::mix64(static_cast<uint64_t>(database) + 1) ^
                            base::mix64(static_cast<uint64_t>(held.deadline.value_or(-1)) + 1));
    held.round = round_;
    changes.push_back({held.number, held.value, gone_at(held.deadline)});
    return held.hash;
  }

  void forget_missing(std::vector<KeyChange>& changes) {
    for (auto& keys : held_) {
      std::erase_if(keys, [&](const auto& item) {
        if (item.second.round == round_) return false;
        changes.push_back({item.second.number, std::nullopt, Micros::max()});
        return true;
      });
    }
  }

  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return base::hash_name(text); }
  };

  ReplicationWitness& witness_;
  uint32_t node_;
  size_t incidents_seen_ = 0;
  uint64_t starts_ = 0;
  uint64_t life_ = 0;
  uint64_t round_ = 0;
  size_t keys_held_ = 0;
  // By database. Never walked in an order that leaves this file.
  std::vector<std::unordered_map<std::string, Held, TextHash, std::equal_to<>>> held_;
};

ReplicationWitness::ReplicationWitness(const sim::World& world) : world_(world) {}
ReplicationWitness::~ReplicationWitness() = default;

kv::Observer* ReplicationWitness::of_kv(std::string_view node) {
  const auto number = static_cast<uint32_t>(log_.nodes.size());
  log_.nodes.emplace_back(node);
  observers_.push_back(std::make_unique<NodeObserver>(*this, number));
  return observers_.back().get();
}

uint32_t ReplicationWitness::key_number(const std::string& name) {
  const auto [place, added] =
      key_numbers_.try_emplace(name, static_cast<uint32_t>(log_.keys.size()));
  if (added) log_.keys.push_back(name);
  return place->second;
}

Micros ReplicationWitness::now() const {
  return std::chrono::duration_cast<Micros>(world_.now_virtual());
}

ReplicationLog ReplicationWitness::log() const {
  ReplicationLog log{log_.nodes, log_.keys, {}, {}};
  for (const std::string& name : log_.nodes) log.clocks.push_back(clock_errors(world_, name));
  std::map<std::string, uint64_t, std::less<>> lives;
  auto next = log_.observations.begin();
  const auto before = [&](Micros time) {
    while (next != log_.observations.end() && next->time < time)
      log.observations.push_back(*next++);
  };
  for (const sim::Incident& incident : world_.incidents()) {
    const auto node = std::ranges::find(log_.nodes, incident.node);
    if (incident.kind != sim::Incident::Kind::kStarted || node == log_.nodes.end()) continue;
    const Micros time = std::chrono::duration_cast<Micros>(incident.at);
    before(time);
    log.observations.push_back(
        {.time = time,
         .life = {static_cast<uint32_t>(node - log_.nodes.begin()), ++lives[incident.node]},
         .reason = ReplicationObservation::Reason::kStarted});
  }
  before(Micros::max());
  return log;
}

}  // namespace seatrial::scenarios
