#include "checkers/queue_lineup.h"

#include <algorithm>
#include <numeric>

namespace seatrial::checkers {
namespace {

Turns turns_of(std::span<const QueueItem> items) {
  std::vector<Turns::Span> pops;
  std::vector<Turns::Push> pushes;
  for (const QueueItem& item : items) {
    const uint32_t pop = item.pop == nullptr ? Turns::kNone : static_cast<uint32_t>(pops.size());
    if (item.pop != nullptr) pops.push_back({item.pop_call, item.pop_ret});
    pushes.push_back({.span = {item.call, item.ret},
                      .length = item.length,
                      .alone = true,
                      .pop = pop,
                      .stays = item.pop == nullptr});
  }
  return {pushes, pops};
}

}  // namespace

WaitingItems::WaitingItems(std::span<const QueueItem> items, uint32_t QueueItem::*by)
    : next_(items.size() + 1), previous_(items.size() + 1) {
  std::vector<uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](uint32_t item) { return items[item].*by; });
  uint32_t last = end();
  for (uint32_t item : order) {
    next_[last] = item;
    previous_[item] = last;
    last = item;
  }
  next_[last] = end();
  previous_[end()] = last;
}

QueueLineup::QueueLineup(std::span<const QueueItem> items,
                         std::span<const Operation* const> absences)
    : items_(items),
      absences_(absences),
      by_call_(items, &QueueItem::call),
      by_ret_(items, &QueueItem::ret),
      by_pop_ret_(items, &QueueItem::pop_ret),
      queued_(items, &QueueItem::pop_ret),
      place_(items.size(), kNone),
      turns_(turns_of(items)),
      first_return_(absences.size() + 1, kNeverAt) {
  for (size_t i = absences.size(); i-- > 0;) {
    first_return_[i] = std::min(first_return_[i + 1], absences[i]->complete_at);
  }
  uint64_t busy = 0;
  for (const QueueItem& item : items) {
    if (item.pop != nullptr) busy += item.pop_ret - item.pop_call;
  }
  noise_max_ = 1 + 4 * busy / std::max<size_t>(items.size(), 1);
}

bool QueueLineup::find(uint64_t attempts) {
  constexpr uint64_t kPatienceMin = 64;
  constexpr uint64_t kPatienceMax = 1024;
  uint32_t most = 0;
  uint64_t patience = kPatienceMin;  // Dead ends until the next leap.
  uint64_t dead_ends = 0;
  frames_.assign(1, {});
  list_candidates();
  for (; count() < items_.size(); attempts--) {
    if (attempts == 0) return false;
    Frame& frame = frames_.back();
    if (frame.next < candidates_.size()) {
      place(candidates_[frame.next++]);
      if (count() <= most) continue;
      most = count();
      patience = kPatienceMin;
      dead_ends = 0;
      noise_ = 0;
    } else if (++dead_ends < patience) {
      if (count() == 0) return false;
      take_back();
    } else {
      dead_ends = 0;
      patience = std::min(patience + patience / 8, kPatienceMax);
      leap_back();
    }
  }
  return true;
}

// Half of the time to when what is in the queue now was pushed, for its order may be what is wrong;
// else anywhere, rather near than far.
void QueueLineup::leap_back() {
  uint64_t back = 1 + random_.below(16);
  if (random_.chance(0.5)) {
    back += count() - frames_.back().popped;
  } else {
    while (back < items_.size() && random_.chance(0.7)) back *= 2;
  }
  for (; back > 0 && count() > 0; back--) take_back();
  noise_ = random_.below(1 + random_.below(noise_max_));
  candidates_.resize(frames_.back().begin);
  frames_.back().next = frames_.back().begin;
  list_candidates();
}

// Of those that can come next, the one that leaves early is tried first.
void QueueLineup::list_candidates() {
  const size_t begin = frames_.back().begin;
  const uint32_t turn = count() + 1;
  const uint32_t first_ret = first(by_ret_, &QueueItem::ret);
  for (uint32_t i = by_call_.first(); i != by_call_.end(); i = by_call_.after(i)) {
    const QueueItem& item = items_[i];
    if (item.call > first_ret) break;
    if (item.length > turn || !fits(i, turn - item.length)) continue;
    const uint64_t noise = noise_ > 0 ? random_.below(noise_) : 0;
    candidates_.push_back({uint64_t{item.pop_call} + item.pop_ret + noise, i, turn - item.length});
  }
  std::ranges::sort(std::span(candidates_).subspan(begin), {}, &Choice::preference);
}

