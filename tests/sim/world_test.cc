#include "sim/world.h"
#include "os/os.h"
#include "sim/machine/network.h"
#include "sim/machine/process.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

int echo_server(os::Os& os) {
  auto listener = os.network.listen({"", 7});
  EXPECT_TRUE(listener);
  os::FiberGroup connections(os.fibers);
  for (;;) {
    auto stream = (*listener)->accept();
    if (!stream) return 0;
    connections.spawn("echo", [s = std::move(*stream)] {
      char buffer[256];
      for (;;) {
        auto count = s->read(buffer);
        if (!count || *count == 0) return;
        if (!os::write_all(*s, {buffer, *count})) return;
      }
    });
  }
}

// Sends `text` and returns what comes back, or the error's text.
std::string call(os::Os& os, std::string_view host, std::string_view text) {
  auto stream = os.network.connect({std::string(host), 7}, os.clock.monotonic() + 10s);
  if (!stream) return std::string(to_string(stream.error().code()));
  if (!os::write_all(**stream, text)) return "write failed";
  std::string back;
  char buffer[64];
  while (back.size() < text.size()) {
    auto count = (*stream)->read(buffer, os.clock.monotonic() + 10s);
    if (!count) return std::string(to_string(count.error().code()));
    if (*count == 0) return "end of stream";
    back.append(buffer, *count);
  }
  return back;
}

struct EchoRun {
  uint64_t hash;
  uint64_t events;
  std::vector<std::string> answers;
};

EchoRun echo_run(uint64_t seed, Weather weather = {}) {
  World world({.seed = seed, .weather = weather});
  EchoRun run;
  world.add_node("server").start("echo", echo_server);
  int left = 3;
  for (int i = 0; i < 3; ++i) {
    world.add_node("client" + std::to_string(i)).start("client", [&](os::Os& os) {
      EXPECT_TRUE(os.clock.sleep_for(10ms));
      run.answers.push_back(call(os, "server", "hello, this is a longer text"));
      if (--left == 0) world.stop();
      return 0;
    });
  }
  EXPECT_EQ(world.run(), Outcome::kStopped);
  run.hash = world.trace().hash();
  run.events = world.trace().events();
  return run;
}

TEST(World, EchoComesBackOverStreams) {
  const EchoRun run = echo_run(1);
  EXPECT_EQ(run.answers, std::vector<std::string>(3, "hello, this is a longer text"));
}

TEST(World, SameSeedSameHash) {
  EXPECT_EQ(echo_run(7).hash, echo_run(7).hash);
  EXPECT_NE(echo_run(7).hash, echo_run(8).hash);
}

// What happened on each node, in words. Of the turns of its fibers only those that come after
// another's: a fiber that waits and is the next to run says nothing.
std::map<std::string, std::vector<std::string>> traces_of(uint64_t seed, bool with_stranger) {
  WorldOptions options{.seed = seed};
  options.weather.network.latency_min = 1ms;
  options.weather.network.latency_max = 5ms;
  options.weather.network.split_chance = 0.3;
  World world(options);
  std::map<std::string, std::vector<std::string>> traces;
  std::map<std::string, std::string> last;
  world.trace().listen([&](const TraceEvent& event) {
    if (event.kind == TraceKind::kResume &&
        std::exchange(last[std::string(event.node)], event.text) == event.text) {
      return;
    }
    traces[std::string(event.node)].push_back(
        fmt::format("{} {} {}", event.time.count(), to_string(event.kind), event.text));
  });
  if (with_stranger) {
    Node& stranger = world.add_node("stranger");
    stranger.start("echo", echo_server);
    stranger.start("busy", [](os::Os& os) {
      // At the very instants at which the others act as well.
      for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(call(os, "stranger", "to itself"), "to itself");
        EXPECT_TRUE(os.fibers.yield());
        EXPECT_TRUE(os.clock.sleep_for(1ms));
      }
      return 0;
    });
  }
  world.add_node("server").start("echo", echo_server);
  for (int i = 0; i < 5; ++i) {
    world.add_node("client" + std::to_string(i)).start("client", [](os::Os& os) {
      EXPECT_TRUE(os.clock.sleep_for(10ms));
      for (int j = 0; j < 5; ++j) EXPECT_EQ(call(os, "server", "hello"), "hello");
      return 0;
    });
  }
  world.administer("end", [&] {
    world.sleep(1s);
    world.stop();
  });
  world.run();
  traces.erase("");
  traces.erase("stranger");
  return traces;
}

TEST(World, AStrangerLeavesTheOthersTracesAsTheyWere) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto alone = traces_of(seed, false);
    EXPECT_GT(alone.at("server").size(), 100u);
    EXPECT_TRUE(traces_of(seed, true) == alone) << seed;
  }
}

TEST(World, SingleByteSegmentsLoseNothing) {
  Weather weather;
  weather.network.split_chance = 0.9;
  weather.network.short_read_chance = 0.9;
  weather.network.short_write_chance = 0.9;
  const EchoRun run = echo_run(3, weather);
  EXPECT_EQ(run.answers, std::vector<std::string>(3, "hello, this is a longer text"));
  EXPECT_GT(run.events, echo_run(3).events);
}

