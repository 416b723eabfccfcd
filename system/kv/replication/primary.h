// The side of replication that has replicas: who they are, what each is given, what they have
// acknowledged. On a replica it serves sub-replicas in the same way.
#pragma once

#include "kv/replication/feed.h"
#include "kv/replication/full_sync.h"
#include "kv/replication/replica_link.h"
#include "kv/state.h"
#include "os/os.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace seatrial::kv {

class Primary {
 public:
  Primary(os::Os& os, State& state, Feed& feed, Children& children);

  // Makes the session a replica: by what it has and what the backlog holds, the stream goes on
  // where it left, or it gets everything.
  void attach(Session& session, const SyncRequest& request);
  void forget(ReplicaLink& link);
  // Every replica has to come again.
  void cut_all(std::string_view reason);

  // How many replicas that are online have acknowledged `offset`.
  int64_t acknowledged(uint64_t offset) const;
  os::WaitQueue& acknowledgements() { return acknowledgements_; }
  // Asks all replicas to acknowledge now.
  void request_acknowledgements();

  // Sets how many replicas a write may count on.
  void count_good();
  // The stream has grown: cuts who cannot follow.
  void enforce_limits();
  // Once a second: pings, timeouts, how many are good.
  void tick();

  const std::vector<ReplicaLink*>& replicas() const { return replicas_; }
  // Since when there is no replica.
  os::MonotonicTime alone_since() const { return alone_since_; }
  void count_as_alone_from_now() { alone_since_ = os_.clock.monotonic(); }

  os::Os& os() { return os_; }
  State& state() { return state_; }
  Feed& feed() { return feed_; }
  FullSync& full_sync() { return full_sync_; }

 private:
  // Replicas that are online and fit. One that has come again counts once, although the link that
  // it had before may not have been found dead yet.
  int64_t count(const std::function<bool(const ReplicaLink&)>& fits) const;
  // The stream begins with the first replica, under an id that nobody has.
  void begin_history();
  // Without replicas for long enough, it ends.
  void end_history_if_alone();

  os::Os& os_;
  State& state_;
  Feed& feed_;
  FullSync full_sync_;
  base::RandomStream random_;
  std::vector<ReplicaLink*> replicas_;  // In the order in which they came.
  os::WaitQueue acknowledgements_;
  std::optional<uint64_t> requested_at_;  // The stream's end behind the last GETACK.
  os::MonotonicTime alone_since_;
  os::MonotonicTime last_ping_;
};

}  // namespace seatrial::kv
