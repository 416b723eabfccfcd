#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

using NetRefuseAllFault = OneFault;

TEST_F(NetRefuseAllFault, OnlyNewConnectionsAreTurnedAway) {
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
  strike({.at = 4s, .kind = "net.refuse_all", .target = "server", .lasts = 6s});
  EXPECT_EQ(during, "connection refused");
  EXPECT_EQ(old, "ok");
  EXPECT_EQ(after, "ping");
  EXPECT_GE(struck("net.refuse_all"), 1U);
}

TEST_F(NetRefuseAllFault, IsNotCountedWhereNobodyCalls) {
  serve(echo_server);
  strike({.at = 4s, .kind = "net.refuse_all", .target = "server", .lasts = 6s});
  EXPECT_EQ(struck("net.refuse_all"), 0U);
}

}  // namespace
}  // namespace seatrial::sim
