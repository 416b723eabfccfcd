// Borders by themselves, and what each kind of obstacle does to a small program.
#include "sim/machine/obstacle.h"
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/world.h"
#include "tests/sim/programs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;
using Kind = Obstacle::Kind;

// Who gets through to whom, of the first `count` nodes: "0>1 1>0".
std::string ways(const Border& border, uint32_t count) {
  std::string open;
  for (uint32_t from = 0; from < count; ++from) {
    for (uint32_t to = 0; to < count; ++to) {
      if (from != to && !border.crossed(from, to)) open += fmt::format("{}>{} ", from, to);
    }
  }
  return open;
}

TEST(Border, AroundASetStandsBetweenItAndAllOthers) {
  EXPECT_EQ(ways(Border::around({1, 2}), 4), "0>3 1>2 2>1 3>0 ");
  EXPECT_EQ(ways(Border::around({1}, Direction::kIn), 3), "0>2 1>0 1>2 2>0 ");
  EXPECT_EQ(ways(Border::around({1}, Direction::kOut), 3), "0>1 0>2 2>0 2>1 ");
  EXPECT_EQ(ways(Border::around({}), 3), ways(Border::around({0, 1, 2}), 3));
}

TEST(Border, BetweenTwoSetsLeavesTheOthersAlone) {
  EXPECT_EQ(ways(Border::between({0}, {1}), 3), "0>2 1>2 2>0 2>1 ");
  EXPECT_EQ(ways(Border::between({0}, {1}, Direction::kOut), 3), "0>2 1>0 1>2 2>0 2>1 ");
  EXPECT_EQ(ways(Border::between({0}, {1}, Direction::kIn), 3), "0>1 0>2 1>2 2>0 2>1 ");
}

TEST(Border, AmongGroupsWhoIsInNoneSeesAll) {
  EXPECT_EQ(ways(Border::among({{0, 1}, {2}, {3}}), 4), "0>1 1>0 ");
  EXPECT_EQ(ways(Border::among({{0}, {2}}), 3), "0>1 1>0 1>2 2>1 ") << "a bridge";
}

TEST(Border, InARingEachSeesItsNeighbours) {
  EXPECT_EQ(ways(Border::ring({0, 1, 2, 3, 4}), 5), "0>1 0>4 1>0 1>2 2>1 2>3 3>2 3>4 4>0 4>3 ");
  EXPECT_EQ(ways(Border::ring({2, 0, 3, 1}), 5),
            "0>2 0>3 0>4 1>2 1>3 1>4 2>0 2>1 2>4 3>0 3>1 3>4 4>0 4>1 4>2 4>3 ");
}

TEST(Border, ThreeHundredNodes) {
  Border::Nodes all;
  for (uint32_t i = 0; i < 300; ++i) all.push_back(i);
  const Border ring = Border::ring(all);
  size_t open = 0;
  for (uint32_t from = 0; from < 300; ++from) {
    for (uint32_t to = 0; to < 300; ++to) open += !ring.crossed(from, to);
  }
  EXPECT_EQ(open, 900U);
}

// A server, a client, and what stands between them from 100 ms on for a while.
class ObstacleTest : public testing::Test {
 protected:
  ObstacleTest() : server(world.add_node("server")), client(world.add_node("client")) {
    world.weather().network.latency_min = 1ms;
    world.weather().network.latency_max = 1ms;
  }

