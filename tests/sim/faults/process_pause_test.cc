#include "tests/sim/faults/one_fault.h"

#include <vector>

namespace seatrial::sim {
namespace {

class ProcessPauseFault : public OneFault {
 protected:
  // Ticks every 100 ms; notes the longest pause between two.
  void tick() {
    serve([this](os::Os& os) {
      VirtualTime last = world.now_virtual();
      while (os.clock.sleep_for(100ms)) {
        longest = std::max(longest, world.now_virtual() - last);
        last = world.now_virtual();
      }
      return 0;
    });
  }
  VirtualTime longest{0};
};

TEST_F(ProcessPauseFault, TimeGoesOnWithoutTheNode) {
  tick();
  strike({.at = 2050ms, .kind = "process.pause", .target = "server", .lasts = 4s});
  EXPECT_EQ(longest, 4050ms);
  EXPECT_EQ(struck("process.pause"), 1U);
}

TEST_F(ProcessPauseFault, TheEndOfTheStormLetsItGoOn) {
  tick();
  strike({.at = 2050ms, .kind = "process.pause", .target = "server", .lasts = 30min}, 10s);
  EXPECT_FALSE(server.paused());
  EXPECT_EQ(longest, ended - 2s);
}

}  // namespace
}  // namespace seatrial::sim
