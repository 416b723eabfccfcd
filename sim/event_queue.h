// The future: what will happen, by virtual time, and at equal times in the order in which it was
// scheduled. A 4-ary heap of (time, order, event): fewer cache lines a level than a binary one.
#pragma once

#include "os/time.h"

#include <chrono>
#include <cstdint>
#include <vector>

namespace seatrial::sim {

// The world's time, since the run began. Nodes have clocks of their own, derived from it.
using VirtualTime = os::Duration;

// Rounded down: as plans and traces tell times.
constexpr int64_t to_micros(VirtualTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time).count();
}

class Event {
 public:
  virtual ~Event() = default;
  // Called once for each time it was scheduled. May schedule itself again; may not park, and may
  // not end processes (the stack it runs on can belong to one): hand that to World::administer().
  virtual void fire() = 0;
};

class EventQueue {
 public:
  void push(VirtualTime time, Event* event) {
    heap_.push_back({time.count(), next_order_++, event});
    sift_up(heap_.size() - 1);
  }
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  VirtualTime next_time() const { return VirtualTime(heap_.front().time); }

  Event* pop() {
    Event* event = heap_.front().event;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(last);
    return event;
  }

 private:
  struct Entry {
    int64_t time;
    uint64_t order;
    Event* event;
    bool before(const Entry& other) const {
      return time != other.time ? time < other.time : order < other.order;
    }
  };

  void sift_up(size_t at) {
    const Entry entry = heap_[at];
    while (at > 0) {
      const size_t parent = (at - 1) / 4;
      if (!entry.before(heap_[parent])) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = entry;
  }

  void sift_down(const Entry& entry) {
    size_t at = 0;
    const size_t count = heap_.size();
    for (;;) {
      const size_t first = at * 4 + 1;
      if (first >= count) break;
      size_t least = first;
      const size_t end = first + 4 < count ? first + 4 : count;
      for (size_t child = first + 1; child < end; ++child) {
        if (heap_[child].before(heap_[least])) least = child;
      }
      if (!heap_[least].before(entry)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = entry;
  }

  std::vector<Entry> heap_;
  uint64_t next_order_ = 0;
};

}  // namespace seatrial::sim
