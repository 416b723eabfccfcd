// TCP between machines that die: what no contract test can do, since it has one process only.
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/world.h"
#include "tests/sim/programs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

class SimTcp : public testing::Test {
 protected:
  SimTcp() : server(world.add_node("server")), client(world.add_node("client")) {}

  // The client's program; the world stops when it returns.
  void run_client(std::function<void(os::Os&)> main) {
    client.start("client", [this, main = std::move(main)](os::Os& os) {
      (void)os.clock.sleep_for(10ms);
      main(os);
      world.stop();
      return 0;
    });
    EXPECT_EQ(world.run(), Outcome::kStopped);
  }
  void at(VirtualTime time, std::function<void()> what) {
    world.administer("weather", [this, time, what = std::move(what)] {
      world.sleep(time);
      what();
    });
  }

  World world{{.seed = 9}};
  Node& server;
  Node& client;
};

// Accepts on port 7 and neither reads nor writes.
int deaf_server(os::Os& os) {
  auto listener = os.network.listen({"", 7});
  std::vector<std::unique_ptr<os::Stream>> streams;
  for (;;) {
    auto stream = (*listener)->accept();
    if (!stream) return 0;
    streams.push_back(*std::move(stream));
  }
}

TEST_F(SimTcp, AKilledProcessWithUnreadDataResets) {
  server.start("deaf", deaf_server);
  at(1s, [&] { server.kill(); });
  run_client([](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    ASSERT_TRUE(stream);
    EXPECT_TRUE(os::write_all(**stream, "never read"));
    char buffer[8];
    EXPECT_EQ(outcome((*stream)->read(buffer, os.clock.monotonic() + 5s)), "connection reset");
  });
}

TEST_F(SimTcp, AMachineThatWasDownAnswersOldConnectionsWithAReset) {
  server.start("deaf", deaf_server);
  at(1s, [&] {
    server.power_off();
    world.sleep(1s);
    server.power_on();
  });
  run_client([](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    ASSERT_TRUE(stream);
    char buffer[8];
    EXPECT_EQ(outcome((*stream)->read(buffer, os.clock.monotonic() + 5s)), "deadline passed")
        << "nobody says anything by itself";
    EXPECT_TRUE(os::write_all(**stream, "hello?"));
    EXPECT_EQ(outcome((*stream)->read(buffer, os.clock.monotonic() + 5s)), "connection reset");
  });
}

TEST_F(SimTcp, WhatWasUnderWayToAMachineThatWentDarkIsAnsweredOnceItIsBack) {
  server.start("deaf", deaf_server);
  at(1s, [&] { server.power_off(); });
  at(3s, [&] { server.power_on(); });
  run_client([](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    ASSERT_TRUE(stream);
    (void)os.clock.sleep_for(1500ms);
    EXPECT_TRUE(os::write_all(**stream, "into the dark"));
    char buffer[8];
    EXPECT_EQ(outcome((*stream)->read(buffer, os.clock.monotonic() + 10s)), "connection reset");
  });
}

TEST_F(SimTcp, AWriterLearnsThatItsBytesFoundNobody) {
  world.weather().network.buffer_bytes = 16;
  world.weather().network.latency_min = 100ms;
  world.weather().network.latency_max = 100ms;
  server.start("deaf", deaf_server);
  // The bytes are still under way when the server goes: nothing there was unread.
  at(450ms, [&] { server.kill(); });
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    ASSERT_TRUE(stream);
    (void)os.clock.sleep_until(os.clock.monotonic() + (400ms - world.now_virtual()));
    EXPECT_TRUE(os::write_all(**stream, std::string(16, 'x')));
    // No reader looks for the end of the stream: the writer has to find out.
    EXPECT_EQ(outcome((*stream)->write("y", os.clock.monotonic() + 10s)), "connection reset");
  });
}

TEST_F(SimTcp, ACallToADarkMachineIsTriedAgainAndTimesOut) {
  server.power_off();
  run_client([&](os::Os& os) {
    const VirtualTime begin = world.now_virtual();
    EXPECT_EQ(outcome(os.network.connect({"server", 7})), "host unreachable");
    // 1 + 2 + 4 + 8 + 16 + 32 seconds.
    EXPECT_GE(world.now_virtual() - begin, 63s);
    EXPECT_LE(world.now_virtual() - begin, 64s);
  });
}

TEST_F(SimTcp, ACallGetsThroughWhenTheMachineComesUp) {
  server.power_off();
  at(2500ms, [&] {
    server.power_on();
    server.start("echo", echo_server);
  });
  run_client([&](os::Os& os) {
    EXPECT_EQ(echo_call(os, "server", "ping"), "ping");
    EXPECT_GE(world.now_virtual(), 3s) << "the third try";
  });
}

