// Step 0 of every request: the outside happened, and here is who waits for it.
//
// While fibers can run, epoll is asked without waiting, but only now and then: a batch of fibers
// that were woken together ends by itself, and the wait that follows sees the rest. So a busy
// server makes one epoll call a batch, and one fiber that always yields still does not keep the
// others from their events.
#include "linux/parts.h"

#include <sys/epoll.h>
#include <time.h>

#include <cerrno>

namespace seatrial::linux {
namespace {

constexpr os::Duration kLookEvery = std::chrono::microseconds(250);
constexpr uint32_t kPicksBetweenPolls = 2;

}  // namespace

Result<std::unique_ptr<Dispatcher>> Dispatcher::make() {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail_with(errno, "epoll_create1");
  return std::unique_ptr<Dispatcher>(new Dispatcher(std::move(epoll)));
}

Result<void> Dispatcher::watch(int fd, uint32_t events, Watch& watch) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.ptr = &watch;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return base::fail(Errc::kExhausted, error_of(errno, "epoll_ctl").message());
  }
  return {};
}

void Dispatcher::unwatch(int fd) {
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr) == 0);
}

MonotonicTime Dispatcher::now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return MonotonicTime(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

bool Dispatcher::idle(MonotonicTime deadline) {
  if (stopped_) return false;
  if (deadline == os::kNever) {
    look(nullptr);
    return true;
  }
  const auto left = std::max(deadline - now(), os::Duration::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  look(&timeout);
  return true;
}

uint32_t Dispatcher::poll() {
  if (scheduler_->runnable() != 0 && now() - looked_at_ >= kLookEvery) {
    const timespec at_once{};
    look(&at_once);
  }
  return kPicksBetweenPolls;
}

void Dispatcher::look(const timespec* timeout) {
  const int count = epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                 timeout, nullptr);
  CHECK_MSG(count >= 0 || errno == EINTR, "epoll_pwait2: errno {}", errno);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    static_cast<Watch*>(event.data.ptr)->on_events(event.events);
  }
  looked_at_ = now();
  share_ = 0;
}

}  // namespace seatrial::linux
