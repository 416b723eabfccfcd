#include "os/clock.h"
#include "linux/parts.h"

#include <time.h>

namespace seatrial::linux {
namespace {

class LinuxClock final : public os::Clock {
 public:
  LinuxClock(Dispatcher& dispatcher, os::Fibers& fibers)
      : dispatcher_(dispatcher), fibers_(fibers) {}

  MonotonicTime monotonic() const override { return dispatcher_.now(); }

  os::WallTime wall() const override {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return os::WallTime(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }

  Result<void> sleep_until(MonotonicTime time) override {
    if (fibers_.park(time) == os::Wake::kCancelled) return base::fail(Errc::kCancelled);
    return {};
  }

 private:
  Dispatcher& dispatcher_;
  os::Fibers& fibers_;
};

}  // namespace

std::unique_ptr<os::Clock> make_clock(Dispatcher& dispatcher, os::Fibers& fibers) {
  return std::make_unique<LinuxClock>(dispatcher, fibers);
}

}  // namespace seatrial::linux
