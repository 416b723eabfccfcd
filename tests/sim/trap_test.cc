// The trap: each of libc's ways to the outside is named where a node's code takes it, and works as
// ever where the trap is disarmed.
#include "sim/trap.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>

namespace seatrial::sim::trap {
namespace {

void* nothing(void*) { return nullptr; }

// One call of each trapped function.
const std::map<std::string, std::function<void()>>& escapes() {
  static const std::map<std::string, std::function<void()>> kEscapes{
      {"clock_gettime",
       [] {
         timespec t;
         clock_gettime(CLOCK_REALTIME, &t);
       }},
      {"gettimeofday",
       [] {
         timeval t;
         gettimeofday(&t, nullptr);
       }},
      {"time", [] { time(nullptr); }},
      {"nanosleep",
       [] {
         const timespec t{};
         nanosleep(&t, nullptr);
       }},
      {"clock_nanosleep",
       [] {
         const timespec t{};
         clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
       }},
      {"usleep", [] { usleep(0); }},
      {"sleep", [] { sleep(0); }},
      {"getrandom",
       [] {
         char c;
         EXPECT_EQ(getrandom(&c, 1, 0), 1);
       }},
      {"getentropy",
       [] {
         char c;
         EXPECT_EQ(getentropy(&c, 1), 0);
       }},
      {"socket", [] { close(socket(AF_INET, SOCK_STREAM, 0)); }},
      {"connect", [] { EXPECT_EQ(connect(-1, nullptr, 0), -1); }},
      {"epoll_wait",
       [] {
         epoll_event e;
         EXPECT_EQ(epoll_wait(-1, &e, 1, 0), -1);
       }},
      {"poll", [] { EXPECT_EQ(poll(nullptr, 0, 0), 0); }},
      {"fopen", [] { std::fclose(std::fopen("/dev/null", "r")); }},
      {"open", [] { close(open("/dev/null", O_RDONLY)); }},
      {"fsync", [] { EXPECT_EQ(fsync(-1), -1); }},
      {"fdatasync", [] { EXPECT_EQ(fdatasync(-1), -1); }},
      {"rename", [] { EXPECT_EQ(rename("/nowhere/a", "/nowhere/b"), -1); }},
      {"unlink", [] { EXPECT_EQ(unlink("/nowhere/a"), -1); }},
      {"fork",
       [] {
         const pid_t pid = fork();
         if (pid == 0) _exit(0);
         EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
       }},
      {"pthread_create",
       [] {
         pthread_t thread;
         EXPECT_EQ(pthread_create(&thread, nullptr, nothing, nullptr), 0);
         EXPECT_EQ(pthread_join(thread, nullptr), 0);
       }},
  };
  return kEscapes;
}

TEST(TrapDeathTest, EachEscapeIsNamed) {
  for (const auto& [name, escape] : escapes()) {
    EXPECT_DEATH(
        {
          arm();
          escape();
        },
        "a simulated node called " + name + "\\(\\)")
        << name;
  }
}

TEST(Trap, DisarmedEverythingWorks) {
  ASSERT_FALSE(armed());
  for (const auto& [name, escape] : escapes()) escape();
}

TEST(Trap, ATruceEndsAsItBegan) {
  {
    const Truce truce;
    EXPECT_FALSE(armed());
  }
  EXPECT_FALSE(armed());
  arm();
  bool inside = true;
  {
    const Truce truce;
    inside = armed();
  }
  const bool after = disarm();
  EXPECT_FALSE(inside);
  EXPECT_TRUE(after);
}

}  // namespace
}  // namespace seatrial::sim::trap
