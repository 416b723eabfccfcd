// The parts of this machine, for the sources of this folder only.
//
// Dispatcher waits for the outside and wakes fibers; Workers do what blocks. LinuxOs owns one of
// each and the implementations of os/, which the make_* functions below hide.
#pragma once

#include "base/check.h"
#include "base/error.h"
#include "linux/linux_os.h"
#include "os/os.h"

#include <sys/epoll.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace seatrial::linux {

using base::Errc;
using base::Error;
using base::Result;
using os::MonotonicTime;

// `code` (an errno) in our words: "open data/x: No such file or directory".
Error error_of(int code, std::string_view what);
inline std::unexpected<Error> fail_with(int code, std::string_view what) {
  return std::unexpected<Error>(error_of(code, what));
}

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void close();

 private:
  int fd_;
};

// Who is told of what epoll saw. Called on whatever stack looks: it sets flags and wakes fibers,
// and destroys no Watch.
class Watch {
 public:
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~Watch() = default;
};

// The hook of the scheduler: epoll, edge-triggered, whose timeout is the earliest deadline.
class Dispatcher final : public os::Dispatch {
 public:
  static Result<std::unique_ptr<Dispatcher>> make();

  void serve(const os::Scheduler& scheduler) { scheduler_ = &scheduler; }
  Result<void> watch(int fd, uint32_t events, Watch& watch);
  // Always before the descriptor is closed: a child of fork may still hold a copy of it, which
  // would keep the registration alive.
  void unwatch(int fd);
  // From now on Scheduler::run() ends as soon as nothing can run.
  void stop() { stopped_ = true; }

  // At the start of each call that could go on without parking: fails if the fiber is to end,
  // and lets others run if this one has had its share.
  Result<void> admit(os::Fibers& fibers) {
    if (fibers.cancelled()) [[unlikely]]
      return base::fail(Errc::kCancelled);
    if (++share_ < kShareMax) [[likely]]
      return {};
    share_ = 0;
    return fibers.yield();
  }

  MonotonicTime now() override;
  bool idle(MonotonicTime deadline) override;
  uint32_t poll() override;
  void running(os::Fibers*, uint64_t) override { share_ = 0; }

 private:
  static constexpr uint32_t kShareMax = 64;

  explicit Dispatcher(Descriptor epoll) : epoll_(std::move(epoll)) {}
  void look(const timespec* timeout);

  Descriptor epoll_;
  const os::Scheduler* scheduler_ = nullptr;
  MonotonicTime looked_at_{};
  uint32_t share_ = 0;  // Calls of the running fiber since it last parked.
  bool stopped_ = false;
  std::vector<epoll_event> events_ = std::vector<epoll_event>(256);
};

// Threads for what blocks. They start when there is work, up to `threads_max` of them; with 0
// (a child of fork) all work is done in place.
class Workers final : public Watch {
 public:
  static Result<std::unique_ptr<Workers>> make(Dispatcher& dispatcher, os::Fibers& fibers,
                                               unsigned threads_max);
  ~Workers();

  // Runs `work`, which returns some Result<T>, on a thread while the calling fiber is parked, to
  // its end whether or not the fiber is cancelled. Allocates nothing.
  template <typename Work>
  std::invoke_result_t<Work&> run(Work work) {
    using Outcome = std::invoke_result_t<Work&>;
    struct Call final : Job {
      explicit Call(Work& w) : work(w) {}
      void run() override { outcome.emplace(work()); }
      Work& work;
      std::optional<Outcome> outcome;
    } call(work);
    if (!await(call)) return base::fail(Errc::kCancelled);
    return *std::move(call.outcome);
  }

  // Closes a descriptor on a thread: the last close of a removed file may take long.
  void close_later(int fd);

  // Finishes all work; from then on run() fails and close_later() closes in place.
  void stop();

  void on_events(uint32_t events) override;

 private:
  struct Job {
    virtual void run() = 0;
    os::detail::FiberBody* body = nullptr;  // Who waits; nullptr: nobody, delete it when done.
    bool done = false;                      // Set on the fibers' thread.

   protected:
    ~Job() = default;
  };
  struct Close;

  Workers(Dispatcher& dispatcher, os::Fibers& fibers, unsigned threads_max, Descriptor event)
      : dispatcher_(dispatcher),
        fibers_(fibers),
        threads_max_(threads_max),
        event_(std::move(event)) {}
  bool await(Job& job);
  void submit(Job& job);
  void work();

  Dispatcher& dispatcher_;
  os::Fibers& fibers_;
  const unsigned threads_max_;
  Descriptor event_;  // Written when the first of some finished jobs is there to be collected.
  bool stopped_ = false;
  std::vector<std::thread> threads_;
  std::vector<Job*> collected_;

  std::mutex mutex_;  // For what follows.
  std::condition_variable wanted_;
  std::deque<Job*> queue_;
  std::vector<Job*> finished_;
  unsigned idle_ = 0;
  bool ending_ = false;
};

struct ChildStart {
  const LinuxOptions& options;
  int working_directory;  // A descriptor, or AT_FDCWD.
};

std::unique_ptr<os::Clock> make_clock(Dispatcher& dispatcher, os::Fibers& fibers);
std::unique_ptr<os::Network> make_network(Dispatcher& dispatcher, os::Fibers& fibers);
// Of one end of a socketpair.
Result<std::unique_ptr<os::Stream>> make_link(Dispatcher& dispatcher, os::Fibers& fibers,
                                              Descriptor end);
std::unique_ptr<os::Disk> make_disk(Workers& workers, int working_directory);
Result<std::unique_ptr<os::Process>> make_process(Dispatcher& dispatcher, os::Fibers& fibers,
                                                  ChildStart start);
std::unique_ptr<os::Random> make_random();
std::unique_ptr<os::Chaos> make_chaos();
Result<std::unique_ptr<base::Log>> make_log(const LinuxOptions& options);

// The life of a forked child, on the stack on which it found itself; ends the process. `link`: its
// end of the link to its parent, or nothing; then its main gets no stream.
[[noreturn]] void run_child(const ChildStart& start, const os::Snapshot& data,
                            os::LinkedChildMain child, Descriptor link);

}  // namespace seatrial::linux
