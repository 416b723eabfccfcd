#include "os/random.h"
#include "linux/parts.h"

#include <sys/random.h>

#include <cerrno>

namespace seatrial::linux {
namespace {

class LinuxRandom final : public os::Random {
 public:
  base::RandomStream stream(std::string_view name) override {
    uint64_t seed = 0;
    ssize_t count = -1;
    do {
      count = getrandom(&seed, sizeof seed, 0);
    } while (count < 0 && errno == EINTR);
    CHECK(count == sizeof seed);
    return base::RandomStream(seed, name);
  }
};

class NoChaos final : public os::Chaos {
 public:
  bool chance(const os::ChanceSite&) override { return false; }
  int64_t knob(const os::KnobSite&, int64_t normal) override { return normal; }
};

}  // namespace

std::unique_ptr<os::Random> make_random() { return std::make_unique<LinuxRandom>(); }

std::unique_ptr<os::Chaos> make_chaos() { return std::make_unique<NoChaos>(); }

}  // namespace seatrial::linux