  void stand(Obstacle obstacle, VirtualTime lasts) {
    world.administer("weather", [this, obstacle = std::move(obstacle), lasts] {
      world.sleep(100ms);
      const Barrier barrier = world.net().put_up(obstacle);
      world.sleep(lasts);
    });
  }
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
  void sleep_until(os::Os& os, VirtualTime time) {
    (void)os.clock.sleep_for(time - world.now_virtual());
  }
  // Over a stream that exists already; the answer, or the error.
  static std::string ask(os::Os& os, os::Stream& stream, std::string_view text,
                         os::Duration patience) {
    const os::MonotonicTime deadline = os.clock.monotonic() + patience;
    if (auto written = os::write_all(stream, text, deadline); !written) return outcome(written);
    std::string back(text.size(), ' ');
    for (size_t got = 0; got < back.size();) {
      auto count = stream.read({back.data() + got, back.size() - got}, deadline);
      if (!count) return outcome(count);
      if (*count == 0) return "end of stream";
      got += *count;
    }
    return back;
  }
  Border all_to_server() const { return Border::around({server.index()}); }
  Border link(Direction direction) const {
    return Border::between({client.index()}, {server.index()}, direction);
  }

  World world{{.seed = 3}};
  Node& server;
  Node& client;
};

TEST_F(ObstacleTest, AClogHoldsUpAndLosesNothing) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kHolds, .border = all_to_server()}, 900ms);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(ask(os, **stream, "ping", 10s), "ping");
    // At once, and not at TCP's next try: 200 + 600 + 1400 ms.
    EXPECT_EQ(world.now_virtual(), 1s + 1ms);
  });
}

TEST_F(ObstacleTest, AClogHoldsUpCallsEndsAndResets) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kHolds, .border = all_to_server()}, 900ms);
  run_client([&](os::Os& os) {
    auto early = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    (*early)->shutdown_write();
    EXPECT_EQ(outcome(os.network.connect({"server", 7}, os.clock.monotonic() + 100ms)),
              "deadline passed");
    EXPECT_TRUE(os.network.connect({"server", 7}));
    EXPECT_EQ(world.now_virtual(), 1s + 1ms);
    char buffer[8];
    EXPECT_EQ((*early)->read(buffer).value_or(99), 0U) << "the echo's own end";
    EXPECT_LE(world.now_virtual(), 1s + 2ms);
  });
}

TEST_F(ObstacleTest, WhatIsStillHeldUpAtTheEndOfTheWorldHarmsNobody) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kHolds, .border = all_to_server()}, 1h);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(ask(os, **stream, "ping", 1s), "deadline passed");
    EXPECT_EQ(outcome(os.network.connect({"server", 7}, os.clock.monotonic() + 1s)),
              "deadline passed");
  });
}

TEST_F(ObstacleTest, ABlackHoleSwallowsOldStreamsAndLetsNewOnesThrough) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kLoses, .border = all_to_server(), .established = true}, 20s);
  run_client([&](os::Os& os) {
    auto old = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(ask(os, **old, "ping", 5s), "deadline passed");
    EXPECT_EQ(echo_call(os, "server", "ping"), "ping");
    char buffer[8];
    EXPECT_EQ((*old)->read(buffer).value_or(0), 4U) << "TCP has not given up";
    EXPECT_GE(world.now_virtual(), 20s);
  });
}

TEST_F(ObstacleTest, WhereTheWayBackIsBlockedTheBufferStaysFull) {
  world.weather().network.buffer_bytes = 8;
  std::string heard;
  server.start("listens", [&](os::Os& os) {
    auto listener = os.network.listen({"", 7});
    auto stream = (*listener)->accept();
    char buffer[64];
    while (auto count = (*stream)->read(buffer)) heard.append(buffer, *count);
    return 0;
  });
  stand({.kind = Kind::kLoses, .border = link(Direction::kIn)}, 2s);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(outcome(os::write_all(**stream, "12345678", os.clock.monotonic() + 100ms)), "ok");
    EXPECT_EQ(outcome((*stream)->write("9", os.clock.monotonic() + 1s)), "deadline passed");
    EXPECT_EQ(heard, "12345678") << "it was read, but the client cannot know";
    EXPECT_EQ(outcome((*stream)->write("9", os.clock.monotonic() + 5s)), "ok");
    EXPECT_EQ(world.now_virtual(), 2100ms);
  });
}

