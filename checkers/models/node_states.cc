#include "checkers/models/node_states.h"

#include <algorithm>

namespace seatrial::checkers {

NodeStates::NodeStates(const ReplicationLog& log) : nodes_(log.nodes.size()) {
  for (size_t i = 0; i < log.nodes.size(); i++) node_numbers_.emplace(log.nodes[i], i);
  for (uint32_t i = 0; i < log.keys.size(); i++) key_numbers_.emplace(log.keys[i], i);
  for (const ReplicationObservation& observation : log.observations) {
    Node& node = nodes_[observation.life.node];
    const size_t at = node.states.size();
    node.states.push_back(&observation);
    if (observation.reason == ReplicationObservation::Reason::kStarted) {
      for (auto& [key, versions] : node.versions) versions.push_back({at, nullptr});
    }
    for (const KeyChange& change : observation.changes) {
      node.versions[change.key].push_back({at, &change});
    }
  }
}

std::optional<NodeKey> NodeStates::parse(std::string_view text) const {
  const size_t colon = text.find(':');
  const auto node = node_numbers_.find(text.substr(0, colon));
  if (colon == std::string_view::npos || node == node_numbers_.end()) return std::nullopt;
  NodeKey parsed{node->second, std::nullopt};
  const auto key = key_numbers_.find(text.substr(colon + 1));
  if (key != key_numbers_.end()) parsed.key = key->second;
  return parsed;
}

StateRange NodeStates::within(size_t node, Micros from, Micros to) const {
  const auto& states = nodes_[node].states;
  // A state of the same microsecond may have begun after `from`: then the one before counts, too.
  const auto begun = std::ranges::lower_bound(states, from, {}, &ReplicationObservation::time);
  const auto end = std::ranges::upper_bound(states, to, {}, &ReplicationObservation::time);
  if (end == states.begin()) return {};
  const auto first = begun == states.begin() ? begun : std::prev(begun);
  return {static_cast<size_t>(first - states.begin()),
          static_cast<size_t>(end - states.begin()) - 1};
}

StateRange NodeStates::begun_between(size_t node, Micros from, Micros to) const {
  const auto& states = nodes_[node].states;
  const auto first = std::ranges::upper_bound(states, from, {}, &ReplicationObservation::time);
  const auto end = std::ranges::lower_bound(states, to, {}, &ReplicationObservation::time);
  if (first >= end) return {};
  return {static_cast<size_t>(first - states.begin()),
          static_cast<size_t>(end - states.begin()) - 1};
}

Micros NodeStates::end_of(size_t node, size_t at) const {
  return at + 1 < count(node) ? state(node, at + 1).time : Micros::max();
}

const NodeStates::Version* NodeStates::version(const NodeKey& key, size_t at) const {
  if (!key.key) return nullptr;
  const auto& versions = nodes_[key.node].versions;
  const auto found = versions.find(*key.key);
  if (found == versions.end()) return nullptr;
  const auto next = std::ranges::upper_bound(found->second, at, {}, &Version::at);
  return next == found->second.begin() ? nullptr : &*std::prev(next);
}

const KeyChange* NodeStates::value(const NodeKey& key, size_t at) const {
  const Version* const last = version(key, at);
  if (last == nullptr || last->change == nullptr || !last->change->value) return nullptr;
  return last->change;
}

bool NodeStates::changed(const NodeKey& key, size_t at) const {
  const Version* const last = version(key, at);
  return last != nullptr && last->at == at && last->change != nullptr;
}

}  // namespace seatrial::checkers
