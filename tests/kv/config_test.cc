#include "kv/config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

std::string problem(std::string_view text, const std::vector<std::string>& options = {}) {
  const auto config = parse_config("redis.conf", text, options);
  return config ? "none" : config.error().message();
}

TEST(Config, ReadsAFileAndLetsOptionsOverrideIt) {
  const std::vector<std::string> options = {
      "--port", "7000", "--appendfsync", "always", "--bind", "10.0.0.1", "10.0.0.2", "--save", ""};
  const auto config = parse_config("redis.conf",
                                   "# a comment\n\nport 6380\r\n  appendonly YES\n"
                                   "dir \"/tmp/a b\"\nproto-max-bulk-len 64mb\n",
                                   options);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->port, 7000);
  EXPECT_TRUE(config->appendonly);
  EXPECT_EQ(config->appendfsync, FsyncPolicy::kAlways);
  EXPECT_EQ(config->dir, "/tmp/a b");
  EXPECT_EQ(config->proto_max_bulk_bytes, 64 * 1024 * 1024);
  EXPECT_EQ(config->bind, (std::vector<std::string>{"10.0.0.1", "10.0.0.2"}));
}

TEST(Config, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(problem("port 1\n\nnosuch yes\n"), "redis.conf:3: unknown directive 'nosuch'");
  EXPECT_EQ(problem("port many"),
            "redis.conf:1: port: argument couldn't be parsed into an integer");
  EXPECT_EQ(problem("port 70000"),
            "redis.conf:1: port: argument must be between 0 and 65535 inclusive");
  EXPECT_EQ(problem("port"), "redis.conf:1: 'port' needs a value");
  EXPECT_EQ(problem("appendonly perhaps"),
            "redis.conf:1: appendonly: argument must be 'yes' or 'no'");
  EXPECT_EQ(problem("appendfsync often"),
            "redis.conf:1: appendfsync: argument(s) must be one of the following: "
            "everysec, always, no");
  EXPECT_EQ(problem("dir \"/tmp"), "redis.conf:1: unbalanced quotes");
  EXPECT_EQ(problem("appendfilename a/b"),
            "redis.conf:1: appendfilename: must be a name, not a path");
  EXPECT_EQ(problem("client-query-buffer-limit 9999999999999999999"),
            "redis.conf:1: client-query-buffer-limit: argument must be a memory value");
  EXPECT_EQ(problem("", {"--nosuch", "1"}), "command line: unknown directive 'nosuch'");
  EXPECT_EQ(problem("", {"6380"}), "command line: expected an option as --port, got '6380'");
  for (const char* wrong : {"save 60", "save 0 1", "save 60 x", "save 60 -1", "save 60 1 5"}) {
    EXPECT_EQ(problem(wrong), "redis.conf:1: save: Invalid save parameters");
  }
  EXPECT_EQ(problem("dbfilename temp-12.rdb"),
            "redis.conf:1: dbfilename: temp-<number>.rdb is the name of a snapshot that is being "
            "written");
  EXPECT_EQ(problem("dbfilename temp-.rdb"), "none");
}

TEST(Config, TakesWhomToFollowAndTheOldNames) {
  const std::vector<std::string> one_word = {"--replicaof", "10.0.0.1 6380"};
  for (const auto& [text, options] :
       {std::pair<const char*, std::vector<std::string>>{"replicaof 10.0.0.1 6380", {}},
        {"slaveof 10.0.0.1 6380\nslave-read-only no", {}},
        {"", one_word}}) {
    const auto config = parse_config("redis.conf", text, options);
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->primary_host, "10.0.0.1");
    EXPECT_EQ(config->primary_port, 6380);
    EXPECT_EQ(find_directive("replicaof")->get(*config), "10.0.0.1 6380");
  }
  const auto none = parse_config("redis.conf", "replicaof a 1\nreplicaof no one", {});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->primary_host, "");
  EXPECT_EQ(problem("replicaof a"),
            "redis.conf:1: replicaof: expected a host and a port, or \"no one\"");
  EXPECT_EQ(problem("replicaof a 0"),
            "redis.conf:1: replicaof: the port must be between 1 and 65535");
}

TEST(Config, TakesOutputLimitsByClass) {
  const auto config = parse_config("redis.conf",
                                   "client-output-buffer-limit replica 10mb 1mb 5\n"
                                   "client-output-buffer-limit normal 0 0 0 pubsub 1 2 3\n",
                                   {});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(find_directive("client-output-buffer-limit")->get(*config),
            "normal 0 0 0 slave 10485760 1048576 5 pubsub 1 2 3");
  for (const char* wrong : {"replica 1 2", "nobody 1 2 3", "replica x 2 3", "replica 1 2 -3"}) {
    EXPECT_NE(problem(std::string("client-output-buffer-limit ") + wrong), "none") << wrong;
  }
}

TEST(Config, SavePointsGatherOverLines) {
  const auto save = [](std::string_view text, std::vector<std::string> options = {}) {
    return find_directive("save")->get(parse_config("redis.conf", text, options).value());
  };
  EXPECT_EQ(save(""), "3600 1 300 100 60 10000");
  EXPECT_EQ(save("save 60 1"), "60 1");
  EXPECT_EQ(save("save 60 1\nsave 30 2 10 0\n"), "60 1 30 2 10 0");
  EXPECT_EQ(save("save 60 1", {"--save", "5 6"}), "60 1 5 6");
  EXPECT_EQ(save("save 60 1", {"--save", ""}), "");
  EXPECT_EQ(save("save \"\"\nsave 1 2"), "1 2");
  EXPECT_EQ(save("save 1 2\nsave \"\"\nsave 3 4"), "3 4");
}

TEST(Config, WhatIsShownCanBeSet) {
  const Config defaults;
  Config copy;
  for (const Directive& directive : directives()) {
    const std::string shown = directive.get(defaults);
    std::vector<std::string> words = {shown};
    if (directive.name == "bind") words = {"*", "-::*"};
    if (directive.name == "replicaof") words = {"no", "one"};
    EXPECT_EQ(directive.set(copy, words), "") << directive.name << " " << shown;
    EXPECT_EQ(directive.get(copy), shown) << directive.name;
  }
}

}  // namespace
}  // namespace seatrial::kv
