#include "tests/kv/support/in_process.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

TEST(Transaction, AllItsEffectsAreOneUnit) {
  InProcess server;
  for (const char* line : {"MULTI", "SET a 1", "SELECT 2", "SET b 2", "GET b"}) server.run(line);
  EXPECT_EQ(server.units, 0);
  EXPECT_EQ(server.run("EXEC"), "*4|+OK|+OK|+OK|$1|2|");
  EXPECT_EQ(server.units, 1);
  EXPECT_EQ(server.take_effects(), "0> SET a 1\n2> SET b 2\n");
}

TEST(Transaction, TimeStandsStillWithinIt) {
  InProcess server;
  server.run("SET k v PX 10");
  for (const char* line : {"MULTI", "GET k", "GET k"}) server.run(line);
  server.now += 10;
  EXPECT_EQ(server.run("EXEC"), "*2|$1|v|$1|v|");
}

// Opens a watch on `k`, lets another client do `change`, and returns EXEC's reply.
std::string exec_after(InProcess& server, const std::vector<const char*>& change) {
  const auto other = server.client();
  server.run("WATCH k");
  for (const char* line : change) server.run(*other, line);
  server.run("MULTI");
  server.run("PING");
  return server.run("EXEC");
}

const std::string kRan = "*1|+PONG|";
const std::string kAborted = "*-1|";

TEST(Watch, AnyChangeOfTheKeyAborts) {
  for (const char* change : {"SET k 1", "SET k 2", "DEL k", "INCR k", "APPEND k x", "EXPIRE k 9",
                             "EXPIRE k -1", "FLUSHDB", "FLUSHALL", "MSET x 1 k 1"}) {
    InProcess server;
    server.run("SET k 1");
    EXPECT_EQ(exec_after(server, {change}), kAborted) << change;
  }
}

TEST(Watch, NothingElseAborts) {
  for (const char* change : {"GET k", "SET other 1", "SET k 5 NX", "INCRBY k x", "PERSIST k",
                             "EXPIRE k 9 XX", "EXPIRE none 9", "DEL other", "SELECT 1"}) {
    InProcess server;
    server.run("SET k 1");
    EXPECT_EQ(exec_after(server, {change}), kRan) << change;
  }
  InProcess server;
  server.run("SET k 1");
  EXPECT_EQ(exec_after(server, {"SELECT 1", "SET k 2", "FLUSHDB"}), kRan) << "another database";
}

TEST(Watch, FlushingAnAbsentKeyIsNoChange) {
  InProcess server;
  EXPECT_EQ(exec_after(server, {"FLUSHALL"}), kRan);
  EXPECT_EQ(exec_after(server, {"SET k 1", "DEL k"}), kAborted);
}

TEST(Watch, AKeyThatExpiresAbortsAlsoWhileItIsNotRemoved) {
  InProcess server;
  server.run("SET k v PX 10");
  server.run("WATCH k");
  server.run("MULTI");
  server.run("SET r 1");
  server.now += 11;
  EXPECT_EQ(server.run("EXEC"), kAborted);
  EXPECT_EQ(server.run("EXISTS r"), ":0|");
}

TEST(Watch, AKeyThatHadExpiredBeforeCountsAsAbsent) {
  for (const std::vector<const char*>& change :
       {std::vector<const char*>{}, {"GET k"}, {"FLUSHALL"}, {"DEL k"}}) {
    InProcess server;
    server.run("SET k v PX 10");
    server.now += 11;
    EXPECT_EQ(exec_after(server, change), kRan);
  }
  InProcess server;
  server.run("SET k v PX 10");
  server.now += 11;
  EXPECT_EQ(exec_after(server, {"GET k", "SET k 1"}), kAborted);
}

TEST(Watch, AKeyThatHadExpiredBeforeStaysAbsentWhereTheClockIsSetBack) {
  InProcess server;
  server.run("SET k v PX 10");
  server.now += 11;
  server.run("WATCH k");
  server.now -= 6;
  EXPECT_EQ(server.run("GET k"), "$-1|");
  server.run("MULTI");
  server.run("PING");
  server.now += 10;
  EXPECT_EQ(server.run("EXEC"), kRan);
}

TEST(Watch, WhatAReplicaHidAtWatchAndShowsAgainHasChanged) {
  InProcess server;
  server.run("SET k v PX 10");
  server.state.replication.replica = true;
  server.now += 11;
  server.run("WATCH k");
  server.now -= 6;
  server.run("MULTI");
  server.run("PING");
  EXPECT_EQ(server.run("EXEC"), kAborted);
}

