// The trap: each of libc's ways to the outside is named where a node's code takes it, and works as
// ever where the trap is disarmed.
#include "sim/trap.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::sim::trap {
namespace {

void* nothing(void*) { return nullptr; }

char& some_byte() {
  static char byte;
  return byte;
}

msghdr& no_message() {
  static msghdr message{};
  return message;
}

void close_both(int (*make)(int*)) {
  int fds[2];
  if (make(fds) != 0) return;
  close(fds[0]);
  close(fds[1]);
}

// One call of each trapped function, by its name.
using Escapes = std::vector<std::pair<std::string, std::function<void()>>>;

Escapes clocks() {
  return {
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
      {"clock", [] { EXPECT_GE(clock(), 0); }},
      {"times",
       [] {
         tms spent;
         times(&spent);
       }},
      {"localtime",
       [] {
         const time_t t = 0;
         EXPECT_NE(localtime(&t), nullptr);
       }},
      {"localtime_r",
       [] {
         const time_t t = 0;
         tm parts;
         EXPECT_NE(localtime_r(&t, &parts), nullptr);
       }},
      {"mktime",
       [] {
         tm parts{};
         (void)mktime(&parts);
       }},
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
  };
}

Escapes randomness() {
  return {
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
      {"arc4random", [] { (void)arc4random(); }},
      {"arc4random_buf",
       [] {
         char c;
         arc4random_buf(&c, 1);
       }},
      {"rand", [] { (void)rand(); }},
      {"random", [] { (void)random(); }},
      {"std::random_device",
       [] {
         std::random_device device;
         (void)device();
       }},
  };
}

Escapes sockets() {
  return {
      {"socket", [] { close(socket(AF_INET, SOCK_STREAM, 0)); }},
      {"socketpair", [] { EXPECT_EQ(socketpair(-1, 0, 0, nullptr), -1); }},
      {"pipe", [] { close_both([](int* fds) { return pipe(fds); }); }},
      {"pipe2", [] { close_both([](int* fds) { return pipe2(fds, 0); }); }},
      {"bind", [] { EXPECT_EQ(bind(-1, nullptr, 0), -1); }},
      {"listen", [] { EXPECT_EQ(listen(-1, 1), -1); }},
      {"accept", [] { EXPECT_EQ(accept(-1, nullptr, nullptr), -1); }},
      {"accept4", [] { EXPECT_EQ(accept4(-1, nullptr, nullptr, 0), -1); }},
      {"connect", [] { EXPECT_EQ(connect(-1, nullptr, 0), -1); }},
      {"send", [] { EXPECT_EQ(send(-1, "", 0, 0), -1); }},
      {"sendto", [] { EXPECT_EQ(sendto(-1, "", 0, 0, nullptr, 0), -1); }},
      {"sendmsg", [] { EXPECT_EQ(sendmsg(-1, &no_message(), 0), -1); }},
      {"recv", [] { EXPECT_EQ(recv(-1, &some_byte(), 1, 0), -1); }},
      {"recvfrom", [] { EXPECT_EQ(recvfrom(-1, &some_byte(), 1, 0, nullptr, nullptr), -1); }},
      {"recvmsg", [] { EXPECT_EQ(recvmsg(-1, &no_message(), 0), -1); }},
      {"getaddrinfo",
       [] {
         addrinfo* found = nullptr;
         EXPECT_NE(getaddrinfo(nullptr, nullptr, nullptr, &found), 0);
       }},
      {"gethostname",
       [] {
         char name[256];
         EXPECT_EQ(gethostname(name, sizeof name), 0);
       }},
  };
}

Escapes waiting() {
  return {
      {"epoll_create1", [] { close(epoll_create1(0)); }},
      {"epoll_wait",
       [] {
         epoll_event e;
         EXPECT_EQ(epoll_wait(-1, &e, 1, 0), -1);
       }},
      {"epoll_pwait",
       [] {
         epoll_event e;
         EXPECT_EQ(epoll_pwait(-1, &e, 1, 0, nullptr), -1);
       }},
      {"poll", [] { EXPECT_EQ(poll(nullptr, 0, 0), 0); }},
      {"ppoll",
       [] {
         const timespec t{};
         EXPECT_EQ(ppoll(nullptr, 0, &t, nullptr), 0);
       }},
      {"select",
       [] {
         timeval t{};
         EXPECT_EQ(select(0, nullptr, nullptr, nullptr, &t), 0);
       }},
      {"eventfd", [] { close(eventfd(0, 0)); }},
      {"timerfd_create", [] { close(timerfd_create(CLOCK_MONOTONIC, 0)); }},
  };
}

Escapes files() {
  return {
      {"fopen", [] { std::fclose(std::fopen("/dev/null", "r")); }},
      {"open", [] { close(open("/dev/null", O_RDONLY)); }},
      {"openat", [] { close(openat(AT_FDCWD, "/dev/null", O_RDONLY)); }},
      {"creat", [] { EXPECT_EQ(creat("/nowhere/a", 0600), -1); }},
      {"read", [] { EXPECT_EQ(read(-1, &some_byte(), 1), -1); }},
      {"write", [] { EXPECT_EQ(write(-1, "", 1), -1); }},
      {"pread", [] { EXPECT_EQ(pread(-1, &some_byte(), 1, 0), -1); }},
      {"pwrite", [] { EXPECT_EQ(pwrite(-1, "", 1, 0), -1); }},
      {"ftruncate", [] { EXPECT_EQ(ftruncate(-1, 0), -1); }},
      {"truncate", [] { EXPECT_EQ(truncate("/nowhere/a", 0), -1); }},
      {"fsync", [] { EXPECT_EQ(fsync(-1), -1); }},
      {"fdatasync", [] { EXPECT_EQ(fdatasync(-1), -1); }},
      {"stat",
       [] {
         struct stat s;
         EXPECT_EQ(stat("/nowhere/a", &s), -1);
       }},
      {"lstat",
       [] {
         struct stat s;
         EXPECT_EQ(lstat("/nowhere/a", &s), -1);
       }},
      {"fstat",
       [] {
         struct stat s;
         EXPECT_EQ(fstat(-1, &s), -1);
       }},
      {"fstatat",
       [] {
         struct stat s;
         EXPECT_EQ(fstatat(AT_FDCWD, "/nowhere/a", &s, 0), -1);
       }},
      {"access", [] { EXPECT_EQ(access("/nowhere/a", R_OK), -1); }},
  };
}

Escapes names() {
  return {
      {"rename", [] { EXPECT_EQ(rename("/nowhere/a", "/nowhere/b"), -1); }},
      {"link", [] { EXPECT_EQ(link("/nowhere/a", "/nowhere/b"), -1); }},
      {"symlink", [] { EXPECT_EQ(symlink("a", "/nowhere/b"), -1); }},
      {"unlink", [] { EXPECT_EQ(unlink("/nowhere/a"), -1); }},
      {"remove", [] { EXPECT_EQ(std::remove("/nowhere/a"), -1); }},
      {"mkdir", [] { EXPECT_EQ(mkdir("/nowhere/a", 0700), -1); }},
      {"rmdir", [] { EXPECT_EQ(rmdir("/nowhere/a"), -1); }},
      {"opendir", [] { EXPECT_EQ(opendir("/nowhere/a"), nullptr); }},
  };
}

Escapes processes() {
  return {
      {"fork",
       [] {
         const pid_t pid = fork();
         if (pid == 0) _exit(0);
         EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
       }},
      {"getpid", [] { EXPECT_GT(getpid(), 0); }},
      {"getppid", [] { EXPECT_GE(getppid(), 0); }},
      {"waitpid", [] { EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1); }},
      {"kill", [] { EXPECT_EQ(kill(0x7fffffff, 0), -1); }},
      {"execve",
       [] {
         char* const none[] = {nullptr};
         EXPECT_EQ(execve("/nowhere/a", none, none), -1);
       }},
      {"getenv", [] { EXPECT_EQ(std::getenv("SEATRIAL_NO_SUCH_VARIABLE"), nullptr); }},
      {"pthread_create",
       [] {
         pthread_t thread;
         EXPECT_EQ(pthread_create(&thread, nullptr, nothing, nullptr), 0);
         EXPECT_EQ(pthread_join(thread, nullptr), 0);
       }},
      {"sched_yield", [] { EXPECT_EQ(sched_yield(), 0); }},
  };
}

Escapes escapes() {
  Escapes all;
  for (const auto& group :
       {clocks(), randomness(), sockets(), waiting(), files(), names(), processes()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
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

[[gnu::noipa]] long escape_of_this_function() {
  const long now = static_cast<long>(time(nullptr));
  return now + 1;  // No tail call.
}

TEST(TrapDeathTest, TheCallerIsNamedWithItsLine) {
  EXPECT_DEATH(
      {
        arm();
        volatile long kept = escape_of_this_function();
        (void)kept;
      },
      "called time\\(\\): .*escape_of_this_function.* at trap_test.cc:[0-9]+ < ");
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
