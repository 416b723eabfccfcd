#include "os/sync.h"

#include "base/check.h"

namespace seatrial::os {

struct WaitQueue::Waiter {
  detail::FiberBody* body;
  Waiter* before = nullptr;
  Waiter* after = nullptr;
  bool linked = true;
};

WaitQueue::~WaitQueue() {
  // Waiters of a killed process are unwound after their queue at worst; they must not touch it.
  for (Waiter* waiter = first_; waiter != nullptr; waiter = waiter->after) {
    CHECK_MSG(fibers_.killed(), "a fiber still waits on what is being destroyed");
    waiter->linked = false;
  }
}

Wake WaitQueue::wait(MonotonicTime deadline) {
  Waiter waiter{fibers_.scheduler().current()};
  waiter.before = last_;
  (last_ != nullptr ? last_->after : first_) = &waiter;
  last_ = &waiter;
  struct Leave {
    WaitQueue& queue;
    Waiter& waiter;
    ~Leave() {
      if (waiter.linked) queue.unlink(waiter);
    }
  } leave{*this, waiter};
  return fibers_.park(deadline);
}

void WaitQueue::unlink(Waiter& waiter) {
  (waiter.before != nullptr ? waiter.before->after : first_) = waiter.after;
  (waiter.after != nullptr ? waiter.after->before : last_) = waiter.before;
  waiter.linked = false;
}

bool WaitQueue::wake_one() {
  // One whose deadline came first is on its way out and cannot take the signal: pass it on.
  while (first_ != nullptr) {
    Waiter& waiter = *first_;
    unlink(waiter);
    if (fibers_.scheduler().wake(waiter.body)) return true;
  }
  return false;
}

void WaitQueue::wake_all() {
  while (wake_one()) {
  }
}

Result<void> to_result(Wake wake) {
  switch (wake) {
    case Wake::kSignal: return {};
    case Wake::kDeadline: return base::fail(base::Errc::kDeadline);
    case Wake::kCancelled: return base::fail(base::Errc::kCancelled);
  }
  UNREACHABLE("wake {}", static_cast<int>(wake));
}

void Event::set() {
  set_ = true;
  waiters_.wake_all();
}

Result<void> Event::wait(MonotonicTime deadline) {
  if (set_) return {};
  return to_result(waiters_.wait(deadline));
}

Result<void> Mutex::lock(MonotonicTime deadline) {
  if (locked_) return to_result(waiters_.wait(deadline));  // unlock() hands it over.
  locked_ = true;
  return {};
}

void Mutex::unlock() {
  CHECK(locked_);
  // Handed to the one that has waited longest; nobody can come between.
  if (!waiters_.wake_one()) locked_ = false;
}

}  // namespace seatrial::os
