#include "kv/propagate/gate.h"

#include "base/check.h"
#include "os/mark.h"

namespace seatrial::kv {

base::Result<void> ReplyGate::wait_slowly(const Ticket& ticket) {
  CHECK(ticket.seen <= end_);
  CHECK(ticket.wrote <= ticket.seen);
  while (true) {
    if (failed_) return base::fail(base::Errc::kIo);
    const uint64_t needed = stalled_ ? ticket.wrote : ticket.seen;
    if (kept_ >= needed) return {};
    MARK("gate: waited");
    const unsigned queue = needed <= keeping_ ? current_ : current_ ^ 1U;
    TRY(os::to_result(waiting_[queue].wait()));
  }
}

void ReplyGate::keeping(uint64_t position) {
  CHECK(position <= end_);
  CHECK(position >= keeping_);
  keeping_ = position;
  current_ ^= 1U;
}

void ReplyGate::keep(uint64_t position) {
  CHECK(position <= end_);
  CHECK(position >= kept_);
  kept_ = position;
  waiting_[current_].wake_all();
}

void ReplyGate::fail() {
  failed_ = true;
  for (os::WaitQueue& queue : waiting_) queue.wake_all();
}

void ReplyGate::set_stalled(bool stalled) {
  stalled_ = stalled;
  for (os::WaitQueue& queue : waiting_) queue.wake_all();
}

}  // namespace seatrial::kv
