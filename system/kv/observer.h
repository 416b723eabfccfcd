// A window on the server for who checks it from outside: what its data is at each point of its
// replication history. Pure reading; a server behaves the same with and without it.
#pragma once

#include "kv/keyspace.h"

#include <cstdint>
#include <string_view>

namespace seatrial::kv {

// Where a server stands: everything up to `offset` of the history `id`, and nothing else, is in
// its data.
struct ReplicationPoint {
  enum class Change : uint8_t {
    kApplied,   // One more unit of the stream: a request's effects, or a whole transaction's.
    kReplaced,  // All data: by a full synchronisation, or by what a start has restored.
    kRenamed,   // The history goes on under another id; the data is as it was.
  };
  Change change = Change::kApplied;
  bool primary = true;  // It takes writes of its own.
  std::string_view id;  // 40 hexadecimal digits; empty: no stream runs, the data has no history.
  int64_t offset = 0;   // Bytes of the stream.
  int database = -1;    // That the stream has selected at `offset`; -1: none yet.
};

class Observer {
 public:
  virtual ~Observer() = default;
  // At the instant of the change, before anybody can see it. May not park.
  virtual void observe(const ReplicationPoint& point, const Keyspace& data) = 0;
};

}  // namespace seatrial::kv
