#include "os/sync.h"
#include "base/random.h"
#include "tests/os/fake_dispatch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::os {
namespace {

using base::Errc;
using Names = std::vector<std::string>;

std::string outcome(const Result<void>& result) {
  return result ? "ok" : std::string(to_string(result.error().code()));
}

// ---- WaitQueue

TEST(WaitQueue, WakesTheOneThatHasWaitedLongest) {
  FakeMachine machine;
  WaitQueue queue(machine.fibers);
  Names order;
  for (const char* name : {"a", "b", "c"}) {
    machine.fibers.spawn(name, [&, name] {
      EXPECT_EQ(queue.wait(), Wake::kSignal);
      order.push_back(name);
    });
  }
  machine.fibers.spawn("waker", [&] {
    EXPECT_TRUE(queue.wake_one());
    EXPECT_TRUE(machine.fibers.yield());
    EXPECT_EQ(order, Names{"a"});
    queue.wake_all();
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(queue.wake_one());
  });
  machine.run();
  EXPECT_EQ(order, (Names{"a", "b", "c"}));
}

// A waiter whose deadline has fired, or that was cancelled, but that has not run since, cannot
// take the signal: it goes to the next.
TEST(WaitQueue, ASignalIsNotLostToOneThatIsLeaving) {
  for (const bool by_deadline : {true, false}) {
    FakeMachine machine;
    WaitQueue queue(machine.fibers);
    std::vector<Wake> ends(2);
    Fiber leaving = machine.fibers.spawn(
        "leaving", [&] { ends[0] = queue.wait(by_deadline ? at_ms(5) : kNever); });
    machine.fibers.spawn("staying", [&] { ends[1] = queue.wait(at_ms(50)); });
    machine.dispatch.script.emplace(at_ms(5), [&] {
      if (by_deadline) {
        machine.scheduler.expire(at_ms(5));
      } else {
        leaving.cancel();
      }
      EXPECT_TRUE(queue.wake_one());
    });
    machine.run();
    EXPECT_EQ(ends[0], by_deadline ? Wake::kDeadline : Wake::kCancelled);
    EXPECT_EQ(ends[1], Wake::kSignal);
    EXPECT_TRUE(queue.empty());
  }
}

TEST(WaitQueue, ASignalledWaiterIsNotTakenBackByItsDeadline) {
  FakeMachine machine;
  WaitQueue queue(machine.fibers);
  Wake end = Wake::kDeadline;
  Fiber waiter = machine.fibers.spawn("waiter", [&] { end = queue.wait(at_ms(5)); });
  machine.dispatch.script.emplace(at_ms(5), [&] {
    EXPECT_TRUE(queue.wake_one());
    machine.scheduler.expire(at_ms(5));
    waiter.cancel();
  });
  machine.run();
  EXPECT_EQ(end, Wake::kSignal);
}

TEST(WaitQueue, MayGoBeforeTheKilledThatWaitOnIt) {
  FakeMachine machine;
  auto queue = std::make_unique<WaitQueue>(machine.fibers);
  machine.fibers.spawn("older", [&] { (void)queue->wait(); });
  machine.fibers.spawn("owner", [&] {
    const auto own = std::move(queue);
    queue.reset();
    (void)machine.fibers.park();
  });
  // The older fiber waits on what the newer one owns, which is unwound first.
  machine.dispatch.script.emplace(at_ms(1), [&] { machine.dispatch.stopped = true; });
  machine.run();
  machine.fibers.kill();
  EXPECT_EQ(machine.fibers.live(), 0u);
}

TEST(WaitQueueDeathTest, MayNotGoBeforeTheLiving) {
  FakeMachine machine;
  EXPECT_DEATH(
      {
        auto queue = std::make_unique<WaitQueue>(machine.fibers);
        machine.fibers.spawn("waiter", [&] { (void)queue->wait(); });
        machine.fibers.spawn("owner", [&] { queue.reset(); });
        machine.run();
      },
      "still waits");
}

// ---- Event

TEST(Event, WakesAllOnceSet) {
  FakeMachine machine;
  Event event(machine.fibers);
  int woken = 0;
  for (int i = 0; i < 5; ++i) {
    machine.fibers.spawn("waiter", [&] {
      EXPECT_TRUE(event.wait());
      ++woken;
    });
  }
  machine.fibers.spawn("late",
                       [&] { EXPECT_EQ(outcome(event.wait(at_ms(3))), "deadline passed"); });
  machine.dispatch.script.emplace(at_ms(10), [&] { event.set(); });
  machine.run();
  EXPECT_EQ(woken, 5);
  EXPECT_TRUE(event.is_set());
}

TEST(Event, ResetMakesThemWaitAgain) {
  FakeMachine machine;
  Event event(machine.fibers);
  machine.fibers.spawn("waiter", [&] {
    event.set();
    EXPECT_EQ(outcome(event.wait()), "ok");
    event.reset();
    EXPECT_EQ(outcome(event.wait(at_ms(5))), "deadline passed");
  });
  machine.run();
  EXPECT_FALSE(event.is_set());
}

// ---- Mutex

TEST(Mutex, IsHandedOverInOrder) {
  FakeMachine machine;
  Mutex mutex(machine.fibers);
  Names order;
  machine.fibers.spawn("holder", [&] {
    EXPECT_TRUE(mutex.lock());
    EXPECT_TRUE(machine.sleep_until_ms(5));
    mutex.unlock();
    // It is the first waiter's by now, and nobody comes between.
    EXPECT_TRUE(mutex.lock());
    order.push_back("holder again");
    mutex.unlock();
  });
  for (const char* name : {"a", "b"}) {
    machine.fibers.spawn(name, [&, name] {
      EXPECT_TRUE(mutex.lock());
      order.push_back(name);
      EXPECT_TRUE(machine.fibers.yield());
      mutex.unlock();
    });
  }
  machine.run();
  EXPECT_EQ(order, (Names{"a", "b", "holder again"}));
}

TEST(Mutex, IsNotLostWithAWaiterThatGivesUp) {
  FakeMachine machine;
  Mutex mutex(machine.fibers);
  std::vector<std::string> ends(2);
  machine.fibers.spawn("holder", [&] {
    EXPECT_TRUE(mutex.lock());
    EXPECT_TRUE(machine.sleep_until_ms(5));
    // Both at 5: the waiter's deadline fires before it is handed anything.
    EXPECT_TRUE(machine.fibers.yield());
    mutex.unlock();
  });
  machine.fibers.spawn("impatient", [&] { ends[0] = outcome(mutex.lock(at_ms(5))); });
  machine.fibers.spawn("patient", [&] {
    ends[1] = outcome(mutex.lock(at_ms(50)));
    mutex.unlock();
  });
  machine.run();
  EXPECT_EQ(ends[0], "deadline passed");
  EXPECT_EQ(ends[1], "ok");
  EXPECT_EQ(machine.dispatch.time, at_ms(5));
}

TEST(MutexDeathTest, UnlockNeedsALock) {
  FakeMachine machine;
  Mutex mutex(machine.fibers);
  EXPECT_DEATH(mutex.unlock(), "CHECK\\(locked_\\)");
}

// ---- Channel

TEST(Channel, HoldsBackTheSender) {
  FakeMachine machine;
  Channel<int> channel(machine.fibers, 2);
  std::vector<int> got;
  int sent = 0;
  machine.fibers.spawn("sender", [&] {
    for (int i = 0; i < 6; ++i) {
      EXPECT_TRUE(channel.send(i));
      ++sent;
    }
  });
  machine.fibers.spawn("receiver", [&] {
    EXPECT_EQ(sent, 2);
    for (int i = 0; i < 6; ++i) got.push_back(*channel.receive());
  });
  machine.run();
  EXPECT_EQ(got, (std::vector{0, 1, 2, 3, 4, 5}));
}

TEST(Channel, DeadlinesOnBothSides) {
  FakeMachine machine;
  Channel<int> channel(machine.fibers, 1);
  machine.fibers.spawn("fiber", [&] {
    EXPECT_EQ(channel.receive(at_ms(1)).error(), Errc::kDeadline);
    EXPECT_TRUE(channel.send(1, at_ms(1)));
    EXPECT_EQ(channel.send(2, at_ms(2)).error(), Errc::kDeadline);
    EXPECT_EQ(channel.receive(at_ms(2)), 1);
    EXPECT_EQ(channel.size(), 0u);
  });
  machine.run();
}

TEST(Channel, ClosedGivesWhatItHolds) {
  FakeMachine machine;
  Channel<int> channel(machine.fibers, 2);
  Names ends;
  machine.fibers.spawn("sender", [&] {
    EXPECT_TRUE(channel.send(1));
    EXPECT_TRUE(channel.send(2));
    ends.push_back(outcome(channel.send(3)));  // Parked when it is closed.
  });
  machine.fibers.spawn("closer", [&] {
    channel.close();
    EXPECT_TRUE(channel.closed());
    EXPECT_TRUE(machine.fibers.yield());
    EXPECT_EQ(channel.receive(), 1);
    EXPECT_EQ(channel.receive(), 2);
    EXPECT_EQ(channel.receive().error(), Errc::kClosed);
    ends.push_back(outcome(channel.send(4)));
  });
  machine.run();
  EXPECT_EQ(ends, (Names{"closed", "closed"}));
}

TEST(Channel, CloseWakesParkedReceivers) {
  FakeMachine machine;
  Channel<int> channel(machine.fibers, 1);
  int closed = 0;
  for (int i = 0; i < 3; ++i) {
    machine.fibers.spawn("receiver",
                         [&] { closed += channel.receive().error() == Errc::kClosed ? 1 : 0; });
  }
  machine.fibers.spawn("closer", [&] { channel.close(); });
  machine.run();
  EXPECT_EQ(closed, 3);
}

// Senders and receivers that come, give up and are cancelled at random: nothing is lost or
// doubled, and nobody waits for ever while there is something for him.
TEST(Channel, LosesNothingUnderRandomUse) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    FakeMachine machine(seed % 2 == 0 ? Order::kShuffled : Order::kArrival);
    machine.fibers.key = seed;
    base::RandomStream random(seed);
    Channel<int> channel(machine.fibers, 3);
    std::vector<int> sent;
    std::vector<int> received;
    std::vector<Fiber> fibers;
    for (int i = 0; i < 8; ++i) {
      fibers.push_back(machine.fibers.spawn("sender", [&, i] {
        for (int j = 0; j < 40; ++j) {
          const auto pause = std::chrono::milliseconds(random.between(1, 10));
          if (machine.fibers.park(machine.dispatch.time + pause) == Wake::kCancelled) return;
          if (channel.send(i * 100 + j, machine.dispatch.time + pause)) sent.push_back(i * 100 + j);
        }
      }));
      fibers.push_back(machine.fibers.spawn("receiver", [&] {
        for (;;) {
          const auto patience = std::chrono::milliseconds(random.between(1, 10));
          auto value = channel.receive(machine.dispatch.time + patience);
          if (value) received.push_back(*value);
          if (!value && !(value.error() == Errc::kDeadline)) return;
        }
      }));
    }
    machine.dispatch.script.emplace(at_ms(60), [&] { fibers[0].cancel(), fibers[1].cancel(); });
    machine.dispatch.script.emplace(at_ms(2000), [&] { channel.close(); });
    machine.run();
    EXPECT_EQ(machine.fibers.live(), 0u);
    EXPECT_GT(sent.size(), 100u);
    std::sort(sent.begin(), sent.end());
    std::sort(received.begin(), received.end());
    EXPECT_EQ(sent, received) << "seed " << seed;
  }
}

}  // namespace
}  // namespace seatrial::os
