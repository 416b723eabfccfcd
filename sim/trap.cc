#include "sim/trap.h"

#include "base/check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace seatrial::sim::trap {
namespace {

// A static: libc's functions are called with no context of ours. The simulator is single-threaded;
// other threads (a machine's disk threads in tests) only ever see it disarmed.
bool g_armed = false;

const void* binary_base() {
  Dl_info self{};
  dladdr(reinterpret_cast<const void*>(&arm), &self);
  return self.dli_fbase;
}

// "function at file:line", by binutils' addr2line; empty where there is none. Slow, but a run ends
// here.
std::string source_line(const void* address) {
  Dl_info where{};
  if (dladdr(address, &where) == 0 || where.dli_fname == nullptr) return {};
  const auto offset = static_cast<const char*>(address) - static_cast<const char*>(where.dli_fbase);
  // The first object is the binary itself, whose name need not be a path from here.
  const bool self = where.dli_fbase == binary_base();
  const std::string command =
      fmt::format("addr2line -C -f -p -s -e '{}' {:#x} 2>/dev/null",
                  self ? fmt::format("/proc/{}/exe", getpid()) : where.dli_fname, offset - 1);
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  char line[512] = {};
  const bool said = std::fgets(line, sizeof line, pipe) != nullptr;
  pclose(pipe);
  std::string text(line);
  if (!said || text.starts_with("??")) return {};
  return text.substr(0, std::min(text.find('\n'), text.find(" (discriminator")));
}

// "caller < its caller < ...", as far as they are known.
[[gnu::noinline]] std::string call_chain() {
  constexpr int kOurs = 3;  // This function, escaped() and the trap itself.
  constexpr int kNamed = 4;
  void* frames[kOurs + kNamed];
  const int count = backtrace(frames, kOurs + kNamed);
  char** symbols = backtrace_symbols(frames, count);
  std::string text;
  for (int i = kOurs; i < count; ++i) {
    if (!text.empty()) text += " < ";
    const std::string line = source_line(frames[i]);
    text += !line.empty() ? line : symbols == nullptr ? "?" : symbols[i];
  }
  std::free(symbols);  // NOLINT: backtrace_symbols() says so.
  return text;
}

// A mangled name is for the linker.
std::string_view plain(std::string_view function) {
  return function == "_ZNSt13random_device9_M_getvalEv" ? "std::random_device" : function;
}

[[gnu::noinline]] void escaped(const char* function) {
  g_armed = false;
  base::check_failed(
      "inside the boundary", __FILE__, __LINE__,
      fmt::format("a simulated node called {}(): {}", plain(function), call_chain()));
}

template <typename Function>
Function* real(Function*& known, const char* name) {
  if (known == nullptr) known = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  return known;
}

// The mode argument of open() is there only when a file may be made.
bool takes_mode(int flags) { return (flags & (O_CREAT | O_TMPFILE)) != 0; }

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

// Clocks and time zones.
SEATRIAL_TRAP(int, clock_gettime, (clockid_t clock, timespec* time) noexcept, (clock, time))
SEATRIAL_TRAP(int, gettimeofday, (timeval * time, void* zone) noexcept, (time, zone))
SEATRIAL_TRAP(time_t, time, (time_t * time) noexcept, (time))
SEATRIAL_TRAP(clock_t, clock, () noexcept, ())
SEATRIAL_TRAP(clock_t, times, (tms * spent) noexcept, (spent))
SEATRIAL_TRAP(tm*, localtime, (const time_t* time) noexcept, (time))
SEATRIAL_TRAP(tm*, localtime_r, (const time_t* time, tm* parts) noexcept, (time, parts))
SEATRIAL_TRAP(time_t, mktime, (tm * parts) noexcept, (parts))

// Sleep, and threads.
SEATRIAL_TRAP(int, nanosleep, (const timespec* request, timespec* left), (request, left))
SEATRIAL_TRAP(int, clock_nanosleep,
              (clockid_t clock, int flags, const timespec* request, timespec* left),
              (clock, flags, request, left))
SEATRIAL_TRAP(int, usleep, (useconds_t duration), (duration))
SEATRIAL_TRAP(unsigned, sleep, (unsigned duration), (duration))
SEATRIAL_TRAP(int, sched_yield, () noexcept, ())
SEATRIAL_TRAP(int, pthread_create,
              (pthread_t * thread, const pthread_attr_t* attributes, void* (*start)(void*),
               void* argument) noexcept,
              (thread, attributes, start, argument))

// Random numbers: the system's, and those of libc that all nodes would share.
SEATRIAL_TRAP(ssize_t, getrandom, (void* buffer, size_t length, unsigned flags),
              (buffer, length, flags))
SEATRIAL_TRAP(int, getentropy, (void* buffer, size_t length), (buffer, length))
SEATRIAL_TRAP(uint32_t, arc4random, () noexcept, ())
SEATRIAL_TRAP(void, arc4random_buf, (void* buffer, size_t length) noexcept, (buffer, length))
SEATRIAL_TRAP(int, rand, () noexcept, ())
SEATRIAL_TRAP(long, random, () noexcept, ())
// std::random_device::_M_getval(), which may ask the processor and nobody else.
SEATRIAL_TRAP(unsigned, _ZNSt13random_device9_M_getvalEv, (void* self), (self))

// Sockets, pipes and waiting for them.
SEATRIAL_TRAP(int, socket, (int domain, int type, int protocol) noexcept, (domain, type, protocol))
SEATRIAL_TRAP(int, socketpair, (int domain, int type, int protocol, int* fds) noexcept,
              (domain, type, protocol, fds))
SEATRIAL_TRAP(int, pipe, (int* fds) noexcept, (fds))
SEATRIAL_TRAP(int, pipe2, (int* fds, int flags) noexcept, (fds, flags))
SEATRIAL_TRAP(int, bind, (int fd, const sockaddr* address, socklen_t length) noexcept,
              (fd, address, length))
SEATRIAL_TRAP(int, listen, (int fd, int backlog) noexcept, (fd, backlog))
SEATRIAL_TRAP(int, accept, (int fd, sockaddr* address, socklen_t* length), (fd, address, length))
SEATRIAL_TRAP(int, accept4, (int fd, sockaddr* address, socklen_t* length, int flags),
              (fd, address, length, flags))
SEATRIAL_TRAP(int, connect, (int fd, const sockaddr* address, socklen_t length),
              (fd, address, length))
SEATRIAL_TRAP(ssize_t, send, (int fd, const void* from, size_t count, int flags),
              (fd, from, count, flags))
SEATRIAL_TRAP(ssize_t, sendto,
              (int fd, const void* from, size_t count, int flags, const sockaddr* to,
               socklen_t length),
              (fd, from, count, flags, to, length))
SEATRIAL_TRAP(ssize_t, sendmsg, (int fd, const msghdr* message, int flags), (fd, message, flags))
SEATRIAL_TRAP(ssize_t, recv, (int fd, void* into, size_t count, int flags),
              (fd, into, count, flags))
SEATRIAL_TRAP(ssize_t, recvfrom,
              (int fd, void* into, size_t count, int flags, sockaddr* from, socklen_t* length),
              (fd, into, count, flags, from, length))
SEATRIAL_TRAP(ssize_t, recvmsg, (int fd, msghdr* message, int flags), (fd, message, flags))
SEATRIAL_TRAP(int, getaddrinfo,
              (const char* host, const char* service, const addrinfo* hints, addrinfo** found),
              (host, service, hints, found))
SEATRIAL_TRAP(int, gethostname, (char* name, size_t length) noexcept, (name, length))
SEATRIAL_TRAP(int, epoll_create1, (int flags) noexcept, (flags))
SEATRIAL_TRAP(int, epoll_wait, (int fd, epoll_event* events, int count, int timeout),
              (fd, events, count, timeout))
SEATRIAL_TRAP(int, epoll_pwait,
              (int fd, epoll_event* events, int count, int timeout, const sigset_t* signals),
              (fd, events, count, timeout, signals))
SEATRIAL_TRAP(int, poll, (pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
SEATRIAL_TRAP(int, ppoll,
              (pollfd * fds, nfds_t count, const timespec* timeout, const sigset_t* signals),
              (fds, count, timeout, signals))
SEATRIAL_TRAP(int, select, (int count, fd_set* in, fd_set* out, fd_set* except, timeval* timeout),
              (count, in, out, except, timeout))
SEATRIAL_TRAP(int, eventfd, (unsigned count, int flags) noexcept, (count, flags))
SEATRIAL_TRAP(int, timerfd_create, (clockid_t clock, int flags) noexcept, (clock, flags))

// Files.
SEATRIAL_TRAP(FILE*, fopen, (const char* path, const char* mode), (path, mode))
SEATRIAL_TRAP(FILE*, fopen64, (const char* path, const char* mode), (path, mode))
SEATRIAL_TRAP(int, creat, (const char* path, mode_t mode), (path, mode))
SEATRIAL_TRAP(ssize_t, read, (int fd, void* into, size_t count), (fd, into, count))
SEATRIAL_TRAP(ssize_t, write, (int fd, const void* from, size_t count), (fd, from, count))
SEATRIAL_TRAP(ssize_t, pread, (int fd, void* into, size_t count, off_t at), (fd, into, count, at))
SEATRIAL_TRAP(ssize_t, pwrite, (int fd, const void* from, size_t count, off_t at),
              (fd, from, count, at))
SEATRIAL_TRAP(int, ftruncate, (int fd, off_t size) noexcept, (fd, size))
SEATRIAL_TRAP(int, truncate, (const char* path, off_t size) noexcept, (path, size))
SEATRIAL_TRAP(int, fsync, (int fd), (fd))
SEATRIAL_TRAP(int, fdatasync, (int fd), (fd))
SEATRIAL_TRAP(int, stat, (const char* path, struct stat* into) noexcept, (path, into))
SEATRIAL_TRAP(int, lstat, (const char* path, struct stat* into) noexcept, (path, into))
SEATRIAL_TRAP(int, fstat, (int fd, struct stat* into) noexcept, (fd, into))
SEATRIAL_TRAP(int, fstatat, (int fd, const char* path, struct stat* into, int flags) noexcept,
              (fd, path, into, flags))
SEATRIAL_TRAP(int, access, (const char* path, int mode) noexcept, (path, mode))
SEATRIAL_TRAP(int, rename, (const char* from, const char* to) noexcept, (from, to))
SEATRIAL_TRAP(int, link, (const char* from, const char* to) noexcept, (from, to))
SEATRIAL_TRAP(int, symlink, (const char* to, const char* path) noexcept, (to, path))
SEATRIAL_TRAP(int, unlink, (const char* path) noexcept, (path))
SEATRIAL_TRAP(int, remove, (const char* path) noexcept, (path))
SEATRIAL_TRAP(int, mkdir, (const char* path, mode_t mode) noexcept, (path, mode))
SEATRIAL_TRAP(int, rmdir, (const char* path) noexcept, (path))
SEATRIAL_TRAP(DIR*, opendir, (const char* path), (path))

// Processes and their surroundings.
SEATRIAL_TRAP(pid_t, fork, () noexcept, ())
SEATRIAL_TRAP(pid_t, getpid, () noexcept, ())
SEATRIAL_TRAP(pid_t, getppid, () noexcept, ())
SEATRIAL_TRAP(pid_t, waitpid, (pid_t pid, int* status, int flags), (pid, status, flags))
SEATRIAL_TRAP(int, kill, (pid_t pid, int signal) noexcept, (pid, signal))
SEATRIAL_TRAP(int, execve,
              (const char* path, char* const* arguments, char* const* environment) noexcept,
              (path, arguments, environment))
SEATRIAL_TRAP(char*, getenv, (const char* name) noexcept, (name))

#define SEATRIAL_TRAP_OPEN(name)                                       \
  extern "C" int name(const char* path, int flags, ...) {              \
    using Real = int(const char*, int, ...);                           \
    static Real* known = nullptr;                                      \
    if (seatrial::sim::trap::g_armed) [[unlikely]]                     \
      seatrial::sim::trap::escaped(#name);                             \
    mode_t mode = 0;                                                   \
    if (seatrial::sim::trap::takes_mode(flags)) {                      \
      va_list list;                                                    \
      va_start(list, flags);                                           \
      mode = va_arg(list, mode_t);                                     \
      va_end(list);                                                    \
    }                                                                  \
    return seatrial::sim::trap::real(known, #name)(path, flags, mode); \
  }

SEATRIAL_TRAP_OPEN(open)
SEATRIAL_TRAP_OPEN(open64)

#define SEATRIAL_TRAP_OPENAT(name)                                             \
  extern "C" int name(int folder, const char* path, int flags, ...) {          \
    using Real = int(int, const char*, int, ...);                              \
    static Real* known = nullptr;                                              \
    if (seatrial::sim::trap::g_armed) [[unlikely]]                             \
      seatrial::sim::trap::escaped(#name);                                     \
    mode_t mode = 0;                                                           \
    if (seatrial::sim::trap::takes_mode(flags)) {                              \
      va_list list;                                                            \
      va_start(list, flags);                                                   \
      mode = va_arg(list, mode_t);                                             \
      va_end(list);                                                            \
    }                                                                          \
    return seatrial::sim::trap::real(known, #name)(folder, path, flags, mode); \
  }

SEATRIAL_TRAP_OPENAT(openat)
SEATRIAL_TRAP_OPENAT(openat64)
