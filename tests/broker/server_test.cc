// The broker as a node: starts, ends, limits, and what it does about those who speak nonsense.
#include "broker/server.h"
#include "broker/wire/messages/api_versions.h"
#include "broker/wire/messages/metadata.h"
#include "tests/broker/support/batches.h"
#include "tests/broker/support/trial.h"

#include <fstream>
#include <string>

namespace seatrial::broker {
namespace {

using namespace std::literals;

void ask_for(Talk& talk, const std::string& name) {
  MetadataRequest request;
  request.topics = {{name}};
  ASSERT_EQ(talk.call<MetadataReply>(request, 4).topics.at(0).error, ErrorCode::kNone);
}

std::string all_values(Talk& talk) {
  return fetched_values(talk.call<FetchReply>(fetch_one("t", 0), 11).topics.at(0).partitions.at(0));
}

bool answers(os::Os& os) {
  Talk talk(os);
  return talk.call<ApiVersionsReply>(ApiVersionsRequest{}, 3).error == ErrorCode::kNone;
}

TEST(Server, KeepsWhatWasAcknowledgedThroughEveryKindOfEnd) {
  Trial trial;
  trial.run([&] {
    trial.start();
    std::string expected;
    for (int round = 0; round < 9; ++round) {
      trial.ask([&](os::Os& os) {
        Talk talk(os);
        ask_for(talk, "t");
        EXPECT_EQ(all_values(talk), expected);
        const std::string batch = one_record(fmt::format("v{}", round));
        const auto reply = talk.call<ProduceReply>(produce_one("t", batch), 7);
        EXPECT_EQ(reply.topics[0].partitions[0].base_offset, round);
        expected += fmt::format("{}{}:v{}", round == 0 ? "" : " ", round, round);
      });
      if (round % 3 == 0) {
        trial.stop();
        EXPECT_EQ(trial.exit_code, 0);
      } else if (round % 3 == 1) {
        trial.server.kill();
      } else {
        trial.server.power_off();
        trial.server.power_on();
      }
      trial.start();
    }
  });
}

TEST(Server, AStopEndsLongPollsAndFlushesWhatWasOnlyWritten) {
  Trial trial;
  trial.config.log.flush_interval_messages = 1000;
  trial.config.log.flush_interval = 1h;
  trial.run([&] {
    trial.start();
    trial.ask([](os::Os& os) {
      Talk talk(os);
      ask_for(talk, "t");
      const std::string batch = one_record("a");
      talk.call<ProduceReply>(produce_one("t", batch, 1), 7);
      EXPECT_EQ(all_values(talk), "");
    });
    trial.client.start("poller", [](os::Os& os) {
      Talk talk(os);
      talk.send(fetch_one("t", 0, 1'000'000), 11);
      EXPECT_EQ(talk.frame(10s), "");
      EXPECT_TRUE(talk.ended);
      return 0;
    });
    trial.world.sleep(100ms);
    trial.stop();
    EXPECT_EQ(trial.exit_code, 0);
    trial.server.power_off();
    trial.server.power_on();
    trial.start();
    trial.ask([](os::Os& os) {
      Talk talk(os);
      EXPECT_EQ(all_values(talk), "0:a");
    });
  });
}

TEST(Server, APortThatIsTakenAndADirectoryOfAnotherBrokerStopTheStart) {
  Trial trial;
  trial.run([&] {
    trial.start();
    int second = -1;
    Config config = trial.config;
    config.log_dir = "elsewhere";
    trial.server.start("second", [&](os::Os& os) { return second = serve(os, config); });
    trial.world.sleep(1s);
    EXPECT_EQ(second, 1);
    EXPECT_NE(trial.log.find("cannot listen on"), std::string::npos);
    trial.stop();
    trial.config.broker_id = 9;
    trial.start();
    EXPECT_EQ(trial.exit_code, 1);
    EXPECT_NE(trial.log.find("logs/meta.properties:2: the directory belongs to broker.id 0"),
              std::string::npos)
        << trial.log;
  });
}

TEST(Server, MoreConnectionsThanAllowedAreClosed) {
  Trial trial;
  trial.config.connections_max = 2;
  trial.with_broker([](os::Os& os) {
    Talk one(os);
    {
      Talk two(os);
      ask_for(two, "t");
      Talk three(os);
      three.send(ApiVersionsRequest{}, 0);
      EXPECT_EQ(three.frame(), "");
      EXPECT_TRUE(three.ended);
    }
    static_cast<void>(os.clock.sleep_for(100ms));
    EXPECT_TRUE(answers(os));
    ask_for(one, "t");
  });
}

TEST(Server, AnIdleConnectionIsClosedButNotOneThatIsWaitedOn) {
  Trial trial;
  trial.config.connection_idle_max = 8s;
  trial.with_broker([](os::Os& os) {
    Talk idle(os);
    Talk busy(os);
    ask_for(busy, "t");
    busy.send(fetch_one("t", 0, 30'000), 11);
    EXPECT_EQ(idle.frame(20s), "");
    EXPECT_TRUE(idle.ended);
    EXPECT_EQ(busy.receive<FetchReply>(11, 60s).error, ErrorCode::kNone);
  });
}

// ---- Nonsense ----

struct Nonsense {
  std::string bytes;
  std::string said;  // By the broker, in its log.
};

TEST(Server, WhatCannotBeUnderstoodEndsItsConnectionWithALine) {
  Trial trial;
  trial.config.request_bytes_max = 100'000;
  const std::vector<Nonsense> all = {
      {"\xff\xff\xff\xff"s, "a length of -1 bytes, expected 0 to 100000"},
      {"\x7f\xff\xff\xff"s, "a length of 2147483647 bytes, expected 0 to 100000"},
      {"GET / HTTP/1.1\r\n\r\n"s, "a length of 1195725856 bytes"},
      {"\x00\x00\x00\x00"s, "a request's header: at byte 0: 2 bytes are needed, 0 are left"},
      {"\x00\x00\x00\x03\x00\x12\x00"s, "a request's header: at byte 2"},
      {"\x00\x00\x00\x0a\x03\xe7\x00\x00\x00\x00\x00\x07\xff\xff"s,
       "unknown (API 999) version 0, correlation id 7: this broker has no such API"},
      {"\x00\x00\x00\x0a\x00\x01\x00\x63\x00\x00\x00\x07\xff\xff"s,
       "Fetch (API 1) version 99, correlation id 7: expected version 0 to 11"},
      {"\x00\x00\x00\x0a\x00\x01\xff\xff\x00\x00\x00\x07\xff\xff"s,
       "Fetch (API 1) version -1, correlation id 7: expected version 0 to 11"},
      {"\x00\x00\x00\x0a\x00\x12\x00\x03\x00\x00\x00\x07\x7f\xff"s, "a request's header"},
      {"\x00\x00\x00\x0e\x00\x03\x00\x01\x00\x00\x00\x07\xff\xff\x7f\xff\xff\xff"s,
       "Metadata (API 3) version 1, correlation id 7: at byte 4: an array of 2147483647 elements, "
       "0 bytes are left"},
      {"\x00\x00\x00\x0f\x00\x03\x00\x01\x00\x00\x00\x07\xff\xff\x00\x00\x00\x00!"s,
       "at byte 4: 1 bytes more than the message has"},
  };
  trial.with_broker([&](os::Os& os) {
    for (const Nonsense& nonsense : all) {
      trial.log.clear();
      Talk talk(os);
      talk.raw(nonsense.bytes);
      EXPECT_EQ(talk.frame(), "");
      EXPECT_TRUE(talk.ended);
      EXPECT_NE(trial.log.find(nonsense.said), std::string::npos) << trial.log;
      EXPECT_TRUE(answers(os));
    }
    Talk cut(os);
    cut.raw("\x00\x00\x00\x20\x00\x12"sv);
    cut.shut();
    EXPECT_EQ(cut.frame(), "");
    EXPECT_NE(trial.log.find("the stream ends within a frame, after 6 bytes of it"),
              std::string::npos);
  });
}

TEST(Server, RequestsBeforeTheNonsenseAreAnswered) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    ask_for(talk, "t");
    const std::string batch = one_record("a");
    for (int i = 0; i < 3; ++i) talk.send(produce_one("t", batch), 7);
    talk.raw("\xff\xff\xff\xff");
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(talk.receive<ProduceReply>(7).topics[0].partitions[0].base_offset, i);
    }
    EXPECT_EQ(talk.frame(), "");
    EXPECT_TRUE(talk.ended);
  });
}

