#include "broker/wire/messages/produce.h"
#include "broker/wire/messages/metadata.h"
#include "tests/broker/support/batches.h"
#include "tests/broker/support/trial.h"

namespace seatrial::broker {
namespace {

void make_topic(Talk& talk, const std::string& name) {
  MetadataRequest request;
  request.topics = {{name}};
  const auto reply = talk.call<MetadataReply>(request, 4);
  ASSERT_EQ(reply.topics.at(0).error, ErrorCode::kNone);
}

ProduceReply::Partition only(const ProduceReply& reply) {
  EXPECT_EQ(reply.topics.size(), 1U);
  EXPECT_EQ(reply.topics.at(0).partitions.size(), 1U);
  return reply.topics.at(0).partitions.at(0);
}

ErrorCode produced(Talk& talk, const ProduceRequest& request, int16_t version = 8) {
  return only(talk.call<ProduceReply>(request, version)).error;
}

TEST(Produce, GivesDenseOffsetsInEveryVersionThatIsServed) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    const std::string batch = one_record("a");
    int64_t next = 0;
    for (int16_t version = 3; version <= 8; ++version) {
      for (const int16_t acks : {-1, 1}) {
        const auto reply = only(talk.call<ProduceReply>(produce_one("t", batch, acks), version));
        EXPECT_EQ(reply.error, ErrorCode::kNone);
        EXPECT_EQ(reply.base_offset, next++);
        EXPECT_EQ(reply.log_append_time_ms, -1);
        EXPECT_EQ(reply.log_start_offset, version >= 5 ? 0 : -1);
      }
    }
  });
}

TEST(Produce, OldVersionsAreRefusedInTheirOwnReply) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    for (int16_t version = 0; version <= 2; ++version) {
      EXPECT_EQ(produced(talk, produce_one("t", one_record("a")), version),
                ErrorCode::kUnsupportedVersion);
    }
  });
}

TEST(Produce, RefusalsHaveTheirErrorCodes) {
  Trial trial;
  trial.config.log.batch_bytes_max = 200;
  trial.config.log.segment_bytes = 1024;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    const std::string good = one_record("a");
    EXPECT_EQ(produced(talk, produce_one("other", good)), ErrorCode::kUnknownTopicOrPartition);
    for (const int32_t partition : {-1, 1, INT32_MAX}) {
      EXPECT_EQ(produced(talk, produce_one("t", good, -1, 1000, partition)),
                ErrorCode::kUnknownTopicOrPartition);
    }
    EXPECT_EQ(produced(talk, produce_one("t", good, 2)), ErrorCode::kInvalidRequiredAcks);
    EXPECT_EQ(produced(talk, produce_one("t", good, -2)), ErrorCode::kInvalidRequiredAcks);
    EXPECT_EQ(produced(talk, produce_one("t", one_record(std::string(300, 'x')))),
              ErrorCode::kMessageTooLarge);
    EXPECT_EQ(produced(talk, produce_one("t", "")), ErrorCode::kCorruptMessage);
    EXPECT_EQ(produced(talk, produce_one("t", good + good)), ErrorCode::kInvalidRecord);
    std::string damaged = good;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    EXPECT_EQ(produced(talk, produce_one("t", damaged)), ErrorCode::kCorruptMessage);
    std::string older = good;
    older[16] = 1;
    EXPECT_EQ(produced(talk, produce_one("t", older)), ErrorCode::kUnsupportedForMessageFormat);
    ProduceRequest transactional = produce_one("t", good);
    transactional.transactional_id = "x";
    EXPECT_EQ(produced(talk, transactional), ErrorCode::kInvalidRequest);
    const std::string idempotent = make_batch(std::vector<NewRecord>{{.value = "a"}},
                                              {.id = 1, .epoch = 0, .base_sequence = 0});
    EXPECT_EQ(produced(talk, produce_one("t", idempotent)), ErrorCode::kInvalidRecord);
    // After all of that, the first record that is taken has the first offset.
    EXPECT_EQ(only(talk.call<ProduceReply>(produce_one("t", good), 7)).base_offset, 0);
  });
}

TEST(Produce, ABatchLargerThanASegmentIsRefused) {
  Trial trial;
  trial.config.log.segment_bytes = 1024;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    EXPECT_EQ(produced(talk, produce_one("t", one_record(std::string(2000, 'x')))),
              ErrorCode::kRecordListTooLarge);
  });
}

