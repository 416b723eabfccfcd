// The server's child: at most one at a time, as in Redis, whatever it is for. Whoever starts it is
// told how it ended, by the one fiber that reaps.
//
// A child may outlive this server as an orphan and work on. So a child only prepares: it writes
// files under temporary names and ends with 0 once they are durable. What makes them count, a
// rename or a new manifest, is done by the parent in `ended`, after it has reaped the child. Nobody
// reaps an orphan, so no orphan can ever publish what a later server has left behind.
#pragma once

#include "kv/child_status.h"
#include "os/os.h"

#include <functional>
#include <memory>
#include <string_view>

namespace seatrial::kv {

struct ChildEnd {
  os::ExitStatus status;
  bool intended = false;  // This server has killed it.

  bool succeeded() const { return status.exited && status.code == 0 && !intended; }
};

class Children {
 public:
  // Called once. May park; while it runs the child still counts as running, so that no other one
  // starts before the outcome of the last is settled.
  using Ended = std::move_only_function<void(const ChildEnd& end)>;

  Children(os::Os& os, ChildStatus& status)
      : os_(os), status_(status), work_(os.fibers), settled_(os.fibers) {}

  bool running() const { return status_.kind.has_value(); }

  // Forks. Does not park. Errors: kBusy (one runs), kExhausted.
  base::Result<os::Pid> start(ChildKind kind, const os::Snapshot& data, os::ChildMain main,
                              Ended ended);
  // The same for a child that sends what it makes to its parent.
  base::Result<std::unique_ptr<os::Stream>> start_linked(ChildKind kind, const os::Snapshot& data,
                                                         os::LinkedChildMain main, Ended ended);
  // Ends the one that runs, if there is one; its `ended` is called once it is reaped. Does not
  // park.
  void kill();

  // Parks until none runs. Errors: kCancelled.
  base::Result<void> await_end();

  // The reaper, until its fiber is cancelled.
  void run();
  // At the end of the server, when run() has returned: kills and reaps what is left, and has the
  // one who started it told.
  void end();

 private:
  void started(ChildKind kind, os::Pid pid, os::MonotonicTime begun, Ended ended);
  // False: cancelled; the child is still there.
  bool reap();

  os::Os& os_;
  ChildStatus& status_;
  Ended ended_;
  bool killed_ = false;
  os::Event work_;
  os::WaitQueue settled_;
};

}  // namespace seatrial::kv
