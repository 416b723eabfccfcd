// Step 6: the replication stream as it leaves this server. A primary makes it of effects, one
// unit a request or transaction; a replica passes on what it has applied, byte for byte.
//
// Without a replica there is no stream, as in Redis: it begins, with a fresh replication id, when
// the first one comes. While it runs, the history's offset and the backlog's end are the same.
#pragma once

#include "kv/observer.h"
#include "kv/propagate/unit.h"
#include "kv/replication/backlog.h"
#include "kv/state.h"
#include "os/os.h"
#include "resp/buffer.h"

#include <initializer_list>
#include <memory>
#include <string_view>

namespace seatrial::kv {

class Feed {
 public:
  Feed(os::Os& os, State& state);

  bool active() const { return backlog_ != nullptr; }
  // The stream begins, or begins anew, at the history's offset, with `database` selected. Who
  // stands in the old one gets nothing of it.
  void start(int database = UnitEncoder::kUnknown);
  void stop();
  void reconfigured();

  // On a primary: one unit.
  void append(const Effects& effects);
  // A command without effect: PING, REPLCONF GETACK.
  void append_command(std::initializer_list<std::string_view> words);
  // The next unit selects its database again: somebody begins to read here.
  void select_again() { encoder_.restart(); }

  // On a replica: this unit was applied, and `database` is selected now.
  void relay(base::Bytes unit, int database);

  // That the stream has selected; -1: none.
  int database() const { return encoder_.database(); }
  // Null while it is not active.
  const std::shared_ptr<Backlog>& backlog() const { return backlog_; }
  // Woken whenever the stream has grown.
  os::WaitQueue& grown() { return grown_; }

  // Tells the observer how things stand.
  void observe(ReplicationPoint::Change change);

 private:
  void put(base::Bytes bytes);

  State& state_;
  UnitEncoder encoder_;
  uint64_t block_bytes_;
  std::shared_ptr<Backlog> backlog_;
  resp::Buffer unit_;
  os::WaitQueue grown_;
};

}  // namespace seatrial::kv
