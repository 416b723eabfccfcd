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
