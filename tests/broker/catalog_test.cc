// The topics on disk: what was answered is there, whatever befell the machine, and what is there
// is whole.
#include "broker/catalog.h"
#include "tests/broker/log/lives.h"

namespace seatrial::broker {
namespace {

Config config_in(std::string directory = "logs/broker") {
  Config config;
  config.log_dir = std::move(directory);
  return config;
}

// A catalog as one life has it.
struct Opened {
  explicit Opened(os::Os& os, Config with = config_in())
      : config(std::move(with)), catalog(os, config, [](const base::Error&) {}) {}
  Config config;
  Catalog catalog;
};

size_t partitions_of(Catalog& catalog, std::string_view name) {
  const Topic* const topic = catalog.find(name);
  return topic == nullptr ? 0 : topic->partitions.size();
}

std::string open_error(os::Os& os, Config config = config_in()) {
  const auto opened = std::make_unique<Opened>(os, std::move(config));
  const auto result = opened->catalog.open();
  return result ? "opened" : result.error().message();
}

void write(os::Os& os, std::string_view path, std::string_view text) {
  const auto file = must(os.disk.open(path, os::kReplace));
  must(os::append_all(*file, text));
  must(file->sync_data());
}

TEST(TopicName, FollowsKafkasRules) {
  EXPECT_EQ(topic_name_problem("orders"), "");
  EXPECT_EQ(topic_name_problem("a.B_c-9"), "");
  EXPECT_EQ(topic_name_problem(std::string(249, 'x')), "");
  for (const std::string bad : {"", ".", "..", "a/b", "a b", "\xc3\xa9", "a\n"}) {
    EXPECT_NE(topic_name_problem(bad), "") << bad;
  }
  EXPECT_NE(topic_name_problem(std::string(250, 'x')), "");
}

TEST(Catalog, KeepsTopicsPartitionsSettingsAndIdentity) {
  std::string cluster;
  Lives().run({{.body =
                    [&](os::Os& os) {
                      const auto a = std::make_unique<Opened>(os);
                      must(a->catalog.open());
                      cluster = a->catalog.cluster_id();
                      EXPECT_EQ(cluster.size(), 22U);
                      ASSERT_TRUE(a->catalog.create("orders", 3, {}));
                      ASSERT_TRUE(a->catalog.create("logs-1", 1, {{"segment.bytes", "4096"}}));
                    }},
               {.body = [&](os::Os& os) {
                 const auto b = std::make_unique<Opened>(os);
                 must(b->catalog.open());
                 EXPECT_EQ(b->catalog.cluster_id(), cluster);
                 EXPECT_EQ(b->catalog.topics().size(), 2U);
                 EXPECT_EQ(partitions_of(b->catalog, "orders"), 3U);
                 EXPECT_EQ(partitions_of(b->catalog, "logs-1"), 1U);
                 EXPECT_EQ(b->catalog.find("orders")->options.segment_bytes, 1U << 30);
                 EXPECT_EQ(b->catalog.find("logs-1")->options.segment_bytes, 4096U);
               }}});
}

TEST(Catalog, RefusesWhatCannotBe) {
  Lives().run([](os::Os& os) {
    const auto opened = std::make_unique<Opened>(os);
    Catalog& catalog = opened->catalog;
    must(catalog.open());
    ASSERT_TRUE(catalog.create("orders", 1, {}));
    EXPECT_EQ(catalog.create("orders", 1, {}).error().error, ErrorCode::kTopicAlreadyExists);
    EXPECT_EQ(catalog.create("a/b", 1, {}).error().error, ErrorCode::kInvalidTopic);
    EXPECT_EQ(catalog.create("none", 0, {}).error().error, ErrorCode::kInvalidPartitions);
    EXPECT_EQ(catalog.create("many", 10001, {}).error().error, ErrorCode::kInvalidPartitions);
    EXPECT_EQ(catalog.create("odd", 1, {{"colour", "red"}}).error().error,
              ErrorCode::kInvalidConfig);
    // A blank would not be read back as it was written.
    EXPECT_EQ(catalog.create("odd", 1, {{"flush.ms", " 1"}}).error().error,
              ErrorCode::kInvalidConfig);
    EXPECT_EQ(catalog.topics().size(), 1U);
  });
}

// The power fails at every moment of a creation.
TEST(Catalog, ACreationCutShortAnywhereLeavesAllOrNothing) {
  int answered = 0;
  int unfinished = 0;
  for (auto at = 0us; at < 60ms; at += 350us) {
    bool created = false;
    Lives lives;
    lives.seed = static_cast<uint64_t>(at.count());
    lives.run({{.body =
                    [](os::Os& os) {
                      const auto first = std::make_unique<Opened>(os);
                      must(first->catalog.open());
                      ASSERT_TRUE(first->catalog.create("before", 2, {}));
                      must(first->catalog.close());
                    }},
               {.body =
                    [&](os::Os& os) {
                      const auto second = std::make_unique<Opened>(os);
                      must(second->catalog.open());
                      created = second->catalog.create("new", 3, {}).has_value();
                    },
                .time_max = at,
                .power_loss = true},
               {.body = [&](os::Os& os) {
                 const auto third = std::make_unique<Opened>(os);
                 const auto opened = third->catalog.open();
                 ASSERT_TRUE(opened) << at.count() << ": " << opened.error().message();
                 EXPECT_EQ(partitions_of(third->catalog, "before"), 2U);
                 const size_t found = partitions_of(third->catalog, "new");
                 EXPECT_TRUE(found == 3 || (found == 0 && !created)) << at.count();
                 if (found == 0) {
                   ASSERT_TRUE(third->catalog.create("new", 3, {})) << at.count();
                 }
               }}});
    ++(created ? answered : unfinished);
  }
  EXPECT_GT(answered, 10);
  EXPECT_GT(unfinished, 10);
}

TEST(Catalog, AFailedSyncIsAnErrorAndTheCatalogGoesOn) {
  Lives lives;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    lives.seed = seed;
    lives.weather.disk.sync_error_chance = 0.2;
    int failed = 0;
    lives.run([&](os::Os& os) {
      const auto opened = std::make_unique<Opened>(os);
      if (!opened->catalog.open()) return;
      for (int i = 0; i < 10; ++i) {
        const auto created = opened->catalog.create(fmt::format("t{}", i), 2, {});
        if (created) continue;
        ++failed;
        EXPECT_EQ(created.error().error, ErrorCode::kKafkaStorageError);
        EXPECT_EQ(opened->catalog.find(fmt::format("t{}", i)), nullptr);
      }
    });
  }
}

TEST(Catalog, DamageStopsTheStartAndIsNamed) {
  Lives().run([](os::Os& os) {
    {
      const auto opened = std::make_unique<Opened>(os);
      must(opened->catalog.open());
      ASSERT_TRUE(opened->catalog.create("orders", 2, {}));
      must(opened->catalog.close());
    }
    const std::string topics = must(os::read_file(os.disk, "logs/broker/topics", 10000));
    for (size_t i = 0; i < topics.size(); ++i) {
      std::string damaged = topics;
      damaged[i] = static_cast<char>(damaged[i] ^ 1);
      write(os, "logs/broker/topics", damaged);
      EXPECT_EQ(
          open_error(os),
          "logs/broker/topics: the file is damaged: its checksum is not that of its contents");
      write(os, "logs/broker/topics", topics.substr(0, i));
      EXPECT_EQ(
          open_error(os),
          "logs/broker/topics: the file is damaged: its checksum is not that of its contents");
    }
    write(os, "logs/broker/topics", topics);
    EXPECT_EQ(open_error(os), "opened");

    must(os.disk.rename("logs/broker/orders-1", "logs/broker/elsewhere"));
    EXPECT_EQ(open_error(os),
              "logs/broker/orders-1 is missing: logs/broker/topics names the topic 'orders' with 2 "
              "partitions");
    must(os.disk.rename("logs/broker/elsewhere", "logs/broker/orders-1"));

    Config other = config_in();
    other.broker_id = 5;
    EXPECT_EQ(open_error(os, other),
              "logs/broker/meta.properties:2: the directory belongs to broker.id 0, this is 5");
    write(os, "logs/broker/meta.properties", "");
    EXPECT_EQ(open_error(os), "logs/broker/meta.properties: expected a cluster.id");
  });
}

TEST(Catalog, RecordsThatNoTopicClaimsAreNotPassedOver) {
  Lives().run([](os::Os& os) {
    {
      const auto opened = std::make_unique<Opened>(os);
      must(opened->catalog.open());
      ASSERT_TRUE(opened->catalog.create("orders", 1, {}));
      const auto& log = opened->catalog.find("orders")->partitions[0];
      must(log->await_flushed(must(append(*log, batch_of({"a"}))).end_offset));
      must(opened->catalog.close());
    }
    must(os.disk.unlink("logs/broker/topics"));
    EXPECT_EQ(open_error(os),
              "logs/broker/orders-0 holds records, and there is no logs/broker/topics that names "
              "its topic");
  });
}

}  // namespace
}  // namespace seatrial::broker
