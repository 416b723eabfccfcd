// The reply gate: no reply leaves before the log has kept what the reply shows. Sacred.
//
// Positions count the bytes of effects ever logged. Each reply carries the log's end at its
// execution; it passes once the log is kept that far: on disk under `appendfsync always`,
// written to the file otherwise. Invariants: kept() never runs back; after fail() nothing
// passes any more.
#pragma once

#include "base/error.h"
#include "os/sync.h"

#include <cstdint>

namespace seatrial::kv {

// What a connection's pending replies show.
struct Ticket {
  uint64_t seen = 0;   // The log's end when the last of them was executed.
  uint64_t wrote = 0;  // The end of the last write among them.
};

class ReplyGate {
 public:
  explicit ReplyGate(os::Fibers& fibers) : waiting_{os::WaitQueue(fibers), os::WaitQueue(fibers)} {}

  uint64_t end() const { return end_; }
  uint64_t kept() const { return kept_; }

  // Parks until all that the ticket shows is kept. kIo: it never will be. kCancelled.
  base::Result<void> wait(const Ticket& ticket) {
    if (kept_ >= ticket.seen && !failed_) [[likely]]
      return {};
    return wait_slowly(ticket);
  }

  // For the log.
  void logged(uint64_t bytes) { end_ += bytes; }
  // The log begins to keep everything up to `position`: who waits for it is woken in one go.
  void keeping(uint64_t position);
  void keep(uint64_t position);
  void fail();
  // The log cannot be written for now, and writes are refused. Then replies that wrote nothing
  // pass, as in Redis: reads are served while the disk is full. They may show writes that are
  // not in the file, but not one that was ever acknowledged.
  void set_stalled(bool stalled);

 private:
  base::Result<void> wait_slowly(const Ticket& ticket);

  // Who waits for what is being kept, and who for later: the index changes with keeping().
  os::WaitQueue waiting_[2];
  unsigned current_ = 0;
  uint64_t end_ = 0;
  uint64_t keeping_ = 0;
  uint64_t kept_ = 0;
  bool stalled_ = false;
  bool failed_ = false;
};

}  // namespace seatrial::kv
