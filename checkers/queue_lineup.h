// The order of a queue's items, found by giving them their places one by one: the search behind
// queue_order.h where pushes tell the queue's length.
//
// A place is a push's turn. With it, the pushes and pops before it are known, so whatever real time
// says of a placed item and any other is checked at once; models/turns.h bounds each item's place
// from the first. What cannot be seen at once (an item in the wrong place comes to the front when
// as many others as the queue is long are placed) shows as a dead end, from which the search goes
// back: step by step at first, then by leaps, with a random preference among those that fit.
#pragma once

#include "base/random.h"
#include "checkers/history.h"
#include "checkers/models/turns.h"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace seatrial::checkers {

struct QueueItem {
  const Operation* push = nullptr;
  const Operation* pop = nullptr;  // nullptr: it stays.
  uint32_t call = 0;
  uint32_t ret = kNeverAt;  // kNeverAt: of unknown outcome.
  uint32_t pop_call = kNeverAt;
  uint32_t pop_ret = kNeverAt;
  uint32_t length = 0;  // After the push; 0: not told.
};

// Items not yet placed, in some order; each can be taken out, and put back in reverse.
class WaitingItems {
 public:
  WaitingItems(std::span<const QueueItem> items, uint32_t QueueItem::*by);

  uint32_t end() const { return static_cast<uint32_t>(next_.size() - 1); }
  uint32_t first() const { return next_[end()]; }
  uint32_t after(uint32_t item) const { return next_[item]; }
  void take(uint32_t item) {
    next_[previous_[item]] = next_[item];
    previous_[next_[item]] = previous_[item];
  }
  void put_back(uint32_t item) {
    next_[previous_[item]] = item;
    previous_[next_[item]] = item;
  }

 private:
  std::vector<uint32_t> next_;
  std::vector<uint32_t> previous_;
};

class QueueLineup {
 public:
  // All items tell their length, none is of unknown outcome, and both lists are by invocation.
  // Absences found the queue empty.
  QueueLineup(std::span<const QueueItem> items, std::span<const Operation* const> absences);

  // Whether an order was found before so many items were placed. If not, there may be one.
  bool find(uint64_t attempts);

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  struct Choice {
    uint64_t preference = 0;
    uint32_t item = 0;
    uint32_t popped = 0;  // Before its push.
  };
  // After so many items as there are frames before it.
  struct Frame {
    uint32_t item = kNone;     // Which came last.
    uint32_t popped = 0;       // Before its push.
    uint32_t latest_call = 0;  // Of all that must come before what follows; of the pops alone.
    uint32_t latest_pop_call = 0;
    size_t absent = 0;  // Absences from this one on have had no instant yet.
    size_t begin = 0;   // Of its candidates.
    size_t next = 0;
  };

  uint32_t count() const { return static_cast<uint32_t>(frames_.size() - 1); }
  void list_candidates();
  bool fits(uint32_t item, uint32_t popped) const;
  void place(Choice choice);
  void take_back();
  void leap_back();
  uint32_t first(const WaitingItems& waiting, uint32_t QueueItem::*of) const {
    return waiting.first() == waiting.end() ? kNeverAt : items_[waiting.first()].*of;
  }
  uint32_t first_pop_after(uint32_t popped) const;
  size_t absent_after(uint32_t popped) const;
  bool misses_absence(const QueueItem& item, uint32_t popped) const;
  bool strands(uint32_t next, const WaitingItems& urgency) const;

  std::span<const QueueItem> items_;
  std::span<const Operation* const> absences_;
  WaitingItems by_call_;
  WaitingItems by_ret_;
  WaitingItems by_pop_ret_;
  WaitingItems queued_;  // All whose pop has no place yet, by its return.
  std::vector<uint32_t> place_;
  Turns turns_;
  std::vector<uint32_t> first_return_;  // Of the absences from each one on.
  std::vector<Frame> frames_;
  std::vector<Choice> candidates_;  // Of all frames, one after the other.
  base::RandomStream random_{1, "queue lineup"};
  uint64_t noise_ = 0;  // In the preference, so that another item goes first than the last time.
  uint64_t noise_max_ = 1;
};

}  // namespace seatrial::checkers
