#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

using NetConnectHangsFault = OneFault;

TEST_F(NetConnectHangsFault, OnlyNewConnectionsAreTurnedAway) {
  serve(echo_server);
  std::string during;
  std::string old;
  std::string after;
  client.start("client", [&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    (void)os.clock.sleep_for(5s);
    during = echo_call(os, "server", "ping", 2s);
    EXPECT_TRUE(os::write_all(**stream, "ping"));
    char buffer[8];
    old = outcome((*stream)->read(buffer, os.clock.monotonic() + 1s));
    (void)os.clock.sleep_for(5s);
    after = echo_call(os, "server", "ping");
    return 0;
  });
  strike({.at = 4s, .kind = "net.connect_hangs", .target = "server", .lasts = 6s});
  EXPECT_EQ(during, "deadline passed");
  EXPECT_EQ(old, "ok");
  EXPECT_EQ(after, "ping");
  EXPECT_GE(struck("net.connect_hangs"), 1U);
}

TEST_F(NetConnectHangsFault, IsNotCountedWhereNobodyCalls) {
  serve(echo_server);
  strike({.at = 4s, .kind = "net.connect_hangs", .target = "server", .lasts = 6s});
  EXPECT_EQ(struck("net.connect_hangs"), 0U);
}

}  // namespace
}  // namespace seatrial::sim
