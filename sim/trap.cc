#include "sim/trap.h"

#include "base/check.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace seatrial::sim::trap {
namespace {

// A static: libc's functions are called with no context of ours. The simulator is single-threaded;
// other threads (a machine's disk threads in tests) only ever see it disarmed.
bool g_armed = false;

// "function (caller, its caller, ...)", as far as symbols are known.
std::string call_chain() {
  void* frames[12];
  const int count = backtrace(frames, 12);
  char** symbols = backtrace_symbols(frames, count);
  std::string text;
  for (int i = 3; i < count && i < 9; ++i) {
    if (!text.empty()) text += " < ";
    text += symbols == nullptr ? "?" : symbols[i];
  }
  std::free(symbols);  // NOLINT: backtrace_symbols() says so.
  return text;
}

[[gnu::noinline]] void escaped(const char* function) {
  g_armed = false;
  base::check_failed("inside the boundary", __FILE__, __LINE__,
                     fmt::format("a simulated node called {}(): {}", function, call_chain()));
}

template <typename Function>
Function* real(Function*& known, const char* name) {
  if (known == nullptr) known = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  return known;
}

}  // namespace

bool arm() { return std::exchange(g_armed, true); }
bool disarm() { return std::exchange(g_armed, false); }
bool armed() { return g_armed; }

}  // namespace seatrial::sim::trap

// NAME(parameters) calls the real one unless the trap is armed.
#define SEATRIAL_TRAP(result, name, parameters, arguments)    \
  extern "C" result name parameters {                         \
    using Real = result parameters;                           \
    static Real* known = nullptr;                             \
    if (seatrial::sim::trap::g_armed) [[unlikely]]            \
      seatrial::sim::trap::escaped(#name);                    \
    return seatrial::sim::trap::real(known, #name) arguments; \
  }

SEATRIAL_TRAP(int, clock_gettime, (clockid_t clock, timespec* time) noexcept, (clock, time))
SEATRIAL_TRAP(int, gettimeofday, (timeval * time, void* zone) noexcept, (time, zone))
SEATRIAL_TRAP(time_t, time, (time_t * time) noexcept, (time))
SEATRIAL_TRAP(int, nanosleep, (const timespec* request, timespec* left), (request, left))
SEATRIAL_TRAP(int, clock_nanosleep,
              (clockid_t clock, int flags, const timespec* request, timespec* left),
              (clock, flags, request, left))
SEATRIAL_TRAP(int, usleep, (useconds_t duration), (duration))
SEATRIAL_TRAP(unsigned, sleep, (unsigned duration), (duration))
SEATRIAL_TRAP(ssize_t, getrandom, (void* buffer, size_t length, unsigned flags),
              (buffer, length, flags))
SEATRIAL_TRAP(int, getentropy, (void* buffer, size_t length), (buffer, length))
SEATRIAL_TRAP(int, socket, (int domain, int type, int protocol) noexcept, (domain, type, protocol))
SEATRIAL_TRAP(int, connect, (int fd, const sockaddr* address, socklen_t length),
              (fd, address, length))
SEATRIAL_TRAP(int, epoll_wait, (int fd, epoll_event* events, int count, int timeout),
              (fd, events, count, timeout))
SEATRIAL_TRAP(int, poll, (pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
SEATRIAL_TRAP(FILE*, fopen, (const char* path, const char* mode), (path, mode))
SEATRIAL_TRAP(FILE*, fopen64, (const char* path, const char* mode), (path, mode))
SEATRIAL_TRAP(int, fsync, (int fd), (fd))
SEATRIAL_TRAP(int, fdatasync, (int fd), (fd))
SEATRIAL_TRAP(int, rename, (const char* from, const char* to) noexcept, (from, to))
SEATRIAL_TRAP(int, unlink, (const char* path) noexcept, (path))
SEATRIAL_TRAP(pid_t, fork, () noexcept, ())
SEATRIAL_TRAP(int, pthread_create,
              (pthread_t * thread, const pthread_attr_t* attributes, void* (*start)(void*),
               void* argument) noexcept,
              (thread, attributes, start, argument))

namespace {

// The mode argument of open() is there only when a file may be made.
bool takes_mode(int flags) { return (flags & (O_CREAT | O_TMPFILE)) != 0; }

}  // namespace

#define SEATRIAL_TRAP_OPEN(name)                                       \
  extern "C" int name(const char* path, int flags, ...) {              \
    using Real = int(const char*, int, ...);                           \
    static Real* known = nullptr;                                      \
    if (seatrial::sim::trap::g_armed) [[unlikely]]                     \
      seatrial::sim::trap::escaped(#name);                             \
    mode_t mode = 0;                                                   \
    if (takes_mode(flags)) {                                           \
      va_list list;                                                    \
      va_start(list, flags);                                           \
      mode = va_arg(list, mode_t);                                     \
      va_end(list);                                                    \
    }                                                                  \
    return seatrial::sim::trap::real(known, #name)(path, flags, mode); \
  }

SEATRIAL_TRAP_OPEN(open)
SEATRIAL_TRAP_OPEN(open64)
