// One child a seed: what crashes, hangs or babbles in one is seen, and harms nobody else.
#include "sim/seed_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <set>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

SeedEnd end_of(const std::function<int(int)>& work, std::chrono::nanoseconds watchdog = 20s) {
  SeedProcesses children(watchdog);
  EXPECT_TRUE(children.start(7, work));
  SeedEnd end;
  EXPECT_TRUE(children.wait(60s, end));
  EXPECT_EQ(children.running(), 0U);
  EXPECT_EQ(end.seed, 7U);
  return end;
}

TEST(SeedProcess, OutputComplaintsAndCodeComeBack) {
  const SeedEnd end = end_of([](int fd) {
    std::fputs("something is odd\n", stderr);
    return write(fd, "result\n", 7) == 7 ? 3 : 99;
  });
  EXPECT_EQ(end.output, "result\n");
  EXPECT_EQ(end.complaints, "something is odd\n");
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.signal, 0);
  EXPECT_FALSE(end.timed_out);
}

TEST(SeedProcess, ACrashIsASignal) {
  const SeedEnd end = end_of([](int) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return 0;
  });
  EXPECT_EQ(end.signal, SIGSEGV);
  EXPECT_FALSE(end.timed_out);
}

TEST(SeedProcess, TheWatchdogEndsWhatHangs) {
  const SeedEnd end = end_of(
      [](int) {
        for (;;) pause();
        return 0;
      },
      200ms);
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(SeedProcess, AHangWithAClosedPipeDoesNotHoldUpTheParent) {
  const SeedEnd end = end_of([](int fd) {
    close(fd);
    for (;;) pause();
    return 0;
  });
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(SeedProcess, LongComplaintsAreCutToTheirEnd) {
  const SeedEnd end = end_of([](int) {
    for (int i = 0; i < 20'000; ++i) std::fputs("and so on\n", stderr);
    std::fputs("the last words\n", stderr);
    return 0;
  });
  EXPECT_LE(end.complaints.size(), 16U * 1024);
  EXPECT_TRUE(end.complaints.ends_with("the last words\n"));
}

TEST(SeedProcess, SeveralRunSideBySide) {
  SeedProcesses children(20s);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_TRUE(children.start(seed, [seed](int) { return static_cast<int>(seed); }));
  }
  std::set<uint64_t> seen;
  SeedEnd end;
  while (children.running() > 0) {
    ASSERT_TRUE(children.wait(30s, end));
    EXPECT_EQ(end.exit_code, static_cast<int>(end.seed));
    seen.insert(end.seed);
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_FALSE(children.wait(1ms, end)) << "nobody is left";
}

}  // namespace
}  // namespace seatrial::sim