TEST(Produce, EachPartitionOfARequestIsAnsweredForItself) {
  Trial trial;
  trial.config.num_partitions = 3;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    const std::string batch = one_record("a");
    ProduceRequest request = produce_one("t", batch);
    request.topics[0].partitions = {{2, batch}, {7, batch}, {0, batch}, {0, batch}};
    const auto reply = talk.call<ProduceReply>(request, 7).topics.at(0);
    std::string told;
    for (const auto& partition : reply.partitions) {
      told += fmt::format("{}:{}@{} ", partition.index, to_string(partition.error),
                          partition.base_offset);
    }
    EXPECT_EQ(told, "2:NONE@0 7:UNKNOWN_TOPIC_OR_PARTITION@-1 0:NONE@0 0:NONE@1 ");
  });
}

TEST(Produce, WithoutAcknowledgementHasNoReply) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    const std::string batch = one_record("a");
    for (int i = 0; i < 3; ++i) {
      base::Buffer buffer;
      encode_request(buffer, produce_one("t", batch, 0), 7, 99, "test");
      talk.raw(buffer.bytes());
    }
    // The next reply is that to the next request.
    EXPECT_EQ(only(talk.call<ProduceReply>(produce_one("t", batch), 7)).base_offset, 3);
  });
}

TEST(Produce, WithoutAcknowledgementARefusalEndsTheConnection) {
  Trial trial;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    talk.send(produce_one("missing", one_record("a"), 0), 7);
    EXPECT_EQ(talk.frame(), "");
    EXPECT_TRUE(talk.ended);
  });
  EXPECT_NE(trial.log.find("Produce with acks=0 to missing-0: UNKNOWN_TOPIC_OR_PARTITION"),
            std::string::npos)
      << trial.log;
}

sim::Weather slow_syncs(os::Duration time) {
  sim::Weather weather;
  weather.disk.sync_min = weather.disk.sync_max = time;
  return weather;
}

TEST(Produce, AcksAllWaitsForTheFlushAndAcksOneDoesNot) {
  Trial trial(1, slow_syncs(20ms));
  trial.config.log.flush_interval_messages = 1000;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    const std::string batch = one_record("a");
    const auto begun = os.clock.monotonic();
    EXPECT_EQ(produced(talk, produce_one("t", batch, 1)), ErrorCode::kNone);
    const auto written = os.clock.monotonic();
    EXPECT_LT(written - begun, 15ms);
    EXPECT_EQ(produced(talk, produce_one("t", batch, -1)), ErrorCode::kNone);
    EXPECT_GE(os.clock.monotonic() - written, 20ms);
  });
}

TEST(Produce, ARequestThatIsNotFlushedInTimeTimesOutAndItsRecordStays) {
  Trial trial(1, slow_syncs(400ms));
  trial.run([&] {
    trial.start();
    trial.world.sleep(10s);
    trial.ask([](os::Os& os) {
      Talk talk(os);
      make_topic(talk, "t");
      const std::string batch = one_record("a");
      const auto begun = os.clock.monotonic();
      const auto reply = only(talk.call<ProduceReply>(produce_one("t", batch, -1, 100), 8));
      EXPECT_EQ(reply.error, ErrorCode::kRequestTimedOut);
      EXPECT_GE(os.clock.monotonic() - begun, 100ms);
      EXPECT_LT(os.clock.monotonic() - begun, 300ms);
      EXPECT_EQ(only(talk.call<ProduceReply>(produce_one("t", batch), 8)).base_offset, 1);
    });
  });
}

TEST(Produce, APipelineIsAnsweredInOrderAndSharesItsFlushes) {
  Trial trial(1, slow_syncs(10ms));
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    const std::string batch = one_record("a");
    const auto begun = os.clock.monotonic();
    for (int i = 0; i < 40; ++i) talk.send(produce_one("t", batch), 7);
    for (int i = 0; i < 40; ++i) {
      EXPECT_EQ(only(talk.receive<ProduceReply>(7)).base_offset, i);
    }
    EXPECT_LT(os.clock.monotonic() - begun, 60ms);
  });
}

// Whether the record is there nobody knows, so nobody is told anything; the next start shows it.
TEST(Produce, AFailedFlushIsNeverAnswered) {
  Trial trial;
  trial.run([&] {
    trial.start();
    trial.ask([](os::Os& os) {
      Talk talk(os);
      make_topic(talk, "t");
    });
    trial.server.sync_errors_due = 1;
    trial.ask([](os::Os& os) {
      Talk talk(os);
      const std::string batch = one_record("a");
      talk.send(produce_one("t", batch), 7);
      EXPECT_EQ(talk.frame(), "");
      EXPECT_TRUE(talk.ended);
    });
    EXPECT_EQ(trial.exit_code, 1);
    trial.start();
    trial.ask([](os::Os& os) {
      Talk talk(os);
      EXPECT_EQ(produced(talk, produce_one("t", one_record("b"))), ErrorCode::kNone);
    });
  });
}

}  // namespace
}  // namespace seatrial::broker
