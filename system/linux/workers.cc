// The threads that do what blocks, and the way back: a finished job goes to a list, and the first
// of a list also writes the event descriptor that epoll watches. Jobs live on the stacks of the
// fibers that wait for them.
#include "linux/parts.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace seatrial::linux {

struct Workers::Close final : Workers::Job {
  explicit Close(int descriptor) : fd(descriptor) {}
  void run() override {
    ::close(fd);
    delete this;
  }
  int fd;
};

Result<std::unique_ptr<Workers>> Workers::make(Dispatcher& dispatcher, os::Fibers& fibers,
                                               unsigned threads_max) {
  Descriptor event;
  if (threads_max > 0) {
    event = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event) return fail_with(errno, "eventfd");
  }
  std::unique_ptr<Workers> workers(new Workers(dispatcher, fibers, threads_max, std::move(event)));
  // Edge-triggered: each write is an event, so the counter need not be read back.
  if (threads_max > 0) TRY(dispatcher.watch(workers->event_.get(), EPOLLIN, *workers));
  return workers;
}

Workers::~Workers() {
  stop();
  if (event_) dispatcher_.unwatch(event_.get());
}

bool Workers::await(Job& job) {
  if (stopped_ || fibers_.killed()) return false;
  if (threads_max_ == 0) {
    // Others run between two calls, as they do where the calls park.
    if (!fibers_.cancelled()) (void)fibers_.yield();
    job.run();
    return true;
  }
  job.body = fibers_.scheduler().current();
  submit(job);
  while (!job.done) fibers_.park_uncancelled();
  return true;
}

void Workers::close_later(int fd) {
  if (stopped_ || threads_max_ == 0) {
    ::close(fd);
    return;
  }
  submit(*new Close(fd));
}

void Workers::submit(Job& job) {
  bool another = false;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(&job);
    another = queue_.size() > idle_ && threads_.size() < threads_max_;
  }
  if (another) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      CHECK_MSG(!threads_.empty(), "no thread for file calls: {}", error.what());
    }
  }
  wanted_.notify_one();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wanted_.wait(lock, [this] { return !queue_.empty() || ending_; });
    --idle_;
    if (queue_.empty()) return;
    Job* job = queue_.front();
    queue_.pop_front();
    const bool awaited = job->body != nullptr;
    lock.unlock();
    job->run();
    lock.lock();
    if (!awaited) continue;
    finished_.push_back(job);
    if (finished_.size() > 1) continue;
    lock.unlock();
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
    lock.lock();
  }
}

void Workers::on_events(uint32_t) {
  {
    const std::lock_guard lock(mutex_);
    collected_.swap(finished_);
  }
  for (Job* job : collected_) {
    job->done = true;
    fibers_.scheduler().wake(job->body);
  }
  collected_.clear();
}

void Workers::stop() {
  if (std::exchange(stopped_, true)) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  CHECK(queue_.empty());
}

}  // namespace seatrial::linux