TEST_F(SimTcp, BeyondTheBacklogACallerWaitsInTheNetwork) {
  server.start("slow", [](os::Os& os) {
    auto listener = os.network.listen({"", 7}, 2);
    (void)os.clock.sleep_for(1500ms);
    std::vector<std::unique_ptr<os::Stream>> streams;
    while (auto stream = (*listener)->accept()) streams.push_back(*std::move(stream));
    return 0;
  });
  run_client([&](os::Os& os) {
    std::vector<std::unique_ptr<os::Stream>> streams;
    for (int i = 0; i < 2; ++i) {
      auto stream = os.network.connect({"server", 7}, os.clock.monotonic() + 500ms);
      ASSERT_TRUE(stream);
      streams.push_back(*std::move(stream));
    }
    EXPECT_EQ(outcome(os.network.connect({"server", 7}, os.clock.monotonic() + 500ms)),
              "deadline passed");
    EXPECT_EQ(outcome(os.network.connect({"server", 7}, os.clock.monotonic() + 10s)), "ok");
  });
}

// What a server sees of a caller that did not live to see the answer to its call.
class HalfMade : public SimTcp {
 protected:
  void SetUp() override {
    world.weather().network.latency_min = 100ms;
    world.weather().network.latency_max = 100ms;
    server.start("server", [this](os::Os& os) {
      auto listener = os.network.listen({"", 7});
      auto stream = (*listener)->accept();
      EXPECT_TRUE(stream);
      char buffer[8];
      seen = outcome((*stream)->read(buffer, os.clock.monotonic() + 5s));
      world.stop();
      return 0;
    });
  }
  std::string seen;
};

TEST_F(HalfMade, ACallerKilledWhileTheAnswerIsUnderWay) {
  client.start("client", [](os::Os& os) {
    (void)os.network.connect({"server", 7});
    return 0;
  });
  at(150ms, [&] { client.kill(); });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_EQ(seen, "connection reset");
}

TEST_F(HalfMade, ACallerKilledInTheInstantOfTheAnswer) {
  client.start("client", [](os::Os& os) {
    (void)os.network.connect({"server", 7});
    return 0;
  });
  // Whichever of the two runs first at 200 ms, the server must hear of it: of the kill, or of the
  // stream's end as its caller left it.
  at(200ms, [&] { client.kill(); });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_TRUE(seen == "connection reset" || seen == "ok") << seen;
}

TEST_F(HalfMade, ADeadlineInTheInstantOfTheAnswer) {
  std::string caller;
  client.start("client", [&](os::Os& os) {
    caller = outcome(os.network.connect({"server", 7}, os.clock.monotonic() + 200ms));
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  // Either it has the stream, and loses it at once, or it never had it.
  EXPECT_EQ(seen, caller == "ok" ? "ok" : "connection reset");
}

TEST_F(SimTcp, PortsOfCallersGoRoundAndRound) {
  server.start("echo", echo_server);
  run_client([&](os::Os& os) {
    uint16_t first = 0;
    for (int i = 0; i < 28'232; ++i) {
      auto listener = os.network.listen({"", 0});
      ASSERT_TRUE(listener);
      const uint16_t port = (*listener)->local().port;
      ASSERT_GE(port, 32768);
      ASSERT_LE(port, 60999);
      if (i == 0) first = port;
    }
    EXPECT_EQ((*os.network.listen({"", 0}))->local().port, first);
  });
}

// How long `bytes` take to the server and back, again and again on one stream.
std::vector<VirtualTime> round_trips(World& world, os::Os& os, size_t bytes, size_t count) {
  std::vector<VirtualTime> times;
  auto stream = os.network.connect({"server", 7});
  const std::string text(bytes, 'x');
  std::string buffer(bytes, ' ');
  for (size_t i = 0; i < count; ++i) {
    const VirtualTime begin = world.now_virtual();
    EXPECT_TRUE(os::write_all(**stream, text));
    for (size_t got = 0; got < bytes;) got += (*stream)->read(buffer).value_or(bytes);
    times.push_back(world.now_virtual() - begin);
  }
  return times;
}

class Weathers : public SimTcp {
 protected:
  Weathers() : network(world.weather().network) {
    network.latency_min = 1ms;
    network.latency_max = 1ms;
    server.start("echo", echo_server);
  }
  std::vector<VirtualTime> measure(size_t bytes, size_t count) {
    std::vector<VirtualTime> times;
    run_client([&](os::Os& os) { times = round_trips(world, os, bytes, count); });
    return times;
  }
  uint64_t counted(const char* kind) const {
    const auto it = world.counts().find(kind);
    return it == world.counts().end() ? 0 : it->second;
  }
  NetworkWeather& network;
};

TEST_F(Weathers, ALostSegmentArrivesWhenTcpHasSentItAgain) {
  network.loss_chance = 0.2;
  std::map<VirtualTime, size_t> seen;
  for (const VirtualTime time : measure(10, 500)) ++seen[time];
  EXPECT_EQ(seen.begin()->first, 2ms);
  EXPECT_NEAR(static_cast<double>(seen[2ms]), 500 * 0.8 * 0.8, 60);
  EXPECT_GT(seen[202ms], 50U) << "once, one way";
  EXPECT_GT(seen[602ms], 5U) << "twice in a row: 200 and 400 ms";
  EXPECT_GT(counted("net.loss"), 150U);
}

TEST_F(Weathers, WhatFollowsALostSegmentWaitsBehindIt) {
  network.loss_chance = 0.3;
  std::string order;
  Node& other = world.add_node("other");
  other.start("listens", [&](os::Os& os) {
    auto listener = os.network.listen({"", 7});
    auto stream = (*listener)->accept();
    char buffer[64];
    while (auto count = (*stream)->read(buffer)) {
      if (*count == 0) break;
      order.append(buffer, *count);
    }
    return 0;
  });
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"other", 7});
    for (const char* text : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
      EXPECT_TRUE(os::write_all(**stream, text));
    }
    (void)os.clock.sleep_for(1min);
  });
  EXPECT_EQ(order, "abcdefgh");
  EXPECT_GT(counted("net.loss"), 0U);
}

