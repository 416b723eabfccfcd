// Sees the data of every kv server of a run at each point of its replication history, and writes
// down what changed there: the log that checkers/replication.h judges.
#pragma once

#include "checkers/replication.h"
#include "scenarios/witness.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::scenarios {

class ReplicationWitness : public Witness {
 public:
  explicit ReplicationWitness(const sim::World& world);
  ~ReplicationWitness() override;
  kv::Observer* of_kv(std::string_view node) override;

  // Everything seen so far, with the starts of the servers.
  checkers::ReplicationLog log() const;

 private:
  class NodeObserver;

  uint32_t key_number(const std::string& name);
  checkers::Micros now() const;

  const sim::World& world_;
  checkers::ReplicationLog log_;
  std::map<std::string, uint32_t> key_numbers_;
  std::vector<std::unique_ptr<NodeObserver>> observers_;  // By number of the node.
};

}  // namespace seatrial::scenarios
