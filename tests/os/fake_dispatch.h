// The smallest machine that can drive the scheduler: virtual time that jumps to the next deadline,
// and a script for what happens outside at which time.
#pragma once

#include "os/fiber.h"
#include "os/sync.h"

#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace seatrial::os {

inline MonotonicTime at_ms(int64_t ms) { return MonotonicTime(std::chrono::milliseconds(ms)); }

class FakeDispatch final : public Dispatch {
 public:
  MonotonicTime now() override { return time; }
  bool idle(MonotonicTime deadline) override {
    ++idles;
    if (stopped) return false;
    const MonotonicTime next = script.empty() ? kNever : script.begin()->first;
    if (next == kNever && deadline == kNever) return false;
    time = std::max(time, std::min(next, deadline));
    if (next <= deadline) {
      auto action = std::move(script.begin()->second);
      script.erase(script.begin());
      action();
    }
    return true;
  }
  uint32_t poll() override {
    ++polls;
    return batch;
  }
  void running(Fibers* process, uint64_t) override { owners.push_back(process); }
  void rationed(Fibers&) override { ++rationed_calls; }

  MonotonicTime time{};
  std::multimap<MonotonicTime, std::function<void()>> script;
  bool stopped = false;
  uint32_t batch = 8;
  int idles = 0;
  int polls = 0;
  int rationed_calls = 0;
  std::vector<Fibers*> owners;
};

// A machine with one process.
struct FakeMachine {
  explicit FakeMachine(Order order = Order::kArrival)
      : scheduler(dispatch, Scheduler::kStackBytes, order) {}

  FakeDispatch dispatch;
  Scheduler scheduler;
  Fibers fibers{scheduler};

  void run() { scheduler.run(); }
  Result<void> sleep_until_ms(int64_t ms) {
    const Wake wake = fibers.park(at_ms(ms));
    if (wake == Wake::kCancelled) return base::fail(base::Errc::kCancelled);
    return {};
  }
};

}  // namespace seatrial::os
