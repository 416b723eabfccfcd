// The APIs about topics and offsets: ApiVersions, Metadata, CreateTopics, ListOffsets.
#include "broker/dispatch.h"
#include "broker/wire/messages/api_versions.h"
#include "broker/wire/messages/create_topics.h"
#include "broker/wire/messages/list_offsets.h"
#include "broker/wire/messages/metadata.h"
#include "tests/broker/support/batches.h"
#include "tests/broker/support/trial.h"

namespace seatrial::broker {
namespace {

MetadataReply ask_for(Talk& talk, const std::string& name, int16_t version = 5,
                      bool may_create = true) {
  MetadataRequest request{.allow_auto_topic_creation = may_create};
  request.topics = {{name}};
  return talk.call<MetadataReply>(request, version);
}

TEST(ApiVersions, TellsTheSameInAllVersions) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    for (int16_t version = 0; version <= 3; ++version) {
      const auto reply = talk.call<ApiVersionsReply>(ApiVersionsRequest{}, version);
      EXPECT_EQ(reply.error, ErrorCode::kNone);
      ASSERT_EQ(reply.apis.size(), apis().size());
      for (const auto& api : reply.apis) EXPECT_EQ(api.version_min, 0);
    }
  });
}

TEST(ApiVersions, AnUnknownVersionIsAnsweredInTheOldest) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    talk.send(ApiVersionsRequest{}, 4);
    const auto reply = talk.receive<ApiVersionsReply>(0);
    EXPECT_EQ(reply.error, ErrorCode::kUnsupportedVersion);
    EXPECT_EQ(reply.apis.size(), apis().size());
    // And the client goes on with one that it found there.
    EXPECT_EQ(talk.call<ApiVersionsReply>(ApiVersionsRequest{}, 3).error, ErrorCode::kNone);
  });
}

TEST(Metadata, TellsTheBrokerAndCreatesWhatIsMissing) {
  Trial trial;
  trial.config.broker_id = 4;
  trial.config.num_partitions = 2;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    for (int16_t version = 0; version <= 9; ++version) {
      const std::string name = fmt::format("t{}", version);
      const auto reply = ask_for(talk, name, version);
      ASSERT_EQ(reply.brokers.size(), 1U);
      EXPECT_EQ(reply.brokers[0].node_id, 4);
      EXPECT_EQ(reply.brokers[0].host, "server");
      EXPECT_EQ(reply.brokers[0].port, 9092);
      EXPECT_EQ(reply.controller, version >= 1 ? 4 : -1);
      EXPECT_EQ(reply.cluster_id.value_or("").size(), version >= 2 ? 22U : 0U);
      ASSERT_EQ(reply.topics.size(), 1U);
      EXPECT_EQ(reply.topics[0].error, ErrorCode::kNone);
      EXPECT_EQ(reply.topics[0].name, name);
      ASSERT_EQ(reply.topics[0].partitions.size(), 2U);
      const auto& partition = reply.topics[0].partitions[1];
      EXPECT_EQ(partition.index, 1);
      EXPECT_EQ(partition.leader, 4);
      EXPECT_EQ(partition.replicas, std::vector<int32_t>{4});
      EXPECT_EQ(partition.in_sync, std::vector<int32_t>{4});
    }
    MetadataRequest all;
    all.topics.reset();
    EXPECT_EQ(talk.call<MetadataReply>(all, 1).topics.size(), 10U);
    EXPECT_EQ(talk.call<MetadataReply>(MetadataRequest{}, 0).topics.size(), 10U);
    EXPECT_EQ(talk.call<MetadataReply>(MetadataRequest{}, 1).topics.size(), 0U);
  });
}

