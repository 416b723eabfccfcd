#include "sim/seed_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

// There in a build with sanitizers only: says on standard error what was leaked, if anything.
extern "C" [[gnu::weak]] int __lsan_do_recoverable_leak_check();

namespace seatrial::sim {
namespace {

using Clock = std::chrono::steady_clock;

// As a sanitizer's own; a result that was written before counts no more.
constexpr int kExitLeak = 23;
constexpr size_t kComplaintsBytesMax = 16 * 1024;

// Appends what there is; false at the end.
bool drain(int fd, std::string& into, size_t bytes_max) {
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    into.append(buffer, static_cast<size_t>(count));
    if (into.size() > bytes_max) into.erase(0, into.size() - bytes_max);
  }
}

}  // namespace

SeedProcesses::~SeedProcesses() {
  for (auto& [pid, child] : children_) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    close(child.output_fd);
    close(child.error_fd);
  }
}

base::Result<void> SeedProcesses::start(uint64_t seed, const std::function<int(int)>& work) {
  int output[2];
  int error[2];
  if (pipe2(output, O_CLOEXEC) != 0) return base::fail(base::Errc::kExhausted, "pipe");
  if (pipe2(error, O_CLOEXEC) != 0) {
    close(output[0]);
    close(output[1]);
    return base::fail(base::Errc::kExhausted, "pipe");
  }
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    // Not to be confused with the terminal's: ^C is for the parent to handle.
    signal(SIGINT, SIG_IGN);
    dup2(error[1], STDERR_FILENO);
    int code = work(output[1]);
    // Leaving with _exit() passes by LeakSanitizer's own hook.
    if (__lsan_do_recoverable_leak_check != nullptr && __lsan_do_recoverable_leak_check() != 0) {
      code = kExitLeak;
    }
    std::fflush(nullptr);
    _exit(code);
  }
  close(output[1]);
  close(error[1]);
  if (pid < 0) {
    close(output[0]);
    close(error[0]);
    return base::fail(base::Errc::kExhausted, fmt::format("fork: {}", std::strerror(errno)));
  }
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  fcntl(error[0], F_SETFL, O_NONBLOCK);
  Child child{seed, pid, output[0], error[0], Clock::now(), {}, false};
  child.end.seed = seed;
  children_.emplace(pid, std::move(child));
  return {};
}

bool SeedProcesses::wait(std::chrono::nanoseconds at_most, SeedEnd& end) {
  const Clock::time_point until = Clock::now() + at_most;
  while (!children_.empty()) {
    Clock::time_point wake = until;
    std::vector<pollfd> fds;
    for (auto& [pid, child] : children_) {
      // A child that says much must not wait for us; one that closed its end has no more to say.
      fds.push_back({child.output_fd, POLLIN, 0});
      if (!child.silent) fds.push_back({child.error_fd, POLLIN, 0});
      wake = std::min(wake, child.started + watchdog_);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now());
    poll(fds.data(), fds.size(), static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000)));
    for (auto it = children_.begin(); it != children_.end(); ++it) {
      Child& child = it->second;
      const bool open = drain(child.output_fd, child.end.output, SIZE_MAX);
      child.silent = !drain(child.error_fd, child.end.complaints, kComplaintsBytesMax);
      if (open && Clock::now() >= child.started + watchdog_) {
        child.end.timed_out = true;
        kill(child.pid, SIGKILL);
      } else if (open) {
        continue;
      }
      // It has closed its end, or been killed: what still lives has no more to say.
      if (!open) let_go(child.pid);
      reap(it);
      end = std::move(child.end);
      children_.erase(it);
      return true;
    }
    if (Clock::now() >= until) return false;
  }
  return false;
}

// Gives it a moment to leave by itself, so that its own exit code is seen.
void SeedProcesses::let_go(pid_t pid) {
  for (int i = 0; i < 200; ++i) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return;
    if (info.si_pid != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(i < 10 ? 1 : 10));
  }
  kill(pid, SIGKILL);
}

void SeedProcesses::reap(std::map<pid_t, Child>::iterator it) {
  Child& child = it->second;
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  drain(child.error_fd, child.end.complaints, kComplaintsBytesMax);
  if (WIFSIGNALED(status)) child.end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) child.end.exit_code = WEXITSTATUS(status);
  close(child.output_fd);
  close(child.error_fd);
}

}  // namespace seatrial::sim
