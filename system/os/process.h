// The node as a process: children made by fork, and being asked to stop.
#pragma once

#include "base/error.h"
#include "os/network.h"
#include "os/time.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace seatrial::os {

using base::Result;

class Event;
struct Os;

// Data that a forked child goes on to read. The machine either lets the child read the parent's
// pages (copy on write) or calls freeze() once, at the instant of the fork.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  // A deep copy that shares nothing mutable with the original.
  virtual std::unique_ptr<Snapshot> freeze() const = 0;
  // About how much memory the data takes: the pause of a fork grows with it.
  virtual uint64_t bytes() const { return 0; }
};

using Pid = int64_t;

enum class Signal : unsigned char {
  kTerminate,  // A request to stop (SIGTERM).
  kKill,       // At once, without a word (SIGKILL).
};

struct ExitStatus {
  bool exited = false;  // Returned a code; otherwise killed by a signal, or crashed.
  int code = 0;         // The exit code, or the signal's number.
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

// What a child runs: its own Os (never its parent's), the frozen data, and the exit code as
// result. It sees nothing else of its parent: what it captures must be plain values.
using ChildMain = std::move_only_function<int(Os& os, const Snapshot& data)>;

// The same for a child that talks with its parent, over its end of their link.
using LinkedChildMain =
    std::move_only_function<int(Os& os, const Snapshot& data, std::unique_ptr<Stream> parent)>;

struct LinkedChild {
  Pid pid = 0;
  std::unique_ptr<Stream> stream;  // To the child.
};

class Process {
 public:
  virtual ~Process() = default;

  virtual Pid pid() const = 0;

  // Makes a child that sees `data` as it is now. Does not park, but may take a while: the pause
  // grows with the data. The child has the same disk and none of the parent's streams, listeners
  // or fibers; it outlives its parent (as an orphan) unless it is killed, and dies with the
  // machine. Errors: kExhausted.
  // Faults: the fork fails; the child is killed between any two of its calls; the parent is.
  virtual Result<Pid> fork(std::string_view name, const Snapshot& data, ChildMain child) = 0;

  // As fork(), with a stream between the two processes, whose addresses name nobody. It keeps what
  // network.h says of a stream between two that are on one host; no fault of the network gets at
  // it, but reads and writes may be short. When either process ends, however it does (SIGKILL
  // included), its end closes: the other reads what was written, then the end of the stream, or a
  // reset if bytes to the one that ended were unread. reset() does no more than close(). A link
  // does not tell how the child ended; wait() does. Errors: kExhausted.
  virtual Result<LinkedChild> fork_linked(std::string_view name, const Snapshot& data,
                                          LinkedChildMain child) = 0;

  // Parks until the child has ended, and forgets it. Errors: kNotFound (not a child, or waited
  // for already), kDeadline, kCancelled. An ended child that nobody waits for stays known.
  virtual Result<ExitStatus> wait(Pid child, MonotonicTime deadline = kNever) = 0;

  // To a child, or to this process itself. Does not park; returns before the child has ended.
  // No effect on a child that has ended but was not waited for. kNotFound: no such child.
  virtual Result<void> kill(Pid child, Signal signal) = 0;

  // Set once, when this process is asked to stop; whoever runs the node waits for it. A process
  // that does not look goes on. A child has its own, which its parent's stop does not set.
  virtual Event& stop_requested() = 0;
};

}  // namespace seatrial::os
