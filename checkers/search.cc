#include "checkers/search.h"

#include <functional>
#include <queue>
#include <unordered_map>

namespace seatrial::checkers {

Timeline::Timeline(std::span<const Step> steps)
    : rank_(steps.size(), kNoStep),
      slot_(steps.size(), kNoStep),
      same_class_before_(steps.size(), kNoStep) {
  order_required(steps);
  give_slots(steps);
  order_optional(steps);
}

void Timeline::order_required(std::span<const Step> steps) {
  for (uint32_t step = 0; step < steps.size(); step++) {
    CHECK(steps[step].call <= steps[step].ret);
    if (steps[step].required()) by_return_.push_back(step);
  }
  std::ranges::stable_sort(by_return_, {}, [&](uint32_t step) { return steps[step].ret; });
  for (uint32_t i = 0; i < by_return_.size(); i++) rank_[by_return_[i]] = i;
}

void Timeline::give_slots(std::span<const Step> steps) {
  std::vector<uint32_t> by_call = by_return_;
  std::ranges::stable_sort(by_call, {}, [&](uint32_t step) { return steps[step].call; });

  // A slot is free for a step that is called after its last owner returned.
  using Busy = std::pair<uint32_t, uint32_t>;  // Return, slot.
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> free;
  for (uint32_t step : by_call) {
    while (!busy.empty() && busy.top().first < steps[step].call) {
      free.push(busy.top().second);
      busy.pop();
    }
    if (free.empty()) free.push(required_slots_++);
    slot_[step] = free.top();
    free.pop();
    busy.emplace(steps[step].ret, slot_[step]);
  }

  // Who is open when each step returns, by return: the likeliest order to try them in.
  std::vector<uint32_t> active;
  size_t called = 0;
  open_start_.push_back(0);
  for (uint32_t front : by_return_) {
    while (called < by_call.size() && steps[by_call[called]].call <= steps[front].ret) {
      const uint32_t step = by_call[called++];
      const auto at = std::ranges::upper_bound(active, rank_[step], {},
                                               [&](uint32_t other) { return rank_[other]; });
      active.insert(at, step);
    }
    CHECK(!active.empty() && active.front() == front);
    open_.insert(open_.end(), active.begin(), active.end());
    open_start_.push_back(open_.size());
    active.erase(active.begin());
  }
}

void Timeline::order_optional(std::span<const Step> steps) {
  for (uint32_t step = 0; step < steps.size(); step++) {
    if (!steps[step].required()) optional_.push_back(step);
  }
  std::ranges::stable_sort(optional_, {}, [&](uint32_t step) { return steps[step].call; });
  for (uint32_t i = 0; i < optional_.size(); i++) slot_[optional_[i]] = required_slots_ + i;
  link_class(steps, by_return_);
  link_class(steps, optional_);

  uint32_t count = 0;
  for (uint32_t front : by_return_) {
    while (count < optional_.size() && steps[optional_[count]].call <= steps[front].ret) count++;
    optional_count_.push_back(count);
  }
}

void Timeline::link_class(std::span<const Step> steps, std::span<const uint32_t> ordered) {
  std::unordered_map<uint32_t, uint32_t> last_of_class;
  for (uint32_t step : ordered) {
    if (steps[step].same_class == kNoStep) continue;
    const auto [last, is_first] = last_of_class.try_emplace(steps[step].same_class, step);
    if (!is_first) same_class_before_[step] = std::exchange(last->second, step);
  }
}

uint64_t Timeline::bytes() const {
  const size_t words = by_return_.capacity() + rank_.capacity() + slot_.capacity() +
                       open_.capacity() + optional_.capacity() + optional_count_.capacity() +
                       same_class_before_.capacity();
  return words * sizeof(uint32_t) + open_start_.capacity() * sizeof(size_t);
}

}  // namespace seatrial::checkers
