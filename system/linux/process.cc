// Children by fork(2), each known by a descriptor (pidfd) that epoll watches for its end; and the
// signals that ask this process to stop, as events of the same epoll.
#include "os/process.h"
#include "linux/parts.h"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>

namespace seatrial::linux {
namespace {

using os::Pid;

class Child final : public Watch {
 public:
  Child(Dispatcher& dispatcher, os::Fibers& fibers, pid_t number, Descriptor fd)
      : pid(number), ended(fibers), dispatcher_(dispatcher), fd_(std::move(fd)) {}
  ~Child() {
    if (watched_) dispatcher_.unwatch(fd_.get());
  }

  Result<void> watch() {
    TRY(dispatcher_.watch(fd_.get(), EPOLLIN, *this));
    watched_ = true;
    return {};
  }

  void on_events(uint32_t) override { ended.set(); }

  const pid_t pid;
  os::Event ended;

 private:
  Dispatcher& dispatcher_;
  Descriptor fd_;
  bool watched_ = false;
};

// By number: the C library's declaration (2.36) has the wrong linkage for C++.
Descriptor open_pidfd(pid_t pid) {
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// Until it is waited for, an ended child keeps its number, so a number that is in our table is
// never somebody else's.
os::ExitStatus reap(pid_t pid) {
  int status = 0;
  pid_t got = -1;
  do {
    got = ::waitpid(pid, &status, 0);
  } while (got < 0 && errno == EINTR);
  CHECK(got == pid);
  if (WIFEXITED(status)) return {.exited = true, .code = WEXITSTATUS(status)};
  return {.exited = false, .code = WTERMSIG(status)};
}

class LinuxProcess final : public os::Process, public Watch {
 public:
  LinuxProcess(Dispatcher& dispatcher, os::Fibers& fibers, ChildStart start, Descriptor signals)
      : dispatcher_(dispatcher),
        fibers_(fibers),
        start_(start),
        signals_(std::move(signals)),
        stop_requested_(fibers) {}
  ~LinuxProcess() {
    if (watched_) dispatcher_.unwatch(signals_.get());
  }

  Result<void> watch() {
    TRY(dispatcher_.watch(signals_.get(), EPOLLIN, *this));
    watched_ = true;
    return {};
  }

  Pid pid() const override { return ::getpid(); }

  Result<Pid> fork(std::string_view name, const os::Snapshot& data, os::ChildMain child) override {
    return start(
        name, data,
        [main = std::move(child)](os::Os& os, const os::Snapshot& frozen,
                                  std::unique_ptr<os::Stream>) mutable { return main(os, frozen); },
        Descriptor());
  }

  Result<os::LinkedChild> fork_linked(std::string_view name, const os::Snapshot& data,
                                      os::LinkedChildMain child) override {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
      return no_descriptor(name);
    }
    Descriptor ours(ends[0]);
    Descriptor theirs(ends[1]);
    auto stream = make_link(dispatcher_, fibers_, std::move(ours));
    if (!stream) return no_descriptor(name);
    const Pid pid = TRY(start(name, data, std::move(child), std::move(theirs)));
    return os::LinkedChild{.pid = pid, .stream = *std::move(stream)};
  }

  Result<os::ExitStatus> wait(Pid child, MonotonicTime deadline) override {
    TRY(dispatcher_.admit(fibers_));
    const auto known = TRY(find(child));
    TRY(known->ended.wait(deadline));
    // Of several who wait, the first to go on takes the status.
    if (children_.erase(child) == 0) return not_a_child(child);
    return reap(known->pid);
  }

  Result<void> kill(Pid child, os::Signal signal) override {
    const pid_t target = child == pid() ? ::getpid() : TRY(find(child))->pid;
    const int number = signal == os::Signal::kKill ? SIGKILL : SIGTERM;
    if (::kill(target, number) != 0) return fail_with(errno, fmt::format("kill {}", child));
    return {};
  }

  os::Event& stop_requested() override { return stop_requested_; }

  void on_events(uint32_t) override {
    signalfd_siginfo info;
    bool any = false;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) any = true;
    if (any) stop_requested_.set();
  }

 private:
  // `link`: the child's end, which is closed here.
  Result<Pid> start(std::string_view name, const os::Snapshot& data, os::LinkedChildMain child,
                    Descriptor link) {
    const pid_t pid = ::fork();
    if (pid < 0) return fail_with(errno, fmt::format("fork {}", name));
    if (pid == 0) run_child(start_, data, std::move(child), std::move(link));
    auto known = std::make_shared<Child>(dispatcher_, fibers_, pid, open_pidfd(pid));
    if (Result<void> watched = known->watch(); !watched) {
      // Nobody could wait for this child.
      ::kill(pid, SIGKILL);
      reap(pid);
      return no_descriptor(name);
    }
    children_.emplace(pid, std::move(known));
    return pid;
  }

  static std::unexpected<Error> no_descriptor(std::string_view name) {
    return base::fail(Errc::kExhausted, fmt::format("fork {}: no descriptor is left", name));
  }

  static std::unexpected<Error> not_a_child(Pid pid) {
    return base::fail(Errc::kNotFound, fmt::format("process {} is not a child", pid));
  }

  Result<std::shared_ptr<Child>> find(Pid pid) const {
    const auto found = children_.find(pid);
    if (found == children_.end()) return not_a_child(pid);
    return found->second;
  }

  Dispatcher& dispatcher_;
  os::Fibers& fibers_;
  const ChildStart start_;
  const Descriptor signals_;
  bool watched_ = false;
  os::Event stop_requested_;
  std::map<Pid, std::shared_ptr<Child>> children_;
};

}  // namespace

Result<std::unique_ptr<os::Process>> make_process(Dispatcher& dispatcher, os::Fibers& fibers,
                                                  ChildStart start) {
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  Descriptor signals(::signalfd(-1, &stops, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals) return fail_with(errno, "signalfd");
  auto process = std::make_unique<LinuxProcess>(dispatcher, fibers, start, std::move(signals));
  TRY(process->watch());
  return process;
}

}  // namespace seatrial::linux
