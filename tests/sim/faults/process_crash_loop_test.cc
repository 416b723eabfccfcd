#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

class ProcessCrashLoopFault : public OneFault {
 protected:
  void run(VirtualTime storm) {
    serve([this](os::Os& os) {
      ++starts;
      (void)os.clock.sleep_for(1h);
      return 0;
    });
    strike({.at = 2s, .kind = "process.crash_loop", .target = "server", .lasts = 20s}, storm);
  }
  uint64_t starts = 0;
};

TEST_F(ProcessCrashLoopFault, EndsTheServiceAgainAndAgain) {
  run(30s);
  EXPECT_GE(struck("process.crash_loop"), 2U);
  EXPECT_EQ(starts, 1 + struck("process.crash_loop"));
  EXPECT_TRUE(server.powered());
}

TEST_F(ProcessCrashLoopFault, TheEndOfTheStormEndsIt) {
  run(2010ms);
  EXPECT_LE(struck("process.crash_loop"), 2U);
  EXPECT_TRUE(server.powered());
  EXPECT_EQ(starts, 1 + struck("process.crash_loop"));
}

}  // namespace
}  // namespace seatrial::sim
