#include "sim/event_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace seatrial::sim {
namespace {

struct Numbered : Event {
  explicit Numbered(size_t n) : number(n) {}
  void fire() override {}
  size_t number;
};

size_t pop_number(EventQueue& queue) { return static_cast<Numbered*>(queue.pop())->number; }

TEST(EventQueue, GivesTheEarliestFirst) {
  EventQueue queue;
  Numbered one(1);
  Numbered two(2);
  queue.push(VirtualTime(20), &two);
  queue.push(VirtualTime(10), &one);
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.next_time(), VirtualTime(10));
  EXPECT_EQ(pop_number(queue), 1U);
  EXPECT_EQ(pop_number(queue), 2U);
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, AtEqualTimesTheFirstScheduledGoesFirst) {
  EventQueue queue;
  std::vector<Numbered> events;
  for (size_t i = 0; i < 100; ++i) events.emplace_back(i);
  for (Numbered& event : events) queue.push(VirtualTime(5), &event);
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(pop_number(queue), i);
}

TEST(EventQueue, AnEventMayBeScheduledTwice) {
  EventQueue queue;
  Numbered event(3);
  queue.push(VirtualTime(2), &event);
  queue.push(VirtualTime(1), &event);
  EXPECT_EQ(pop_number(queue), 3U);
  EXPECT_EQ(pop_number(queue), 3U);
  EXPECT_TRUE(queue.empty());
}

RC_GTEST_PROP(EventQueueProperty, IsAStableSort, (const std::vector<uint8_t>& times)) {
  std::vector<Numbered> events;
  for (size_t i = 0; i < times.size(); ++i) events.emplace_back(i);
  EventQueue queue;
  for (Numbered& event : events) queue.push(VirtualTime(times[event.number] % 16), &event);
  std::vector<size_t> expected(times.size());
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = i;
  std::ranges::stable_sort(expected, {}, [&](size_t i) { return times[i] % 16; });
  for (size_t number : expected) RC_ASSERT(pop_number(queue) == number);
  RC_ASSERT(queue.empty());
}

// As a run uses it: what is pushed later is never earlier than what was popped.
RC_GTEST_PROP(EventQueueProperty, TimeNeverRunsBack, (const std::vector<uint8_t>& delays)) {
  std::vector<Numbered> events;
  for (size_t i = 0; i < delays.size() + 1; ++i) events.emplace_back(i);
  EventQueue queue;
  queue.push(VirtualTime(0), &events[0]);
  VirtualTime now{0};
  for (size_t i = 0; i < delays.size(); ++i) {
    if (delays[i] % 3 == 0 && !queue.empty()) {
      RC_ASSERT(queue.next_time() >= now);
      now = queue.next_time();
      queue.pop();
    }
    queue.push(now + VirtualTime(delays[i]), &events[i + 1]);
  }
  while (!queue.empty()) {
    RC_ASSERT(queue.next_time() >= now);
    now = queue.next_time();
    queue.pop();
  }
}

}  // namespace
}  // namespace seatrial::sim