TEST_F(ObstacleTest, ABlackHoleSwallowsTheNewsOfWhatWasReadAsWell) {
  world.weather().network.buffer_bytes = 8;
  server.start("listens", [&](os::Os& os) {
    auto listener = os.network.listen({"", 7});
    auto stream = (*listener)->accept();
    char buffer[64];
    while (auto count = (*stream)->read(buffer)) {
      if (*count == 0) break;
    }
    return 0;
  });
  stand({.kind = Kind::kLoses, .border = link(Direction::kIn), .established = true}, 2s);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(outcome(os::write_all(**stream, "12345678", os.clock.monotonic() + 100ms)), "ok");
    EXPECT_EQ(outcome((*stream)->write("9", os.clock.monotonic() + 1s)), "deadline passed");
    EXPECT_EQ(outcome((*stream)->write("9", os.clock.monotonic() + 5s)), "ok");
    EXPECT_EQ(world.now_virtual(), 2100ms);
  });
}

TEST_F(ObstacleTest, FullBuffersTakeNothingUntilItIsOver) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kFills, .border = all_to_server()}, 1s);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(outcome((*stream)->write("1", os.clock.monotonic() + 100ms)), "deadline passed");
    EXPECT_EQ(ask(os, **stream, "ping", 10s), "ping");
    EXPECT_EQ(world.now_virtual(), 1100ms + 2ms);
  });
}

TEST_F(ObstacleTest, ASlowLinkTakesLongerAndCarriesLess) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kSlows,
         .border = link(Direction::kOut),
         .latency = 500ms,
         .bytes_per_second = 10'000},
        1h);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 1s);
    EXPECT_EQ(ask(os, **stream, std::string(1000, 'x'), 10s), std::string(1000, 'x'));
    // 100 ms to leave, 501 ms on the way, 1 ms back.
    EXPECT_EQ(world.now_virtual(), 1602ms);
  });
}

TEST_F(ObstacleTest, CallsAreRefused) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kRefuses, .border = all_to_server()}, 1s);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(echo_call(os, "server", "ping"), "connection refused");
    EXPECT_EQ(ask(os, **stream, "ping", 1s), "ping") << "who is connected is served";
    sleep_until(os, 1200ms);
    EXPECT_EQ(echo_call(os, "server", "ping"), "ping");
  });
}

TEST_F(ObstacleTest, CallsAreNotHeard) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kIgnores, .border = all_to_server()}, 1s);
  run_client([&](os::Os& os) {
    sleep_until(os, 200ms);
    EXPECT_EQ(echo_call(os, "server", "ping", 500ms), "deadline passed");
    EXPECT_EQ(echo_call(os, "server", "ping"), "ping");
    EXPECT_GE(world.now_virtual(), 1700ms) << "the second try";
  });
}

TEST_F(ObstacleTest, TheBacklogIsShort) {
  server.start("slow", [](os::Os& os) {
    auto listener = os.network.listen({"", 7});
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  stand({.kind = Kind::kCrowds, .border = all_to_server(), .backlog = 1}, 2s);
  run_client([&](os::Os& os) {
    sleep_until(os, 200ms);
    auto first = os.network.connect({"server", 7}, os.clock.monotonic() + 100ms);
    EXPECT_TRUE(first);
    EXPECT_EQ(outcome(os.network.connect({"server", 7}, os.clock.monotonic() + 500ms)),
              "deadline passed");
    sleep_until(os, 2200ms);
    EXPECT_TRUE(os.network.connect({"server", 7}, os.clock.monotonic() + 100ms));
  });
}

TEST_F(ObstacleTest, AcceptIsSlow) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kDelays, .border = all_to_server(), .latency = 1s}, 1h);
  run_client([&](os::Os& os) {
    sleep_until(os, 200ms);
    const VirtualTime begin = world.now_virtual();
    VirtualTime longest{0};
    for (int i = 0; i < 20; ++i) {
      const VirtualTime before = world.now_virtual();
      EXPECT_EQ(echo_call(os, "server", "ping"), "ping");
      longest = std::max(longest, world.now_virtual() - before);
    }
    EXPECT_LE(longest, 1s + 4ms);
    EXPECT_GE(longest, 700ms);
    EXPECT_GE(world.now_virtual() - begin, 6s);
  });
}

