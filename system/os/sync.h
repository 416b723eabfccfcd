// Waiting for another fiber of the same process. Every wait takes a deadline and ends early with
// kCancelled; what need not wait succeeds, also late and in a cancelled fiber. None of these is
// for use between processes.
#pragma once

#include "os/fiber.h"

#include <deque>
#include <optional>

namespace seatrial::os {

// Fibers parked in a row. The bottom of all that follows.
class WaitQueue {
 public:
  explicit WaitQueue(Fibers& fibers) : fibers_(fibers) {}
  ~WaitQueue();
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  // Parks at the end of the row.
  Wake wait(MonotonicTime deadline = kNever);
  // Wakes the one that has waited longest; false if nobody waits.
  bool wake_one();
  void wake_all();
  bool empty() const { return first_ == nullptr; }
  Fibers& fibers() { return fibers_; }

 private:
  struct Waiter;
  void unlink(Waiter& waiter);

  Fibers& fibers_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

// Translates why a wait ended into the error that the callers of os know.
Result<void> to_result(Wake wake);

// Set until reset; everybody who waits goes on when it is set.
class Event {
 public:
  explicit Event(Fibers& fibers) : waiters_(fibers) {}
  void set();
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  Result<void> wait(MonotonicTime deadline = kNever);

 private:
  WaitQueue waiters_;
  bool set_ = false;
};

// For sections that park in the middle; code between os calls needs none. First come, first
// served.
class Mutex {
 public:
  explicit Mutex(Fibers& fibers) : waiters_(fibers) {}
  Result<void> lock(MonotonicTime deadline = kNever);
  void unlock();

 private:
  WaitQueue waiters_;
  bool locked_ = false;
};

// A bounded queue. A closed channel takes nothing more and gives what it still holds, then
// kClosed.
template <typename T>
class Channel {
 public:
  Channel(Fibers& fibers, size_t capacity)
      : capacity_(capacity), not_empty_(fibers), not_full_(fibers) {}

  Result<void> send(T value, MonotonicTime deadline = kNever) {
    while (!closed_ && items_.size() >= capacity_) {
      TRY(to_result(not_full_.wait(deadline)));
    }
    if (closed_) return base::fail(base::Errc::kClosed);
    items_.push_back(std::move(value));
    not_empty_.wake_one();
    return {};
  }

  Result<T> receive(MonotonicTime deadline = kNever) {
    while (items_.empty()) {
      if (closed_) return base::fail(base::Errc::kClosed);
      TRY(to_result(not_empty_.wait(deadline)));
    }
    T value = std::move(items_.front());
    items_.pop_front();
    not_full_.wake_one();
    // One signal may have stood for several items: pass it on.
    if (!items_.empty()) not_empty_.wake_one();
    return value;
  }

  void close() {
    closed_ = true;
    not_empty_.wake_all();
    not_full_.wake_all();
  }
  size_t size() const { return items_.size(); }
  bool closed() const { return closed_; }

 private:
  size_t capacity_;
  bool closed_ = false;
  std::deque<T> items_;
  WaitQueue not_empty_;
  WaitQueue not_full_;
};

}  // namespace seatrial::os
