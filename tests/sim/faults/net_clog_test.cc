#include "tests/sim/faults/one_fault.h"

#include <set>

namespace seatrial::sim {
namespace {

using NetClogFault = OneFault;

TEST_F(NetClogFault, HoldsUpAndThenLetsGoAtOnce) {
  serve(echo_server);
  std::string answer;
  VirtualTime answered{0};
  client.start("client", [&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    (void)os.clock.sleep_for(5s);
    EXPECT_TRUE(os::write_all(**stream, "ping"));
    char buffer[8];
    answer = outcome((*stream)->read(buffer));
    answered = world.now_virtual();
    return 0;
  });
  strike({.at = 4s, .kind = "net.clog", .target = "server|client", .lasts = 8s});
  EXPECT_EQ(answer, "ok");
  EXPECT_GE(answered, 12s);
  EXPECT_LE(answered, 12s + 2ms) << "it was not sent again, it had waited";
  EXPECT_EQ(struck("net.clog"), 1U);
}

TEST(NetClog, DrawsNodesAndLinksBothWaysAndOneWay) {
  const Stage stage{.servers = {"kv0", "kv1"}, .clients = {"client0"}, .storm = 500s};
  std::set<std::string> targets;
  for (const FaultStep& step : draw_plan("net.clog", 1, stage).faults) targets.insert(step.target);
  for (const char* target : {"kv0", ">kv1", "<kv0", "kv0|kv1", "<kv1|client0"}) {
    EXPECT_TRUE(targets.contains(target)) << target;
  }
}

}  // namespace
}  // namespace seatrial::sim
