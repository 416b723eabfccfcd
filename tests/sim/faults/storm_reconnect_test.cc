#include "tests/sim/faults/one_fault.h"

#include <vector>

namespace seatrial::sim {
namespace {

class StormReconnectFault : public OneFault {
 protected:
  // Holds a stream to `host` for `time`, with a new one whenever it is cut, and counts the cuts.
  static int hold_stream(os::Os& os, const char* host, VirtualTime time, int& cuts) {
    const os::MonotonicTime until = os.clock.monotonic() + time;
    while (os.clock.monotonic() < until) {
      auto stream = os.network.connect({host, 7}, until);
      if (!stream) continue;
      char buffer[8];
      if (outcome((*stream)->read(buffer, until)) == "connection reset") ++cuts;
    }
    return 0;
  }
};

TEST_F(StormReconnectFault, CutsServersFromEachOtherAgainAndAgainAndNoClient) {
  int server_cuts = 0;
  int client_cuts = 0;
  Node& replica = world.add_node("replica");
  serve(echo_server);
  replica.set_service("program", [&]() -> ProcessMain {
    return [&](os::Os& os) { return hold_stream(os, "server", 25s, server_cuts); };
  });
  client.start("client", [&](os::Os& os) { return hold_stream(os, "server", 25s, client_cuts); });
  strike(
      {.at = 1s, .kind = "storm.reconnect", .target = "server,replica", .lasts = 5s, .count = 6});
  EXPECT_EQ(server_cuts, 6);
  EXPECT_EQ(client_cuts, 0);
  EXPECT_EQ(struck("storm.reconnect"), 6U);
}

TEST_F(StormReconnectFault, LeavesStreamsOfOthersAlone) {
  int cuts = 0;
  Node& replica = world.add_node("replica");
  Node& other = world.add_node("other");
  serve(echo_server);
  other.set_service("program", [] { return ProcessMain(echo_server); });
  replica.set_service("program", [&]() -> ProcessMain {
    return [&](os::Os& os) { return hold_stream(os, "server", 25s, cuts); };
  });
  strike({.at = 1s, .kind = "storm.reconnect", .target = "other", .lasts = 5s, .count = 6});
  EXPECT_EQ(cuts, 0);
  EXPECT_EQ(struck("storm.reconnect"), 0U);
}

TEST_F(StormReconnectFault, EndsWithTheStorm) {
  int cuts = 0;
  Node& replica = world.add_node("replica");
  serve(echo_server);
  replica.set_service("program", [&]() -> ProcessMain {
    return [&](os::Os& os) { return hold_stream(os, "server", 25s, cuts); };
  });
  strike({.at = 1s, .kind = "storm.reconnect", .target = "server", .lasts = 100s, .count = 10},
         15s);
  EXPECT_EQ(ended, 15s);
  EXPECT_LE(cuts, 3);
}

TEST(StormReconnect, PlansAllServersOrOne) {
  const Stage stage{.servers = {"kv0", "kv1", "kv2"}, .clients = {"client0"}, .storm = 20s};
  std::vector<FaultStep> steps;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (FaultStep& step : draw_plan("storm.reconnect", seed, stage).faults) {
      steps.push_back(std::move(step));
    }
  }
  size_t all = 0;
  for (const FaultStep& step : steps) {
    if (step.target == "kv0,kv1,kv2") ++all;
    EXPECT_GE(step.count, 2U);
    EXPECT_LE(step.count, 30U);
    EXPECT_GE(step.lasts / step.count, 1ms);
    EXPECT_LE(step.lasts, stage.storm);
  }
  EXPECT_GT(all, steps.size() / 2);
  EXPECT_LT(all, steps.size());
}

}  // namespace
}  // namespace seatrial::sim
