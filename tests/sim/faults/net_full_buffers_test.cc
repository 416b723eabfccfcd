#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

using NetFullBuffersFault = OneFault;

TEST_F(NetFullBuffersFault, WritersWaitUntilItIsOver) {
  serve(echo_server);
  std::string at_once;
  VirtualTime written{0};
  client.start("client", [&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    (void)os.clock.sleep_for(5s);
    at_once = outcome((*stream)->write("ping", os.clock.monotonic() + 1s));
    EXPECT_TRUE((*stream)->write("ping"));
    written = world.now_virtual();
    return 0;
  });
  strike({.at = 4s, .kind = "net.full_buffers", .target = "server", .lasts = 8s});
  EXPECT_EQ(at_once, "deadline passed");
  EXPECT_EQ(written, 12s);
  EXPECT_EQ(struck("net.full_buffers"), 1U);
}

}  // namespace
}  // namespace seatrial::sim
