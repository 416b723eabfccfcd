#include "tests/sim/faults/one_fault.h"

#include <algorithm>
#include <set>

namespace seatrial::sim {
namespace {

class StormClientsFault : public OneFault {
 protected:
  struct Seen {
    int calls = 0;
    int most = 0;  // At once.
    size_t bytes = 0;
    std::set<std::string> ends;
  };

  // Takes all calls on two ports and notes how they end.
  void watch() {
    server.set_service("program", [&]() -> ProcessMain {
      return [&](os::Os& os) {
        os::FiberGroup group(os.fibers);
        for (const uint16_t port : {7, 9}) group.spawn("port", [&, port] { take_all(os, port); });
        (void)group.join();
        return 0;
      };
    });
  }
  void take_all(os::Os& os, uint16_t port) {
    auto listener = os.network.listen({"", port});
    os::FiberGroup group(os.fibers);
    while (auto stream = (*listener)->accept()) {
      ports.insert(port);
      ++seen.calls;
      seen.most = std::max(seen.most, ++now);
      group.spawn("stream", [this, s = std::move(*stream)] {
        char buffer[64];
        for (;;) {
          auto count = s->read(buffer);
          if (count && *count > 0) {
            seen.bytes += *count;
            continue;
          }
          seen.ends.insert(count ? "end" : outcome(count));
          --now;
          return;
        }
      });
    }
  }
  Seen seen;
  int now = 0;
  std::set<uint16_t> ports;
};

TEST_F(StormClientsFault, ACrowdComesHoldsOnAndGoesAgainAndAgain) {
  world.add_node("other");
  watch();
  strike({.at = 4s,
          .kind = "storm.clients",
          .target = "server|client,other",
          .lasts = 12s,
          .count = 31,
          .mode = "idle",
          .amount = 6});
  EXPECT_EQ(seen.calls, 6 * 31);
  EXPECT_GE(seen.most, 31);
  EXPECT_LE(seen.most, 62) << "a wave goes as the next one comes";
  EXPECT_EQ(seen.bytes, 0U);
  EXPECT_EQ(seen.ends, (std::set<std::string>{"end", "connection reset"}));
  EXPECT_EQ(ports, (std::set<uint16_t>{7, 9}));
  EXPECT_EQ(now, 0);
  EXPECT_EQ(struck("storm.clients"), 6U);
}

TEST_F(StormClientsFault, InTheMiddleOfAMessage) {
  watch();
  strike({.at = 4s,
          .kind = "storm.clients",
          .target = "server|client",
          .lasts = 2s,
          .count = 20,
          .mode = "partial",
          .amount = 1});
  EXPECT_GE(seen.bytes, 20U);
  EXPECT_LE(seen.bytes, 60U);
}

TEST_F(StormClientsFault, TheEndOfTheStormSendsThemAway) {
  watch();
  strike({.at = 4s,
          .kind = "storm.clients",
          .target = "server|client",
          .lasts = 1h,
          .count = 20,
          .mode = "idle",
          .amount = 1},
         10s);
  EXPECT_EQ(seen.calls, 20);
  EXPECT_EQ(now, 0);
  EXPECT_EQ(ended, 10s);
}

TEST_F(StormClientsFault, CutsAllStreamsOfClientsAtOnceAndNoServers) {
  Node& replica = world.add_node("replica");
  watch();
  int client_cuts = 0;
  int replica_cuts = 0;
  const auto hold_on = [](os::Os& os, int& cuts) {
    const os::MonotonicTime until = os.clock.monotonic() + 25s;
    while (os.clock.monotonic() < until) {
      auto stream = os.network.connect({"server", 7}, until);
      char buffer[8];
      if (stream && outcome((*stream)->read(buffer, until)) == "connection reset") ++cuts;
    }
    return 0;
  };
  for (int i = 0; i < 3; ++i) {
    client.start("client", [&](os::Os& os) { return hold_on(os, client_cuts); });
  }
  replica.start("replica", [&](os::Os& os) { return hold_on(os, replica_cuts); });
  strike({.at = 4s,
          .kind = "storm.clients",
          .target = "server|client",
          .lasts = 10s,
          .mode = "cut",
          .amount = 5});
  EXPECT_EQ(client_cuts, 15);
  EXPECT_EQ(replica_cuts, 0);
  EXPECT_EQ(struck("storm.clients"), 5U);
}

TEST(StormClients, DrawsEachMode) {
  const Stage stage{.servers = {"kv0", "kv1"}, .clients = {"client0", "client1"}, .storm = 300s};
  std::set<std::string> modes;
  for (const FaultStep& step : draw_plan("storm.clients", 1, stage).faults) {
    modes.insert(step.mode);
    EXPECT_TRUE(step.target == "kv0|client0,client1" || step.target == "kv1|client0,client1");
    EXPECT_GE(step.count, 10U);
    EXPECT_LE(step.count, 200U);
  }
  EXPECT_EQ(modes, (std::set<std::string>{"idle", "partial", "cut"}));
}

}  // namespace
}  // namespace seatrial::sim