TEST(Watch, EndsWithUnwatchDiscardAndExec) {
  for (const std::vector<const char*>& end :
       {std::vector<const char*>{"UNWATCH"}, {"MULTI", "DISCARD"}, {"MULTI", "EXEC"}, {"RESET"}}) {
    InProcess server;
    const auto other = server.client();
    server.run("WATCH k");
    server.run(*other, "SET k 1");
    for (const char* line : end) server.run(line);
    server.run("MULTI");
    server.run("PING");
    EXPECT_EQ(server.run("EXEC"), kRan) << end.front();
  }
}

TEST(Watch, IsForgottenWithItsClient) {
  InProcess server;
  {
    const auto gone = server.client();
    server.run(*gone, "WATCH a b a");
    EXPECT_EQ(server.state.keyspace.watches().keys(), 2U);
  }
  EXPECT_EQ(server.state.keyspace.watches().keys(), 0U);
}

TEST(Transaction, AnErrorWhileQueueingRefusesAll) {
  InProcess server;
  server.run("MULTI");
  server.run("SET a 1");
  EXPECT_EQ(server.run("NOSUCH"), "-ERR unknown command 'NOSUCH', with args beginning with: |");
  EXPECT_EQ(server.run("EXEC"), "-EXECABORT Transaction discarded because of previous errors.|");
  EXPECT_EQ(server.run("EXISTS a"), ":0|");
  EXPECT_EQ(server.take_effects(), "");
}

TEST(Transaction, MoreThanTheQueryBufferLimitEndsTheClient) {
  Config config;
  config.client_query_buffer_bytes = 1000;
  InProcess server(config);
  const auto client = server.client();
  server.run(*client, "MULTI");
  server.run(*client, "SET a " + std::string(990, 'x'));
  EXPECT_EQ(client->next, resp::Next::kContinue);
  server.run(*client, "SET b " + std::string(990, 'x'));
  EXPECT_EQ(client->next, resp::Next::kCut);
}

// What the effects are for: the same commands on another server give the same data.
RC_GTEST_PROP(EffectsProperty, RepeatTheExecutionExactly, ()) {
  InProcess first;
  InProcess second;
  second.now = Keyspace::kNothingExpires;
  const std::vector<std::string> kKeys = {"a", "b", "c"};
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 16));
  for (const int step : steps) {
    const std::string key = *rc::gen::elementOf(kKeys);
    const std::string number = std::to_string(*rc::gen::inRange(-3, 30));
    first.now += *rc::gen::inRange(0, 20);
    const std::vector<std::string> kLines = {"SET " + key + " " + number,
                                             "SET " + key + " " + number + " PX 15",
                                             "SET " + key + " v NX",
                                             "SET " + key + " v XX KEEPTTL",
                                             "INCRBY " + key + " " + number,
                                             "APPEND " + key + " " + number,
                                             "DEL " + key + " a",
                                             "PEXPIRE " + key + " " + number,
                                             "PEXPIRE " + key + " 25 GT",
                                             "PERSIST " + key,
                                             "MSET a 1 " + key + " 2",
                                             "MULTI",
                                             "EXEC",
                                             "SELECT " + std::to_string(*rc::gen::inRange(0, 2)),
                                             "FLUSHDB",
                                             "GET " + key};
    first.run(kLines[static_cast<size_t>(step)]);
  }
  std::vector<std::string> lines;
  resp::split_words(first.effects, lines);
  std::string line;
  for (size_t i = 0; i <= lines.size(); ++i) {
    if (i == lines.size() || lines[i].ends_with('>')) {
      if (!line.empty()) RC_ASSERT(!second.run(line).starts_with('-'));
      if (i == lines.size()) break;
      second.run("SELECT " + lines[i].substr(0, lines[i].size() - 1));
      line.clear();
    } else {
      line += lines[i] + " ";
    }
  }
  for (int database = 0; database < 2; ++database) {
    Database& left = first.state.keyspace.at(database);
    Database& right = second.state.keyspace.at(database);
    RC_ASSERT(left.size() == right.size());
    left.entries().for_each([&](const Entry* entry) {
      const Entry* const same = right.find(entry->key());
      RC_ASSERT(same != nullptr);
      NumberText digits;
      NumberText same_digits;
      RC_ASSERT(entry->text(digits) == same->text(same_digits));
      RC_ASSERT(entry->deadline() == same->deadline());
    });
  }
}

}  // namespace
}  // namespace seatrial::kv