TEST(Metadata, CreatesOnlyWhatItMay) {
  Trial trial;
  trial.config.advertised = {"quay.example", 19092};
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    const auto forbidden = ask_for(talk, "t", 4, false);
    EXPECT_EQ(forbidden.brokers[0].host, "quay.example");
    EXPECT_EQ(forbidden.brokers[0].port, 19092);
    EXPECT_EQ(forbidden.topics[0].error, ErrorCode::kUnknownTopicOrPartition);
    EXPECT_EQ(ask_for(talk, "no/slash").topics[0].error, ErrorCode::kInvalidTopic);
    EXPECT_EQ(ask_for(talk, "").topics[0].error, ErrorCode::kInvalidTopic);
    EXPECT_EQ(ask_for(talk, std::string(30'000, 'x')).topics[0].error, ErrorCode::kInvalidTopic);
    EXPECT_EQ(talk.call<MetadataReply>(MetadataRequest{}, 0).topics.size(), 0U);
  });
  Trial without;
  without.config.auto_create_topics = false;
  without.with_broker([](os::Os& os) {
    Talk talk(os);
    EXPECT_EQ(ask_for(talk, "t").topics[0].error, ErrorCode::kUnknownTopicOrPartition);
  });
}

TEST(Metadata, TwoClientsThatAskForTheSameNewTopicBothGetIt) {
  Trial().with_broker([](os::Os& os) {
    Talk one(os);
    Talk other(os);
    MetadataRequest request;
    request.topics = {{"t"}};
    one.send(request, 4);
    other.send(request, 4);
    EXPECT_EQ(one.receive<MetadataReply>(4).topics[0].error, ErrorCode::kNone);
    EXPECT_EQ(other.receive<MetadataReply>(4).topics[0].error, ErrorCode::kNone);
  });
}

using Wanted = CreateTopicsRequest::Topic;

std::string created(Talk& talk, Wanted wanted, int16_t version = 4, bool validate_only = false) {
  CreateTopicsRequest request{.topics = {std::move(wanted)}, .validate_only = validate_only};
  const auto reply = talk.call<CreateTopicsReply>(request, version);
  return std::string(to_string(reply.topics.at(0).error));
}

TEST(CreateTopics, CreatesInAllVersions) {
  Trial trial;
  trial.config.num_partitions = 6;
  trial.with_broker([](os::Os& os) {
    Talk talk(os);
    for (int16_t version = 0; version <= 4; ++version) {
      const std::string name = fmt::format("t{}", version);
      EXPECT_EQ(created(talk, {.name = name, .partitions = 3, .replication_factor = 1}, version),
                "NONE");
      EXPECT_EQ(ask_for(talk, name).topics[0].partitions.size(), 3U);
    }
    EXPECT_EQ(created(talk, {.name = "defaults"}), "NONE");
    EXPECT_EQ(ask_for(talk, "defaults").topics[0].partitions.size(), 6U);
    EXPECT_EQ(created(talk, {.name = "assigned", .assignments = {{1, {0}}, {0, {0}}}}), "NONE");
    EXPECT_EQ(ask_for(talk, "assigned").topics[0].partitions.size(), 2U);
    EXPECT_EQ(created(talk, {.name = "only asked"}, 4, true), "INVALID_TOPIC_EXCEPTION");
    EXPECT_EQ(created(talk, {.name = "only-asked"}, 4, true), "NONE");
    EXPECT_EQ(ask_for(talk, "only-asked", 5, false).topics[0].error,
              ErrorCode::kUnknownTopicOrPartition);
  });
}

TEST(CreateTopics, RefusalsHaveTheirErrorCodes) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    EXPECT_EQ(created(talk, {.name = "t"}), "NONE");
    EXPECT_EQ(created(talk, {.name = "t"}), "TOPIC_ALREADY_EXISTS");
    EXPECT_EQ(created(talk, {.name = "a b"}), "INVALID_TOPIC_EXCEPTION");
    EXPECT_EQ(created(talk, {.name = "a", .partitions = 0}), "INVALID_PARTITIONS");
    EXPECT_EQ(created(talk, {.name = "a", .partitions = INT32_MAX}), "INVALID_PARTITIONS");
    EXPECT_EQ(created(talk, {.name = "a", .replication_factor = 2}), "INVALID_REPLICATION_FACTOR");
    // The defaults are there from version 4 on only.
    EXPECT_EQ(created(talk, {.name = "a", .replication_factor = 1}, 3), "INVALID_PARTITIONS");
    EXPECT_EQ(created(talk, {.name = "a", .assignments = {{0, {1}}}}),
              "INVALID_REPLICA_ASSIGNMENT");
    EXPECT_EQ(created(talk, {.name = "a", .assignments = {{1, {0}}}}),
              "INVALID_REPLICA_ASSIGNMENT");
    EXPECT_EQ(created(talk, {.name = "a", .assignments = {{0, {0}}, {0, {0}}}}),
              "INVALID_REPLICA_ASSIGNMENT");
    EXPECT_EQ(created(talk, {.name = "a", .partitions = 1, .assignments = {{0, {0}}}}),
              "INVALID_REQUEST");
    EXPECT_EQ(created(talk, {.name = "a", .settings = {{"flush.ms", std::nullopt}}}),
              "INVALID_CONFIG");
    EXPECT_EQ(created(talk, {.name = "a", .settings = {{std::string(32'000, 'x'), "1"}}}),
              "INVALID_CONFIG");
    CreateTopicsRequest twice{.topics = {{.name = "twice"}, {.name = "twice"}}};
    for (const auto& topic : talk.call<CreateTopicsReply>(twice, 4).topics) {
      EXPECT_EQ(topic.error, ErrorCode::kInvalidRequest);
    }
    EXPECT_EQ(talk.call<MetadataReply>(MetadataRequest{}, 0).topics.size(), 1U);
  });
}

ListOffsetsReply::Partition offset_at(Talk& talk, int64_t timestamp, int16_t version) {
  ListOffsetsRequest request;
  request.topics.push_back({"t", {{.index = 0, .timestamp_ms = timestamp}}});
  return talk.call<ListOffsetsReply>(request, version).topics.at(0).partitions.at(0);
}

TEST(ListOffsets, FindsTheBoundsAndTimes) {
  Trial().with_broker([](os::Os& os) {
    Talk talk(os);
    ask_for(talk, "t");
    for (int64_t i = 0; i < 5; ++i) {
      const std::string batch = one_record("a", 1000 + 10 * i);
      talk.call<ProduceReply>(produce_one("t", batch), 7);
    }
    for (int16_t version = 1; version <= 5; ++version) {
      EXPECT_EQ(offset_at(talk, kLatestOffset, version).offset, 5);
      EXPECT_EQ(offset_at(talk, kEarliestOffset, version).offset, 0);
      const auto between = offset_at(talk, 1011, version);
      EXPECT_EQ(between.offset, 2);
      EXPECT_EQ(between.timestamp_ms, 1020);
      EXPECT_EQ(between.leader_epoch, version >= 4 ? 0 : -1);
      EXPECT_EQ(offset_at(talk, 1041, version).offset, -1);
      EXPECT_EQ(offset_at(talk, 1041, version).error, ErrorCode::kNone);
      EXPECT_EQ(offset_at(talk, -7, version).error, ErrorCode::kInvalidRequest);
    }
    EXPECT_EQ(offset_at(talk, kLatestOffset, 0).offsets, std::vector<int64_t>{5});
    EXPECT_EQ(offset_at(talk, kEarliestOffset, 0).offsets, std::vector<int64_t>{0});
  });
}

TEST(ListOffsets, TheEndIsWhereTheFlushedRecordsEnd) {
  sim::Weather weather;
  weather.disk.sync_min = weather.disk.sync_max = 50ms;
  Trial(1, weather).with_broker([](os::Os& os) {
    Talk talk(os);
    ask_for(talk, "t");
    const std::string batch = one_record("a");
    talk.call<ProduceReply>(produce_one("t", batch, 1), 7);
    EXPECT_EQ(offset_at(talk, kLatestOffset, 2).offset, 0);
    EXPECT_EQ(offset_at(talk, 0, 2).offset, -1);
    static_cast<void>(os.clock.sleep_for(100ms));
    EXPECT_EQ(offset_at(talk, kLatestOffset, 2).offset, 1);
    EXPECT_EQ(offset_at(talk, 0, 2).offset, 0);
  });
}

}  // namespace
}  // namespace seatrial::broker
