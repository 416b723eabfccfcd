#include "broker/wire/messages/fetch.h"
#include "broker/wire/messages/metadata.h"
#include "tests/broker/support/batches.h"
#include "tests/broker/support/trial.h"

namespace seatrial::broker {
namespace {

void make_topic(Talk& talk, const std::string& name) {
  MetadataRequest request;
  request.topics = {{name}};
  ASSERT_EQ(talk.call<MetadataReply>(request, 4).topics.at(0).error, ErrorCode::kNone);
}

void produce(Talk& talk, const std::string& value, int32_t partition = 0, int16_t acks = -1) {
  const std::string batch = one_record(value);
  const auto reply = talk.call<ProduceReply>(produce_one("t", batch, acks, 5000, partition), 7);
  ASSERT_EQ(reply.topics.at(0).partitions.at(0).error, ErrorCode::kNone);
}

FetchReply::Partition only(const FetchReply& reply) {
  EXPECT_EQ(reply.error, ErrorCode::kNone);
  EXPECT_EQ(reply.topics.size(), 1U);
  EXPECT_EQ(reply.topics.at(0).partitions.size(), 1U);
  return reply.topics.at(0).partitions.at(0);
}

TEST(Fetch, GivesWhatWasProducedInEveryVersionThatIsServed) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    for (const char* value : {"a", "b", "c"}) produce(talk, value);
    for (int16_t version = 4; version <= 11; ++version) {
      const auto all = only(talk.call<FetchReply>(fetch_one("t", 0), version));
      EXPECT_EQ(fetched_values(all), "0:a 1:b 2:c");
      EXPECT_EQ(all.high_watermark, 3);
      EXPECT_EQ(all.last_stable_offset, 3);
      EXPECT_EQ(all.log_start_offset, version >= 5 ? 0 : -1);
      EXPECT_EQ(fetched_values(only(talk.call<FetchReply>(fetch_one("t", 2), version))), "2:c");
    }
  });
}

TEST(Fetch, OldVersionsAreRefusedInTheirOwnReply) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    for (int16_t version = 0; version <= 3; ++version) {
      EXPECT_EQ(only(talk.call<FetchReply>(fetch_one("t", 0), version)).error,
                ErrorCode::kUnsupportedVersion);
    }
  });
}

TEST(Fetch, EveryPartitionAskedForIsInTheReplyAlsoWithoutRecords) {
  Trial trial;
  trial.config.num_partitions = 3;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    produce(talk, "x", 1);
    FetchRequest request = fetch_one("t", 0);
    request.topics[0].partitions = {{.index = 2, .bytes_max = 1000},
                                    {.index = 1, .bytes_max = 1000},
                                    {.index = 0, .bytes_max = 1000}};
    request.topics.push_back({"missing", {{.index = 0, .bytes_max = 1000}}});
    const auto reply = talk.call<FetchReply>(request, 11);
    EXPECT_EQ(reply.session_id, 0);
    std::string told;
    for (const auto& topic : reply.topics) {
      for (const auto& partition : topic.partitions) {
        told += fmt::format("{}-{} {} {} [{}] ", topic.name, partition.index,
                            to_string(partition.error), partition.high_watermark,
                            fetched_values(partition));
      }
    }
    EXPECT_EQ(told,
              "t-2 NONE 0 [] t-1 NONE 1 [0:x] t-0 NONE 0 [] "
              "missing-0 UNKNOWN_TOPIC_OR_PARTITION -1 [] ");
  });
}

TEST(Fetch, OffsetsOutsideTheLogAreOutOfRange) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    produce(talk, "a");
    const auto error_at = [&](int64_t offset) {
      return only(talk.call<FetchReply>(fetch_one("t", offset), 11)).error;
    };
    EXPECT_EQ(error_at(1), ErrorCode::kNone);
    EXPECT_EQ(error_at(2), ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(error_at(-1), ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(error_at(INT64_MAX), ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(error_at(INT64_MIN), ErrorCode::kOffsetOutOfRange);
  });
}

TEST(Fetch, SessionsReplicasAndOtherEpochsAreRefused) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    FetchRequest session = fetch_one("t", 0);
    session.session_id = 5;
    EXPECT_EQ(talk.call<FetchReply>(session, 11).error, ErrorCode::kFetchSessionIdNotFound);
    session.session_id = 0;
    session.session_epoch = 3;
    EXPECT_EQ(talk.call<FetchReply>(session, 11).error, ErrorCode::kInvalidFetchSessionEpoch);
    session.session_epoch = 0;
    EXPECT_EQ(talk.call<FetchReply>(session, 11).session_id, 0);
    FetchRequest replica = fetch_one("t", 0);
    replica.replica_id = 2;
    EXPECT_EQ(talk.call<FetchReply>(replica, 11).error, ErrorCode::kInvalidRequest);
    FetchRequest ahead = fetch_one("t", 0);
    ahead.topics[0].partitions[0].current_leader_epoch = 9;
    EXPECT_EQ(only(talk.call<FetchReply>(ahead, 11)).error, ErrorCode::kUnknownLeaderEpoch);
  });
}