TEST(World, CutsAreSeenByClients) {
  Weather weather;
  weather.network.cut_chance = 1.0;
  const EchoRun run = echo_run(3, weather);
  EXPECT_EQ(run.answers, std::vector<std::string>(3, "connection reset"));
}

TEST(World, KillEndsAProcessAndItsPeersSeeTheEnd) {
  World world({.seed = 5});
  Node& server = world.add_node("server");
  server.start("echo", echo_server);
  std::string seen;
  world.add_node("client").start("client", [&](os::Os& os) {
    EXPECT_TRUE(os.clock.sleep_for(10ms));
    auto stream = os.network.connect({"server", 7});
    EXPECT_TRUE(stream);
    char buffer[8];
    auto count = (*stream)->read(buffer);
    seen = count ? std::to_string(*count) : std::string(to_string(count.error().code()));
    world.stop();
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(100ms);
    EXPECT_EQ(server.kill("echo"), 1U);
    EXPECT_FALSE(server.runs("echo"));
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_EQ(seen, "0");
}

TEST(World, PowerLossSaysNothing) {
  World world({.seed = 5});
  Node& server = world.add_node("server");
  server.start("echo", echo_server);
  std::string seen;
  world.add_node("client").start("client", [&](os::Os& os) {
    EXPECT_TRUE(os.clock.sleep_for(10ms));
    auto stream = os.network.connect({"server", 7});
    EXPECT_TRUE(stream);
    char buffer[8];
    auto count = (*stream)->read(buffer, os.clock.monotonic() + 5s);
    seen = count ? std::to_string(*count) : std::string(to_string(count.error().code()));
    world.stop();
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(100ms);
    server.power_off();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_EQ(seen, "deadline passed");
}

TEST(World, PartitionDelaysAndHealingDelivers) {
  World world({.seed = 5});
  Node& server = world.add_node("server");
  server.start("echo", echo_server);
  Node& client = world.add_node("client");
  std::string answer;
  os::Duration took{};
  client.start("client", [&](os::Os& os) {
    EXPECT_TRUE(os.clock.sleep_for(10ms));
    const os::MonotonicTime begin = os.clock.monotonic();
    answer = call(os, "server", "ping");
    took = os.clock.monotonic() - begin;
    world.stop();
    return 0;
  });
  Barrier blocked = world.net().block(client.index(), server.index());
  world.administer("weather", [&] {
    world.sleep(3s);
    blocked.fall();
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_EQ(answer, "ping");
  EXPECT_GE(took, 2900ms);
}

TEST(World, NobodyListensIsRefused) {
  World world({.seed = 5});
  world.add_node("server");
  std::string answer;
  world.add_node("client").start("client", [&](os::Os& os) {
    answer = call(os, "server", "x");
    EXPECT_EQ(call(os, "nowhere", "x"), "host unreachable");
    world.stop();
    return 0;
  });
  world.run();
  EXPECT_EQ(answer, "connection refused");
}

TEST(World, NothingToDoIsADeadlock) {
  World world({.seed = 5});
  world.add_node("lonely").start("waits", [](os::Os& os) {
    os::Event never(os.fibers);
    (void)never.wait();
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kDeadlock);
}

TEST(World, TimeLimitEndsARun) {
  World world({.seed = 5, .time_limit = 10s});
  world.add_node("busy").start("ticks", [](os::Os& os) {
    while (os.clock.sleep_for(1s)) {
    }
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kTimeUp);
}

TEST(World, ForkedChildSeesFrozenDataAndOutlivesItsParent) {
  struct Number : os::Snapshot {
    explicit Number(int v) : value(v) {}
    std::unique_ptr<os::Snapshot> freeze() const override {
      return std::make_unique<Number>(value);
    }
    int value;
  };
  World world({.seed = 5});
  Node& node = world.add_node("node");
  int seen = 0;
  node.start("parent", [&](os::Os& os) {
    Number data(41);
    auto child = os.process.fork("child", data, [&](os::Os& mine, const os::Snapshot& frozen) {
      EXPECT_TRUE(mine.clock.sleep_for(1s));
      seen = static_cast<const Number&>(frozen).value;
      world.stop();
      return 3;
    });
    EXPECT_TRUE(child);
    data.value = 99;
    auto status = os.process.wait(*child, os.clock.monotonic() + 10s);
    ADD_FAILURE() << "the parent was to be killed first";
    return 0;
  });
  world.administer("weather", [&] {
    world.sleep(500ms);
    node.kill("parent");
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_EQ(seen, 41);
}

TEST(WorldDeathTest, AnEscapeIsNamed) {
  EXPECT_DEATH(
      {
        World world({.seed = 5});
        world.add_node("node").start("escapes", [](os::Os&) {
          timespec now;
          return clock_gettime(CLOCK_REALTIME, &now);
        });
        world.run();
      },
      "a simulated node called clock_gettime");
}

}  // namespace
}  // namespace seatrial::sim
