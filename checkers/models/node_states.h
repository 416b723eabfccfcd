// What each node of a replicated store held, and when: the states that an observer saw, one
// after the other, with their data key by key.
#pragma once

#include "checkers/replication.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seatrial::checkers {

// A key of one node, as histories of type "replica" write it: "kv1:3/name".
struct NodeKey {
  size_t node = 0;
  std::optional<uint32_t> key;  // Nothing: no node ever held it.
};

// States of a node from `first` to `last`, both included; empty where first > last.
struct StateRange {
  size_t first = 1;
  size_t last = 0;
};

class NodeStates {
 public:
  explicit NodeStates(const ReplicationLog& log);

  // Nothing: there is no such node.
  std::optional<NodeKey> parse(std::string_view text) const;

  size_t count(size_t node) const { return nodes_[node].states.size(); }
  const ReplicationObservation& state(size_t node, size_t at) const {
    return *nodes_[node].states[at];
  }
  // The states that the node can have been in at some instant of [from, to].
  StateRange within(size_t node, Micros from, Micros to) const;
  // Those that certainly began after `from` and before `to`.
  StateRange begun_between(size_t node, Micros from, Micros to) const;
  // When that state had ended.
  Micros end_of(size_t node, size_t at) const;

  // The key's value and deadline in that state; null where it is not there.
  const KeyChange* value(const NodeKey& key, size_t at) const;
  // Whether the state began with a change of the key.
  bool changed(const NodeKey& key, size_t at) const;
  // Whether its data is known at all.
  bool known(size_t node, size_t at) const {
    return state(node, at).reason != ReplicationObservation::Reason::kStarted;
  }
  bool replaced(size_t node, size_t at) const {
    return state(node, at).reason == ReplicationObservation::Reason::kReplaced;
  }

 private:
  struct Version {
    size_t at;
    const KeyChange* change;  // Null: a life began, the key is not there.
  };
  struct Node {
    std::vector<const ReplicationObservation*> states;
    std::unordered_map<uint32_t, std::vector<Version>> versions;  // By key.
  };

  // The last version at or before that state.
  const Version* version(const NodeKey& key, size_t at) const;

  std::vector<Node> nodes_;
  std::unordered_map<std::string_view, size_t> node_numbers_;
  std::unordered_map<std::string_view, uint32_t> key_numbers_;
};

}  // namespace seatrial::checkers
