// TCP between machines that die: what no contract test can do, since it has one process only.
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/world.h"
#include "tests/sim/programs.h"

#include <gtest/gtest.h>

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
  // Whichever of the two runs first at 200 ms, the server must hear of it.
  at(200ms, [&] { client.kill(); });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_EQ(seen, "connection reset");
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