TEST(Fetch, TheFirstBatchComesWholeAndLimitsHoldForTheRest) {
  Trial trial;
  trial.config.num_partitions = 2;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    for (int i = 0; i < 3; ++i) {
      produce(talk, std::string(1000, 'x'), 0);
      produce(talk, std::string(1000, 'y'), 1);
    }
    const auto sizes = [&](int32_t partition_bytes, int32_t bytes) {
      FetchRequest request = fetch_one("t", 0);
      request.bytes_max = bytes;
      request.topics[0].partitions = {{.index = 0, .bytes_max = partition_bytes},
                                      {.index = 1, .bytes_max = partition_bytes}};
      const auto reply = talk.call<FetchReply>(request, 11);
      std::string text;
      for (const auto& partition : reply.topics.at(0).partitions) {
        text += fmt::format("{} ", partition.records->size() / 1000);
      }
      return text;
    };
    EXPECT_EQ(sizes(1, 1), "1 0 ");
    EXPECT_EQ(sizes(0, 0), "1 0 ");
    EXPECT_EQ(sizes(-5, -5), "1 0 ");
    EXPECT_EQ(sizes(2500, 100'000), "2 2 ");
    EXPECT_EQ(sizes(100'000, 2500), "2 0 ");
    EXPECT_EQ(sizes(100'000, 4500), "3 1 ");
    EXPECT_EQ(sizes(INT32_MAX, INT32_MAX), "3 3 ");
  });
}

TEST(Fetch, ALongPollEndsWithTheFlushNotWithTheAppend) {
  sim::Weather weather;
  weather.disk.sync_min = weather.disk.sync_max = 50ms;
  Trial trial(1, weather);
  trial.config.log.flush_interval_messages = 1;
  trial.with_broker([](os::Os& os) {
    Talk reader(os);
    Talk writer(os);
    make_topic(writer, "t");
    const auto begun = os.clock.monotonic();
    reader.send(fetch_one("t", 0, 5000), 11);
    EXPECT_EQ(reader.frame(500ms), "");
    const auto appended = os.clock.monotonic();
    produce(writer, "a", 0, 1);
    const auto polled = only(reader.receive<FetchReply>(11));
    EXPECT_EQ(fetched_values(polled), "0:a");
    EXPECT_GE(os.clock.monotonic() - appended, 50ms);
    EXPECT_LT(os.clock.monotonic() - begun, 1s);
  });
}

TEST(Fetch, ALongPollEndsWithItsTime) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    produce(talk, "a");
    const auto begun = os.clock.monotonic();
    const auto nothing = only(talk.call<FetchReply>(fetch_one("t", 1, 300), 11));
    EXPECT_EQ(nothing.error, ErrorCode::kNone);
    EXPECT_EQ(nothing.high_watermark, 1);
    EXPECT_EQ(nothing.records->size(), 0U);
    const auto waited = os.clock.monotonic() - begun;
    EXPECT_GE(waited, 300ms);
    EXPECT_LT(waited, 320ms);
    // Fewer bytes than wanted are given at the end as well.
    EXPECT_EQ(fetched_values(only(talk.call<FetchReply>(fetch_one("t", 0, 100, 10'000), 11))),
              "0:a");
  });
}

TEST(Fetch, ALongPollWaitsForEnoughBytesOfAnyPartition) {
  Trial trial;
  trial.config.num_partitions = 2;
  trial.with_broker([](os::Os& os) {
    Talk reader(os);
    Talk writer(os);
    make_topic(writer, "t");
    FetchRequest request = fetch_one("t", 0, 10'000, 2500);
    request.topics[0].partitions = {{.index = 0, .bytes_max = 1'000'000},
                                    {.index = 1, .bytes_max = 1'000'000}};
    reader.send(request, 11);
    for (int32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(reader.frame(100ms), "") << i;
      produce(writer, std::string(900, 'x'), i % 2);
    }
    const auto reply = reader.receive<FetchReply>(11, 100ms);
    EXPECT_GT(reply.topics.at(0).partitions.at(0).records->size(), 1800U);
    EXPECT_GT(reply.topics.at(0).partitions.at(1).records->size(), 900U);
  });
}

TEST(Fetch, AnErrorOfOnePartitionIsToldAtOnce) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    FetchRequest request = fetch_one("t", 0, 10'000);
    request.topics.push_back({"missing", {{.index = 0, .bytes_max = 1000}}});
    talk.send(request, 11);
    EXPECT_EQ(talk.receive<FetchReply>(11, 100ms).topics.at(1).partitions.at(0).error,
              ErrorCode::kUnknownTopicOrPartition);
  });
}

TEST(Fetch, ALongPollEndsWhenItsClientHangsUp) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    make_topic(talk, "t");
    talk.send(fetch_one("t", 0, 30'000), 11);
    static_cast<void>(os.clock.sleep_for(100ms));
    talk.shut();
    EXPECT_EQ(only(talk.receive<FetchReply>(11, 100ms)).error, ErrorCode::kNone);
  });
}

}  // namespace
}  // namespace seatrial::broker
