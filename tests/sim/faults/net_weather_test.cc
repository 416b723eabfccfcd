#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

// The ambient faults of the network: what each draws, what that does to a stream, and what is left
// of it in the calm. tests/sim/machine/network_test.cc measures them one by one.
class NetWeather : public OneFault {
 protected:
  // Draws the fault for as many seeds as it takes to be felt.
  NetworkWeather draw(std::string_view kind, uint64_t seed = 5) {
    return draw_plan(kind, seed, {.servers = {"server"}, .storm = 30s}).weather.network;
  }
  // How long a hundred small calls and a large one take, under the weather, in the storm and in
  // the calm after it.
  struct Took {
    VirtualTime storm{0};
    VirtualTime calm{0};
  };
  Took measure(const NetworkWeather& weather) {
    world.weather().network = weather;
    serve(echo_server);
    server.start("sink", sink);
    Took took;
    client.start("client", [&](os::Os& os) {
      (void)os.clock.sleep_for(10ms);
      took.storm = one_round(os);
      (void)os.clock.sleep_for(1000s - world.now_virtual());
      took.calm = one_round(os);
      world.stop();
      return 0;
    });
    world.administer("director", [&] {
      Storm storm(world, plan);
      world.sleep(900s);
      storm.end();
    });
    EXPECT_EQ(world.run(), Outcome::kStopped);
    return took;
  }
  // Says when it has heard 100 KB.
  static int sink(os::Os& os) {
    auto listener = os.network.listen({"", 8});
    while (auto stream = (*listener)->accept()) {
      char buffer[4096];
      for (size_t heard = 0; heard < 100'000;) heard += (*stream)->read(buffer).value_or(100'000);
      (void)os::write_all(**stream, "!");
    }
    return 0;
  }
  VirtualTime one_round(os::Os& os) {
    const VirtualTime begin = world.now_virtual();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(echo_call(os, "server", "ping", 100s), "ping");
    auto stream = os.network.connect({"server", 8});
    char buffer[8];
    EXPECT_TRUE(os::write_all(**stream, std::string(100'000, 'x')));
    EXPECT_EQ((*stream)->read(buffer).value_or(0), 1U);
    return world.now_virtual() - begin;
  }
};

TEST_F(NetWeather, NothingWrong) {
  const Took took = measure({});
  EXPECT_LE(took.storm, 400ms);
  EXPECT_LE(took.calm, 400ms);
}

TEST_F(NetWeather, LossEndsWithTheStorm) {
  const NetworkWeather drawn = draw("net.loss");
  EXPECT_GT(drawn.loss_chance, 0);
  EXPECT_LE(drawn.loss_chance, 0.05);
  NetworkWeather weather;
  weather.loss_chance = 0.05;
  const Took took = measure(weather);
  EXPECT_GE(took.storm, 2s);
  EXPECT_LE(took.calm, 400ms);
  EXPECT_GT(struck("net.loss"), 0U);
}

TEST_F(NetWeather, TheTailEndsWithTheStorm) {
  const NetworkWeather drawn = draw("net.tail");
  EXPECT_GT(drawn.tail_chance, 0);
  EXPECT_LE(drawn.tail_chance, 0.4);
  NetworkWeather weather;
  weather.tail_chance = 0.5;
  const Took took = measure(weather);
  EXPECT_GE(took.storm, 600ms);
  EXPECT_LE(took.calm, 400ms);
}

TEST_F(NetWeather, BandwidthIsLimitedInTheStorm) {
  const NetworkWeather drawn = draw("net.bandwidth");
  EXPECT_GE(drawn.bandwidth_kib, 64U);
  EXPECT_LE(drawn.bandwidth_kib, 16384U);
  NetworkWeather weather;
  weather.bandwidth_kib = 64;
  const Took took = measure(weather);
  EXPECT_GE(took.storm, 1500ms);
  EXPECT_LE(took.calm, 400ms);
}

TEST_F(NetWeather, BuffersAreSmallInTheStorm) {
  const NetworkWeather drawn = draw("net.buffers");
  EXPECT_GE(drawn.buffer_bytes, 64U);
  EXPECT_LE(drawn.buffer_bytes, 65536U);
  NetworkWeather weather;
  weather.buffer_bytes = 64;
  const Took took = measure(weather);
  EXPECT_GE(took.storm, 500ms);
  EXPECT_LE(took.calm, 400ms);
}

TEST_F(NetWeather, DistanceStays) {
  const NetworkWeather drawn = draw("net.distance");
  EXPECT_GE(drawn.distance_max, 100us);
  EXPECT_LE(drawn.distance_max, 50ms);
  NetworkWeather weather;
  weather.distance_max = 50ms;
  const Took took = measure(weather);
  const VirtualTime distance = world.net().link(client, server).distance;
  EXPECT_GT(distance, 0us);
  EXPECT_GE(took.storm, 400 * distance);
  EXPECT_GE(took.calm, 400 * distance);
}

}  // namespace
}  // namespace seatrial::sim
