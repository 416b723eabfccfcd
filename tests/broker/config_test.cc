#include "broker/config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::broker {
namespace {

using namespace std::chrono_literals;

base::Result<Config> parse(std::string_view text, std::vector<std::string> overrides = {}) {
  return parse_config("server.properties", text, overrides);
}
std::string mistake(std::string_view text, std::vector<std::string> overrides = {}) {
  const auto config = parse(text, std::move(overrides));
  return config ? "none" : std::string(config.error().detail());
}

TEST(Config, TakesKafkasNames) {
  const auto config = parse(R"(
broker.id=3
listeners=PLAINTEXT://:9192, PLAINTEXT://[::1]:9193
advertised.listeners=PLAINTEXT://quay.example:19192
log.dirs=/var/lib/quay
num.partitions=4
auto.create.topics.enable=false
log.segment.bytes=1048576
log.index.interval.bytes=512
log.flush.interval.messages=100
log.flush.interval.ms=250
message.max.bytes=2000
log.message.timestamp.type=LogAppendTime
socket.request.max.bytes=5000000
connections.max.idle.ms=1000
)");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->broker_id, 3);
  EXPECT_EQ(config->listeners, (std::vector<os::Address>{{"", 9192}, {"::1", 9193}}));
  EXPECT_EQ(config->advertised, (os::Address{"quay.example", 19192}));
  EXPECT_EQ(config->log_dir, "/var/lib/quay");
  EXPECT_EQ(config->num_partitions, 4);
  EXPECT_FALSE(config->auto_create_topics);
  EXPECT_EQ(config->log.segment_bytes, 1048576U);
  EXPECT_EQ(config->log.index_interval_bytes, 512U);
  EXPECT_EQ(config->log.flush_interval_messages, 100);
  EXPECT_EQ(config->log.flush_interval, 250ms);
  EXPECT_EQ(config->log.batch_bytes_max, 2000U);
  EXPECT_TRUE(config->log.log_append_time);
  EXPECT_EQ(config->request_bytes_max, 5000000);
  EXPECT_EQ(config->connection_idle_max, 1s);
  EXPECT_TRUE(config->warnings.empty());
}

TEST(Config, AnOverrideOutweighsTheFile) {
  const auto config = parse("num.partitions=4", {"num.partitions=5", "log.dirs=a=b"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->num_partitions, 5);
  EXPECT_EQ(config->log_dir, "a=b");
}

TEST(Config, KafkasUnlimitedIntervalsAreTaken) {
  const auto config = parse(
      "log.flush.interval.messages=9223372036854775807\nlog.flush.interval.ms=9223372036854775807");
  ASSERT_TRUE(config);
  EXPECT_GT(config->log.flush_interval, 24h * 365 * 100);
}

TEST(Config, WhatDoesNothingHereIsAWarning) {
  const auto config = parse("num.io.threads=8\nlog.retention.hours=168\nzookeeper.connect=x:1");
  ASSERT_TRUE(config);
  EXPECT_EQ(
      config->warnings,
      (std::vector<std::string>{
          "server.properties:1: num.io.threads has no effect: this broker has no such threads",
          "server.properties:2: log.retention.hours has no effect: records are never deleted",
          "server.properties:3: zookeeper.connect has no effect: this broker stands alone"}));
}

TEST(Config, AMistakeNamesItsPlaceAndWhatWasExpected) {
  EXPECT_EQ(mistake("\nnum.partitions=many"),
            "server.properties:2: num.partitions: expected a number from 1 to 10000, found 'many'");
  EXPECT_EQ(mistake("num.partition=1"),
            "server.properties:1: num.partition: this broker has no such setting");
  EXPECT_EQ(mistake("ssl.keystore.location=/x"),
            "server.properties:1: ssl.keystore.location: this broker has no such setting");
  EXPECT_EQ(mistake("min.insync.replicas=2"),
            "server.properties:1: min.insync.replicas: only '1' is supported, found '2'");
  EXPECT_EQ(mistake("listeners=SSL://:9093"),
            "server.properties:1: listeners: expected PLAINTEXT://host:port, found 'SSL://:9093'");
  EXPECT_EQ(mistake("listeners=PLAINTEXT://here"),
            "server.properties:1: listeners: 'PLAINTEXT://here' has no port");
  EXPECT_EQ(mistake("", {"num.partitions"}),
            "--override: expected key=value, found 'num.partitions'");
  EXPECT_EQ(mistake("", {"log.dirs=/a,/b"}),
            "--override: log.dirs: expected one directory: no more are used");
}

TEST(Config, ATopicHasSettingsOfItsOwn) {
  LogOptions options;
  EXPECT_EQ(set_topic_setting(options, "segment.bytes", "4096"), "");
  EXPECT_EQ(options.segment_bytes, 4096U);
  EXPECT_EQ(set_topic_setting(options, "flush.ms", "5"), "");
  EXPECT_EQ(options.flush_interval, 5ms);
  EXPECT_EQ(set_topic_setting(options, "retention.ms", "-1"), "");
  EXPECT_EQ(set_topic_setting(options, "retention.ms", "60000"),
            "only '-1' is supported, found '60000'");
  EXPECT_EQ(set_topic_setting(options, "cleanup.policy", "compact"),
            "only 'delete' is supported, found 'compact'");
  EXPECT_EQ(set_topic_setting(options, "log.segment.bytes", "4096"),
            "this broker has no such setting");
}

}  // namespace
}  // namespace seatrial::broker
