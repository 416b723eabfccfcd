// What commands may ask of replication. Nothing here parks but what says so.
#pragma once

#include "base/error.h"
#include "kv/data/entry.h"
#include "resp/writer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace seatrial::kv {

class Session;

// What makes a session a replica of ours, as long as it lives.
class ReplicaAttachment {
 public:
  virtual ~ReplicaAttachment() = default;
};

// What a PSYNC asks for; SYNC and "PSYNC ? -1" ask for everything.
struct SyncRequest {
  bool plain_sync = false;  // SYNC: it is not told of ids and offsets.
  std::string id;           // Empty: it has nothing.
  uint64_t offset = 0;      // What it has of that history.
};

enum class ClientKind : uint8_t { kNormal, kPrimary, kReplica, kPubsub };

class ReplicationControl {
 public:
  virtual ~ReplicationControl() = default;

  virtual void follow(std::string host, uint16_t port) = 0;
  // Ends following; a primary stays what it is.
  virtual void promote() = 0;

  // Why nobody can be served as a replica now, as an error reply; empty: it can be.
  virtual std::string_view refusal() const = 0;
  // Makes the session a replica; from here on its stream is written by others.
  virtual void attach(Session& session, const SyncRequest& request) = 0;
  virtual void acknowledge(Session& session, uint64_t offset) = 0;

  // How many replicas have acknowledged `offset`.
  virtual int64_t acknowledged(uint64_t offset) const = 0;
  // Parks until `count` replicas have, the time is up (0: never), or the session ends; answers.
  virtual base::Result<void> await_acknowledged(Session& session, uint64_t offset, int64_t count,
                                                int64_t timeout_ms, resp::Writer& reply) = 0;

  // The section of INFO.
  virtual void describe(std::string& text) const = 0;
  virtual void role(resp::Writer& reply) const = 0;
};

}  // namespace seatrial::kv
