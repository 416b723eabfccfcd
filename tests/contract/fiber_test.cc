// Fibers and what they wait for each other with, as far as it is the same on every machine. Which
// of several runnable fibers goes next is the machine's choice.
#include "tests/contract/machine.h"

namespace seatrial::contract {
namespace {

CONTRACT_SUITE(FiberContract);

TEST_P(FiberContract, ASpawnedFiberRunsOnceTheCallerParks) {
  run([](Os& os) {
    bool ran = false;
    os::Fiber fiber = os.fibers.spawn("fiber", [&] { ran = true; });
    EXPECT_FALSE(ran);
    EXPECT_FALSE(fiber.done());
    EXPECT_OK(fiber.join());
    EXPECT_TRUE(ran);
    EXPECT_TRUE(fiber.done());
    EXPECT_OK(fiber.join()) << "also a second time";
  });
}

TEST_P(FiberContract, JoinHasADeadlineAndCanBeCancelled) {
  run([](Os& os) {
    os::Event go(os.fibers);
    os::Fiber waiter = os.fibers.spawn("waiter", [&] { (void)go.wait(); });
    EXPECT_FAILS(waiter.join(in(os, 2ms)), kDeadline);
    std::string end;
    os::Fiber joiner = os.fibers.spawn("joiner", [&] { end = outcome(waiter.join()); });
    must(os.clock.sleep_for(1ms));
    joiner.cancel();
    EXPECT_OK(joiner.join(in(os, 5s)));
    EXPECT_EQ(end, "cancelled");
    go.set();
    EXPECT_OK(waiter.join(in(os, 5s)));
  });
}

TEST_P(FiberContract, YieldLetsEveryoneGetOn) {
  run([](Os& os) {
    constexpr int kRounds = 200;
    std::vector<int> rounds(4, 0);
    os::FiberGroup group(os.fibers);
    for (int& mine : rounds) {
      group.spawn("yielder", [&] {
        while (mine < kRounds) {
          must(os.fibers.yield());
          ++mine;
        }
      });
    }
    // When the first is done none is far behind, whoever chooses.
    while (std::ranges::none_of(rounds, [](int n) { return n == kRounds; })) {
      must(os.fibers.yield());
    }
    for (const int n : rounds) EXPECT_GT(n, kRounds / 4);
    EXPECT_OK(group.join(in(os, 5s)));
  });
}

TEST_P(FiberContract, AYieldingFiberKeepsNobodyFromTimersAndBytes) {
  run([](Os& os) {
    auto listener = must(os.network.listen({"localhost", 0}));
    bool done = false;
    os::FiberGroup group(os.fibers);
    group.spawn("other", [&] {
      must(os.clock.sleep_for(1ms));
      auto stream = must(os.network.connect({"localhost", listener->local().port}, in(os, 5s)));
      must(listener->accept(in(os, 5s)));
      done = true;
    });
    // Virtual time passes only where somebody waits for it.
    for (int i = 0; i < 10'000'000 && !done; ++i) {
      must(i % 1000 == 0 ? os.clock.sleep_for(1us) : os.fibers.yield());
    }
    EXPECT_TRUE(done);
  });
}

TEST_P(FiberContract, AGroupEndsWithItsScope) {
  run([](Os& os) {
    int ended = 0;
    {
      os::FiberGroup group(os.fibers);
      for (int i = 0; i < 40; ++i) {
        group.spawn("member", [&] {
          EXPECT_FAILS(os.clock.sleep_for(1h), kCancelled);
          ++ended;
        });
      }
      must(os.clock.sleep_for(1ms));
      EXPECT_EQ(group.live(), 40u);
    }
    EXPECT_EQ(ended, 40);
  });
}

TEST_P(FiberContract, AnEventWakesAllAndStaysSet) {
  run([](Os& os) {
    os::Event event(os.fibers);
    int woken = 0;
    os::FiberGroup group(os.fibers);
    for (int i = 0; i < 3; ++i) {
      group.spawn("waiter", [&] {
        must(event.wait());
        ++woken;
      });
    }
    must(os.clock.sleep_for(1ms));
    EXPECT_EQ(woken, 0);
    event.set();
    EXPECT_OK(group.join(in(os, 5s)));
    EXPECT_EQ(woken, 3);
    EXPECT_OK(event.wait(os.clock.monotonic() - 1s));
    event.reset();
    EXPECT_FAILS(event.wait(in(os, 1ms)), kDeadline);
  });
}

TEST_P(FiberContract, AMutexIsHeldByOne) {
  run([](Os& os) {
    os::Mutex mutex(os.fibers);
    int inside = 0;
    int entered = 0;
    os::FiberGroup group(os.fibers);
    for (int i = 0; i < 5; ++i) {
      group.spawn("worker", [&] {
        must(mutex.lock());
        EXPECT_EQ(++inside, 1);
        must(os.clock.sleep_for(100us));
        --inside;
        ++entered;
        mutex.unlock();
      });
    }
    EXPECT_OK(group.join(in(os, 5s)));
    EXPECT_EQ(entered, 5);
  });
}

TEST_P(FiberContract, AChannelIsBoundedAndKeepsOrder) {
  run([](Os& os) {
    os::Channel<int> channel(os.fibers, 3);
    os::FiberGroup group(os.fibers);
    group.spawn("sender", [&] {
      for (int i = 0; i < 20; ++i) must(channel.send(i));
      channel.close();
      EXPECT_FAILS(channel.send(99), kClosed);
    });
    must(os.clock.sleep_for(1ms));
    EXPECT_EQ(channel.size(), 3u);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(must(channel.receive(in(os, 5s))), i);
    EXPECT_FAILS(channel.receive(in(os, 5s)), kClosed);
  });
}

}  // namespace
}  // namespace seatrial::contract