// Requests of real clients, with bytes changed, cut out and put in: whatever comes of it, the
// broker lives, and a connection of its own is served.
TEST(Server, LivesThroughDamagedRequestsOfRealClients) {
  std::vector<std::string> frames;
  for (const char* name : {"kcat-1.7.1.txt", "kafka-python-2.0.2.txt"}) {
    std::ifstream file(SEATRIAL_SOURCE_DIR "/tests/broker/golden/"s + name);
    std::string direction;
    std::string hex;
    int api = 0;
    int version = 0;
    while (file >> direction >> api >> version >> hex) {
      if (direction != "request") continue;
      std::string& frame = frames.emplace_back();
      for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        frame += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
      }
    }
  }
  ASSERT_GE(frames.size(), 10U);
  Trial trial;
  trial.config.connection_idle_max = 10s;
  trial.config.log.segment_bytes = 4096;
  trial.run([&] {
    trial.start();
    for (int round = 0; round < 30; ++round) {
      trial.ask([&](os::Os& os) {
        base::RandomStream random(static_cast<uint64_t>(round));
        for (int i = 0; i < 100; ++i) {
          std::string frame = frames[random.below(frames.size())];
          const uint64_t changes = random.below(4);
          for (uint64_t c = 0; c < changes; ++c) {
            const size_t at = random.below(frame.size());
            const uint64_t kind = random.below(4);
            if (kind == 0) frame[at] = static_cast<char>(random.below(256));
            if (kind == 1) frame[at] = random.chance(0.5) ? '\xff' : '\x7f';
            if (kind == 2) frame.erase(at, 1 + random.below(4));
            if (kind == 3)
              frame.insert(at, 1 + random.below(4), static_cast<char>(random.below(256)));
            if (frame.empty()) break;
          }
          Talk talk(os);
          const auto size = static_cast<uint32_t>(frame.size());
          const char length[] = {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                                 static_cast<char>(size >> 8), static_cast<char>(size)};
          talk.raw(std::string(length, 4) + frame);
          talk.shut();
          talk.frame(5s);
        }
        EXPECT_TRUE(answers(os));
      });
    }
    EXPECT_EQ(trial.exit_code, -1) << trial.log;
    trial.stop();
    EXPECT_EQ(trial.exit_code, 0);
    trial.start();
    EXPECT_EQ(trial.exit_code, -1) << trial.log;
  });
}

}  // namespace
}  // namespace seatrial::broker
