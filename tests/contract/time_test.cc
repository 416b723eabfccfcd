// The clocks, and waiting by them: what os/clock.h promises.
#include "tests/contract/machine.h"

namespace seatrial::contract {
namespace {

CONTRACT_SUITE(ClockContract);

TEST_P(ClockContract, MonotonicNeverRunsBack) {
  run([](Os& os) {
    auto before = os.clock.monotonic();
    for (int i = 0; i < 1000; ++i) {
      if (i % 100 == 0) must(os.fibers.yield());
      const auto now = os.clock.monotonic();
      ASSERT_GE(now, before);
      before = now;
    }
  });
}

TEST_P(ClockContract, WallCountsFrom1970) {
  run([](Os& os) {
    const auto year = std::chrono::hours(24 * 365);
    EXPECT_GT(os.clock.wall().time_since_epoch(), 50 * year);
    EXPECT_LT(os.clock.wall().time_since_epoch(), 200 * year);
  });
}

TEST_P(ClockContract, SleepIsNeverTooShort) {
  run([](Os& os) {
    for (const os::Duration duration : {1us, 300us, 2000us}) {
      const auto until = os.clock.monotonic() + duration;
      must(os.clock.sleep_until(until));
      EXPECT_GE(os.clock.monotonic(), until);
    }
  });
}

TEST_P(ClockContract, SleepUntilThePastReturns) {
  run([](Os& os) {
    EXPECT_OK(os.clock.sleep_until(os.clock.monotonic() - 1s));
    EXPECT_OK(os.clock.sleep_until(os::MonotonicTime{}));
  });
}

TEST_P(ClockContract, SleepersWakeInTheOrderOfTheirDeadlines) {
  run([](Os& os) {
    const auto start = os.clock.monotonic();
    std::vector<int> woken;
    os::FiberGroup group(os.fibers);
    for (const int ms : {9, 3, 7, 1, 5}) {
      group.spawn("sleeper", [&, ms] {
        must(os.clock.sleep_until(start + std::chrono::milliseconds(ms)));
        woken.push_back(ms);
      });
    }
    EXPECT_OK(group.join(in(os, 5s)));
    EXPECT_EQ(woken, (std::vector{1, 3, 5, 7, 9}));
  });
}

TEST_P(ClockContract, AnEarlierDeadlineAfterALaterOneCounts) {
  run([](Os& os) {
    os::Event never(os.fibers);
    const auto start = os.clock.monotonic();
    EXPECT_FAILS(never.wait(start + 2ms), kDeadline);
    os::Event soon(os.fibers);
    os::FiberGroup group(os.fibers);
    group.spawn("setter", [&] {
      must(os.clock.sleep_for(1ms));
      soon.set();
    });
    // Leaves a deadline far off behind; the next must not wait for it.
    EXPECT_OK(soon.wait(in(os, 1h)));
    EXPECT_FAILS(never.wait(in(os, 2ms)), kDeadline);
    EXPECT_LT(os.clock.monotonic() - start, 1min);
  });
}

TEST_P(ClockContract, CancelEndsASleep) {
  run([](Os& os) {
    std::string end;
    os::Fiber sleeper = os.fibers.spawn("sleeper", [&] { end = outcome(os.clock.sleep_for(1h)); });
    must(os.clock.sleep_for(1ms));
    sleeper.cancel();
    EXPECT_OK(sleeper.join(in(os, 5s)));
    EXPECT_EQ(end, "cancelled");
  });
}

TEST_P(ClockContract, RandomStreamsDifferByName) {
  run([](Os& os) {
    auto a = os.random.stream("a");
    auto b = os.random.stream("b");
    EXPECT_NE(a.next(), b.next());
  });
}

}  // namespace
}  // namespace seatrial::contract
