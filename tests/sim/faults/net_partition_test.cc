#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

class NetPartitionFault : public OneFault {
 protected:
  // The client calls at 5 s, over a connection of its own.
  void call(os::Duration patience) {
    serve(echo_server);
    client.start("client", [this, patience](os::Os& os) {
      (void)os.clock.sleep_for(5s);
      answer = echo_call(os, "server", "ping", patience);
      answered = world.now_virtual();
      return 0;
    });
  }
  std::string answer;
  VirtualTime answered{0};
};

TEST_F(NetPartitionFault, NothingGetsThroughUntilItIsOver) {
  call(20s);
  strike({.at = 4s, .kind = "net.partition", .target = "server", .lasts = 8s});
  EXPECT_EQ(answer, "ping");
  EXPECT_GE(answered, 12s);
  EXPECT_EQ(struck("net.partition"), 1U);
}

TEST_F(NetPartitionFault, PatienceEndsFirst) {
  call(2s);
  strike({.at = 4s, .kind = "net.partition", .target = "server", .lasts = 8s});
  EXPECT_EQ(answer, "deadline passed");
  EXPECT_EQ(answered, 7s);
}

TEST_F(NetPartitionFault, InsideTheSetAllIsWell) {
  call(2s);
  strike({.at = 4s, .kind = "net.partition", .target = "server,client", .lasts = 8s});
  EXPECT_EQ(answer, "ping");
}

TEST_F(NetPartitionFault, OneWayBlocksOneWay) {
  const auto ways = [&](const char* target) {
    World other({.seed = 2});
    Node& inside = other.add_node("inside");
    Node& outside = other.add_node("outside");
    std::string open;
    other.administer("look", [&] {
      other.sleep(1s);
      if (other.net().open(outside.index(), inside.index())) open += "in ";
      if (other.net().open(inside.index(), outside.index())) open += "out ";
      other.sleep(5s);
      EXPECT_TRUE(other.net().open(outside.index(), inside.index()));
      EXPECT_TRUE(other.net().open(inside.index(), outside.index()));
      other.stop();
    });
    Plan one;
    one.faults.push_back({.kind = "net.partition", .target = target, .lasts = 3s});
    Storm storm(other, one);
    EXPECT_EQ(other.run(), Outcome::kStopped);
    return open;
  };
  EXPECT_EQ(ways("inside"), "");
  EXPECT_EQ(ways(">inside"), "in ");
  EXPECT_EQ(ways("<inside"), "out ");
}

TEST_F(NetPartitionFault, TheEndOfTheStormHeals) {
  call(1h);
  strike({.at = 4s, .kind = "net.partition", .target = "server", .lasts = 30min}, 10s);
  EXPECT_EQ(answer, "ping");
  EXPECT_GE(answered, ended);
  EXPECT_TRUE(world.net().open(client.index(), server.index()));
}

}  // namespace
}  // namespace seatrial::sim