TEST_F(ObstacleTest, SlowAcceptKeepsADeadlineAndLosesNobody) {
  std::vector<std::string> accepted;
  server.start("impatient", [&](os::Os& os) {
    auto listener = os.network.listen({"", 7});
    for (;;) {
      auto stream = (*listener)->accept(os.clock.monotonic() + 10ms);
      if (stream) accepted.push_back((*stream)->peer().host);
      if (!stream && stream.error().code() != base::Errc::kDeadline) return 0;
    }
  });
  stand({.kind = Kind::kDelays, .border = all_to_server(), .latency = 1s}, 1h);
  run_client([&](os::Os& os) {
    sleep_until(os, 200ms);
    auto stream = os.network.connect({"server", 7});
    EXPECT_TRUE(stream);
    sleep_until(os, 2s);
  });
  EXPECT_EQ(accepted, std::vector<std::string>{"client"});
}

// ---- Obstacles that look at bytes

TEST_F(ObstacleTest, OneMessageIsHeldAndWhatComesBehindItWaits) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kHolds,
         .border = link(Direction::kOut),
         .concerns = [](const Crossing& crossing) { return crossing.bytes.contains("held"); }},
        900ms);
  run_client([&](os::Os& os) {
    auto one = os.network.connect({"server", 7});
    auto other = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(ask(os, **one, "free", 1s), "free");
    EXPECT_EQ(outcome(os::write_all(**one, "held", os.clock.monotonic() + 1s)), "ok");
    EXPECT_EQ(ask(os, **one, "free", 100ms), "deadline passed") << "behind it";
    EXPECT_EQ(ask(os, **other, "free", 100ms), "free") << "another stream";
    EXPECT_EQ(echo_call(os, "server", "free", 100ms), "free") << "and calls get through";
    char buffer[16];
    EXPECT_EQ((*one)->read(buffer).value_or(0), 8U);
    EXPECT_EQ(std::string_view(buffer, 8), "heldfree");
    EXPECT_EQ(world.now_virtual(), 1s + 1ms) << "as soon as it falls";
  });
}

TEST_F(ObstacleTest, OneMessageIsLostUntilTcpSendsItAgain) {
  server.start("echo", echo_server);
  stand({.kind = Kind::kLoses,
         .border = link(Direction::kOut),
         .concerns = [](const Crossing& crossing) { return crossing.bytes == "lost"; }},
        900ms);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    sleep_until(os, 200ms);
    EXPECT_EQ(ask(os, **stream, "lost", 10s), "lost");
    EXPECT_GT(world.now_virtual(), 1s);
    EXPECT_LT(world.now_virtual(), 3s);
  });
}

TEST_F(ObstacleTest, WhoLooksIsToldEachByteAndWhereItStands) {
  server.start("echo", echo_server);
  std::string there;
  std::string back;
  stand({.kind = Kind::kHolds,
         .border = link(Direction::kBoth),
         .concerns =
             [&](const Crossing& crossing) {
               std::string& seen = crossing.from == client.index() ? there : back;
               EXPECT_EQ(crossing.offset, seen.size() + 4) << "four came before it looked";
               EXPECT_EQ(crossing.from == client.index() ? server.index() : client.index(),
                         crossing.to);
               seen += crossing.bytes;
               return false;
             }},
        900ms);
  run_client([&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    EXPECT_EQ(ask(os, **stream, "0123", 10s), "0123");
    sleep_until(os, 200ms);
    EXPECT_EQ(ask(os, **stream, "4567", 10s), "4567");
    EXPECT_EQ(ask(os, **stream, "89", 10s), "89");
  });
  EXPECT_EQ(there, "456789");
  EXPECT_EQ(back, "456789");
}

}  // namespace
}  // namespace seatrial::sim
