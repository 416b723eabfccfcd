#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

using NetSlowAcceptFault = OneFault;

TEST_F(NetSlowAcceptFault, TheServerComesToEachCallLate) {
  serve(echo_server);
  VirtualTime took{0};
  client.start("client", [&](os::Os& os) {
    (void)os.clock.sleep_for(5s);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(echo_call(os, "server", "ping"), "ping");
    took = world.now_virtual() - 5s;
    return 0;
  });
  strike(
      {.at = 4s, .kind = "net.slow_accept", .target = "server", .lasts = 15s, .amount = 1'000'000});
  EXPECT_GE(took, 1s);
  EXPECT_LE(took, 5s + 20ms);
  EXPECT_EQ(struck("net.slow_accept"), 5U);
}

TEST_F(NetSlowAcceptFault, EndsWithTheStorm) {
  serve(echo_server);
  VirtualTime took{0};
  client.start("client", [&](os::Os& os) {
    (void)os.clock.sleep_for(11s);
    EXPECT_EQ(echo_call(os, "server", "ping"), "ping");
    took = world.now_virtual() - 11s;
    return 0;
  });
  strike(
      {.at = 4s, .kind = "net.slow_accept", .target = "server", .lasts = 1h, .amount = 10'000'000},
      10s);
  EXPECT_LE(took, 20ms);
}

}  // namespace
}  // namespace seatrial::sim
