#include "tests/sim/faults/one_fault.h"

#include <vector>

namespace seatrial::sim {
namespace {

// Five calls in a row, each with its time.
class ProcessSlowFault : public OneFault {
 protected:
  void call_now_and_then() {
    serve(echo_server);
    client.start("caller", [this](os::Os& os) {
      for (int second = 1; second <= 5; ++second) {
        (void)os.clock.sleep_until(
            os::MonotonicTime(client.clock().monotonic(std::chrono::seconds(second))));
        const VirtualTime begin = world.now_virtual();
        EXPECT_EQ(echo_call(os, "server", "hello"), "hello");
        took.push_back(world.now_virtual() - begin);
      }
      return 0;
    });
  }
  std::vector<VirtualTime> took;
};

TEST_F(ProcessSlowFault, EachStepOfTheNodeTakesTime) {
  call_now_and_then();
  strike({.at = 1500ms, .kind = "process.slow", .target = "server", .lasts = 2s, .amount = 50'000});
  ASSERT_EQ(took.size(), 5U);
  for (const size_t fair : {0U, 3U, 4U}) EXPECT_LT(took[fair], 20ms) << fair;
  for (const size_t slow : {1U, 2U}) {
    // Accept, start a fiber, read, and not much more.
    EXPECT_GE(took[slow], 100ms) << slow;
    EXPECT_LE(took[slow], 500ms) << slow;
  }
  EXPECT_EQ(struck("process.slow"), 1U);
}

TEST_F(ProcessSlowFault, TheEndOfTheStormEndsIt) {
  call_now_and_then();
  strike(
      {.at = 500ms, .kind = "process.slow", .target = "server", .lasts = 30min, .amount = 50'000},
      3500ms);
  ASSERT_EQ(took.size(), 5U);
  EXPECT_GE(took[2], 100ms);
  EXPECT_LT(took[3], 20ms);
  EXPECT_EQ(server.step_cost(), 0s);
}

}  // namespace
}  // namespace seatrial::sim
