// What commands see of replication: plain figures that kv/replication/ keeps.
#pragma once

#include "kv/replication/history.h"

#include <cstdint>
#include <string>
#include <utility>

namespace seatrial::kv {

struct ReplicationStatus {
  explicit ReplicationStatus(std::string id) : history(std::move(id)) {}

  History history;
  bool streaming = false;     // The history is in use: others may stand in it.
  bool replica = false;       // It follows a primary.
  bool link_up = false;       // And applies its stream.
  int64_t good_replicas = 0;  // Online, and heard of lately.
  // Counts how often it has begun to follow: offsets of before say nothing of what was kept.
  uint64_t demotions = 0;
};

// What a connection says of itself before it becomes a replica: REPLCONF.
struct ReplicaTraits {
  std::string address;  // Empty: the one that it comes from.
  int64_t port = 0;
  bool takes_eof = false;      // A snapshot of unknown length.
  bool takes_new_id = false;   // +CONTINUE with an id.
  bool snapshot_only = false;  // No stream behind it.
};

}  // namespace seatrial::kv