TEST_F(Weathers, BytesLeaveAsTheLinkCarriesThem) {
  network.bandwidth_kib = 100;
  for (const VirtualTime time : measure(10'240, 5)) {
    // 100 ms there, in two segments; the echo comes back in pieces of 256 bytes.
    EXPECT_GE(time, 182ms);
    EXPECT_LE(time, 202ms + 1ms);
  }
}

TEST_F(Weathers, StreamsShareALink) {
  network.bandwidth_kib = 1;
  VirtualTime alone{0};
  VirtualTime together{0};
  run_client([&](os::Os& os) {
    alone = round_trips(world, os, 512, 1)[0];
    os::FiberGroup group(os.fibers);
    for (int i = 0; i < 4; ++i) {
      group.spawn("call",
                  [&] { together = std::max(together, round_trips(world, os, 512, 1)[0]); });
    }
    (void)group.join();
  });
  EXPECT_NEAR(std::chrono::duration<double>(alone).count(), 1.0, 0.01);
  EXPECT_NEAR(std::chrono::duration<double>(together).count(), 2.5, 0.6) << "four, there and back";
}

TEST_F(Weathers, APairIsAsFarApartBothWaysAndForEver) {
  network.distance_max = 1s;
  const std::vector<VirtualTime> times = measure(10, 5);
  EXPECT_GT(times[0], 2ms);
  for (const VirtualTime time : times) EXPECT_EQ(time, times[0]);
  const Link& there = world.net().link(client, server);
  const Link& back = world.net().link(server, client);
  EXPECT_EQ(there.distance, back.distance);
  EXPECT_EQ(times[0], 2 * (there.distance + 1ms));
  EXPECT_NE(world.net().link(client, world.add_node("third")).distance, there.distance);
}

TEST_F(Weathers, ATailOfLatenciesEndsAtAThousandTimes) {
  network.tail_chance = 0.5;
  std::vector<VirtualTime> times = measure(10, 2000);
  std::ranges::sort(times);
  EXPECT_LE(times[500], 3ms);
  EXPECT_GE(times[1990], 100ms);
  EXPECT_LE(times.back(), 2 * 1024ms);
}

TEST_F(Weathers, ACutFallsAtAnyByte) {
  network.cut_chance = 0.5;
  std::set<size_t> heard;
  Node& other = world.add_node("other");
  other.start("listens", [&](os::Os& os) {
    auto listener = os.network.listen({"", 7});
    for (;;) {
      auto stream = (*listener)->accept();
      if (!stream) return 0;
      char buffer[64];
      size_t bytes = 0;
      while (auto count = (*stream)->read(buffer)) {
        if (*count == 0) break;
        bytes += *count;
      }
      heard.insert(bytes);
    }
  });
  run_client([&](os::Os& os) {
    for (int i = 0; i < 400; ++i) {
      auto stream = os.network.connect({"other", 7});
      EXPECT_TRUE(os::write_all(**stream, std::string(10, 'x')));
      char buffer[8];
      (void)(*stream)->read(buffer, os.clock.monotonic() + 100ms);
    }
  });
  for (size_t bytes = 0; bytes <= 10; ++bytes) EXPECT_TRUE(heard.contains(bytes)) << bytes;
}

TEST_F(SimTcp, BarriersStandUntilTheyFall) {
  Net& net = world.net();
  Barrier one = net.block(0, 1);
  {
    const Barrier another = net.block(0, 1);
    one.fall();
    EXPECT_FALSE(net.open(0, 1));
    EXPECT_TRUE(net.open(1, 0));
  }
  EXPECT_TRUE(net.open(0, 1));
  EXPECT_FALSE(net.troubled());
  one = net.block(0, 1);
  net.heal();
  EXPECT_TRUE(net.open(0, 1));
  one.fall();
}

}  // namespace
}  // namespace seatrial::sim
