#include "kv/children.h"

#include "base/check.h"
#include "os/mark.h"

#include <utility>

namespace seatrial::kv {
namespace {

std::string_view name_of(ChildKind kind) {
  switch (kind) {
    case ChildKind::kRdbToDisk: return "rdb";
    case ChildKind::kRdbToReplicas: return "rdb-to-replicas";
    case ChildKind::kAofRewrite: return "aof-rewrite";
  }
  UNREACHABLE("kind of child {}", static_cast<int>(kind));
}

}  // namespace

base::Result<os::Pid> Children::start(ChildKind kind, const os::Snapshot& data, os::ChildMain main,
                                      Ended ended) {
  if (running()) return base::fail(base::Errc::kBusy, "another child is at work");
  const os::MonotonicTime begun = os_.clock.monotonic();
  auto forked = os_.process.fork(name_of(kind), data, std::move(main));
  if (!forked) {
    MARK("children: fork failed");
    return forked;
  }
  started(kind, *forked, begun, std::move(ended));
  return forked;
}

base::Result<std::unique_ptr<os::Stream>> Children::start_linked(ChildKind kind,
                                                                 const os::Snapshot& data,
                                                                 os::LinkedChildMain main,
                                                                 Ended ended) {
  if (running()) return base::fail(base::Errc::kBusy, "another child is at work");
  const os::MonotonicTime begun = os_.clock.monotonic();
  auto forked = os_.process.fork_linked(name_of(kind), data, std::move(main));
  if (!forked) {
    MARK("children: linked fork failed");
    return base::fail(forked.error());
  }
  started(kind, forked->pid, begun, std::move(ended));
  return std::move(forked->stream);
}

void Children::started(ChildKind kind, os::Pid pid, os::MonotonicTime begun, Ended ended) {
  status_.kind = kind;
  status_.pid = pid;
  status_.begun = os_.clock.monotonic();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(status_.begun - begun);
  status_.latest_fork_microseconds = took.count();
  ++status_.forks;
  ended_ = std::move(ended);
  killed_ = false;
  work_.set();
}

void Children::kill() {
  if (!running() || std::exchange(killed_, true)) return;
  // It may have ended just now: then the reaper finds that out.
  static_cast<void>(os_.process.kill(status_.pid, os::Signal::kKill));
}

base::Result<void> Children::await_end() {
  while (running()) TRY(os::to_result(settled_.wait()));
  return {};
}

void Children::run() {
  while (true) {
    if (!running()) work_.reset();
    if (!work_.wait() || !reap()) return;
  }
}

bool Children::reap() {
  if (!running()) return true;
  const auto status = os_.process.wait(status_.pid);
  if (!status && status.error() == base::Errc::kCancelled) return false;
  CHECK_MSG(status.has_value(), "child {}: {}", status_.pid, status.error().message());
  if (!status->exited && !killed_) MARK("children: ended by a signal");
  const ChildEnd end{*status, killed_};
  // What it calls may want to know of the child, which is there until it returns.
  Ended ended = std::exchange(ended_, nullptr);
  ended(end);
  status_.kind.reset();
  status_.pid = 0;
  settled_.wake_all();
  return true;
}

void Children::end() {
  kill();
  static_cast<void>(reap());
}

}  // namespace seatrial::kv