// Whether the push of `i`, which nothing unplaced precedes, can come next, after `popped` pops.
bool QueueLineup::fits(uint32_t i, uint32_t popped) const {
  const QueueItem& item = items_[i];
  const Frame& last = frames_.back();
  if (item.pop_call > first(by_pop_ret_, &QueueItem::pop_ret) || !turns_.fits(i)) return false;
  if (popped < last.popped || !turns_.pops_fit(popped - last.popped)) return false;
  // The pops before it are those of the first items, and of no others.
  if (frames_[popped].latest_pop_call > item.ret || item.call > first_pop_after(popped))
    return false;
  if (misses_absence(item, popped)) return false;
  return !strands(i, by_ret_) && !strands(i, by_pop_ret_);
}

// When the first pop returns that is not one of the first `popped`.
uint32_t QueueLineup::first_pop_after(uint32_t popped) const {
  uint32_t item = queued_.first();
  while (item != queued_.end() && place_[item] <= popped) item = queued_.after(item);
  return item == queued_.end() ? kNeverAt : items_[item].pop_ret;
}

// The first absence without an instant, if nothing is in the queue before the next push.
size_t QueueLineup::absent_after(uint32_t popped) const {
  const size_t absent = frames_.back().absent;
  if (popped < count()) return absent;
  const uint32_t until =
      std::min(first(by_ret_, &QueueItem::ret), first(by_pop_ret_, &QueueItem::pop_ret));
  const auto later = std::ranges::partition_point(
      absences_, [&](const Operation* absence) { return absence->invoke_at < until; });
  return std::max(absent, static_cast<size_t>(later - absences_.begin()));
}

// A push raises the length by one, so from the length after `next` to that of the most urgent item
// (the first to return) other pushes must lead, one at least for each length between. Whether some
// length is missing among those that may still come before the urgent one.
bool QueueLineup::strands(uint32_t next, const WaitingItems& urgency) const {
  uint32_t urgent = urgency.first();
  if (urgent == next) urgent = urgency.after(next);
  if (urgent == urgency.end()) return false;
  const QueueItem& goal = items_[urgent];
  const uint32_t from = items_[next].length;
  if (goal.length <= from + 1 || goal.length > from + 64) return false;
  uint64_t missing = (uint64_t{1} << (goal.length - from - 1)) - 1;
  for (uint32_t i = by_call_.first(); i != by_call_.end() && missing != 0; i = by_call_.after(i)) {
    const QueueItem& item = items_[i];
    if (item.call > goal.ret) break;
    if (i == next || item.pop_call > goal.pop_ret || item.length <= from) continue;
    if (item.length < goal.length) missing &= ~(uint64_t{1} << (item.length - from - 1));
  }
  return missing != 0;
}

// Whether an absence would be over before the queue can be empty again.
bool QueueLineup::misses_absence(const QueueItem& item, uint32_t popped) const {
  const uint32_t latest = std::max({frames_.back().latest_call, item.call, item.pop_call});
  return first_return_[absent_after(popped)] < latest;
}

void QueueLineup::place(Choice choice) {
  const QueueItem& item = items_[choice.item];
  const Frame last = frames_.back();
  Frame frame = {.item = choice.item,
                 .popped = choice.popped,
                 .latest_call = std::max({last.latest_call, item.call, item.pop_call}),
                 .latest_pop_call = std::max(last.latest_pop_call, item.pop_call),
                 .absent = absent_after(choice.popped),
                 .begin = candidates_.size(),
                 .next = candidates_.size()};
  for (uint32_t p = last.popped + 1; p <= choice.popped; p++) queued_.take(frames_[p].item);
  turns_.place_pops(static_cast<int32_t>(choice.popped - last.popped));
  turns_.place(choice.item, +1);
  by_call_.take(choice.item);
  by_ret_.take(choice.item);
  by_pop_ret_.take(choice.item);
  frames_.push_back(frame);
  place_[choice.item] = count();
  list_candidates();
}

void QueueLineup::take_back() {
  const Frame frame = frames_.back();
  candidates_.resize(frame.begin);
  frames_.pop_back();
  place_[frame.item] = kNone;
  by_pop_ret_.put_back(frame.item);
  by_ret_.put_back(frame.item);
  by_call_.put_back(frame.item);
  turns_.place(frame.item, -1);
  const uint32_t popped = frames_.back().popped;
  turns_.place_pops(-static_cast<int32_t>(frame.popped - popped));
  for (uint32_t p = frame.popped; p > popped; p--) queued_.put_back(frames_[p].item);
}

}  // namespace seatrial::checkers
