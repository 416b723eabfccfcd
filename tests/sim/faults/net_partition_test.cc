#include "tests/sim/faults/one_fault.h"

#include <algorithm>
#include <map>

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

// Which of a, b, c, d and e get through to which, while it stands.
std::string ways(const char* mode, const char* target) {
  World world({.seed = 2});
  std::string open;
  for (const char* name : {"a", "b", "c", "d", "e"}) world.add_node(name);
  world.administer("look", [&] {
    world.sleep(1s);
    for (const auto& from : world.nodes()) {
      for (const auto& to : world.nodes()) {
        if (from != to && world.net().open(from->index(), to->index())) {
          open += from->name() + to->name() + ' ';
        }
      }
    }
    world.stop();
  });
  Plan plan;
  plan.faults.push_back({.kind = "net.partition", .target = target, .lasts = 3s, .mode = mode});
  Storm storm(world, plan);
  EXPECT_EQ(world.run(), Outcome::kStopped);
  return open;
}

TEST(NetPartition, HasManyShapes) {
  EXPECT_EQ(ways("set", "a,b"), "ab ba cd ce dc de ec ed ");
  EXPECT_EQ(ways("isolate", "a"), "bc bd be cb cd ce db dc de eb ec ed ");
  EXPECT_EQ(ways("groups", "a,b|c|d,e"), "ab ba de ed ");
  EXPECT_EQ(ways("bridge", "a,b|c,d"), "ab ae ba be cd ce dc de ea eb ec ed ");
  EXPECT_EQ(ways("ring", "a,b,c,d,e"), "ab ae ba bc cb cd dc de ea ed ");
  EXPECT_EQ(ways("ring", "a,c,b,d"), "ac ad ae bc bd be ca cb ce da db de ea eb ec ed ");
  EXPECT_EQ(ways("", "a|b"), "ac ad ae bc bd be ca cb cd ce da db dc de ea eb ec ed ");
}

TEST(NetPartition, DrawsEveryShape) {
  const Stage stage{
      .servers = {"kv0", "kv1", "kv2", "kv3"}, .clients = {"client0"}, .storm = 1000s};
  std::map<std::string, size_t> modes;
  for (const FaultStep& step : draw_plan("net.partition", 1, stage).faults) {
    ++modes[step.mode];
    const auto bars = std::ranges::count(step.target, '|');
    const auto names = std::ranges::count(step.target, ',') + bars + 1;
    EXPECT_FALSE(step.target.empty());
    if (step.mode == "groups") {
      EXPECT_GE(bars, 1) << step.target;
      EXPECT_LE(bars, 3) << step.target;
      EXPECT_EQ(names, 5) << step.target;
    } else {
      EXPECT_EQ(bars, step.mode == "bridge" ? 1 : 0) << step.target;
    }
    if (step.mode == "bridge") {
      EXPECT_EQ(names, 3) << step.target;
    }
    if (step.mode == "ring") {
      EXPECT_EQ(names, 4) << step.target;
    }
    if (step.mode == "isolate") {
      EXPECT_EQ(names, 1) << step.target;
    }
  }
  for (const char* mode : {"set", "isolate", "groups", "bridge", "ring"}) {
    EXPECT_GT(modes[mode], 5U) << mode;
  }
}

TEST(NetPartition, ASingleServerHasAStormAsWell) {
  const Stage stage{.servers = {"kv0"}, .clients = {}, .storm = 100s};
  EXPECT_FALSE(draw_plan("net.partition", 1, stage).faults.empty());
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
