#include "tests/kv/support/in_process.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

TEST(Generic, DeadlinesAreLoggedAsPointsInTime) {
  InProcess server;
  server.run("SET k v");
  server.take_effects();
  EXPECT_EQ(server.run("EXPIRE k 10 NX"), ":1|");
  EXPECT_EQ(server.run("EXPIRE k 10 NX"), ":0|");
  EXPECT_EQ(server.run("PEXPIRE k 500"), ":1|");
  EXPECT_EQ(server.run("EXPIREAT k 2000"), ":1|");
  EXPECT_EQ(server.run("PERSIST k"), ":1|");
  EXPECT_EQ(server.run("PERSIST k"), ":0|");
  EXPECT_EQ(server.take_effects(),
            "0> PEXPIREAT k 1010000\n0> PEXPIREAT k 1000500\n0> PEXPIREAT k 2000000\n"
            "0> PERSIST k\n");
}

TEST(Generic, ADeadlineInThePastRemovesTheKey) {
  InProcess server;
  server.run("SET k v");
  server.take_effects();
  EXPECT_EQ(server.run("EXPIRE k -1"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> DEL k\n");
  EXPECT_EQ(server.run("EXISTS k"), ":0|");
}

TEST(Generic, PersistDoesNotReviveAnExpiredKey) {
  InProcess server;
  server.run("SET k v PX 10");
  server.now += 11;
  server.take_effects();
  EXPECT_EQ(server.run("PERSIST k"), ":0|");
  EXPECT_EQ(server.take_effects(), "0> DEL k\n");
}

TEST(Generic, DelIsLoggedOnlyIfItRemovedSomething) {
  InProcess server;
  server.run("MSET a 1 b 2");
  server.take_effects();
  EXPECT_EQ(server.run("DEL none"), ":0|");
  EXPECT_EQ(server.take_effects(), "");
  EXPECT_EQ(server.run("DEL a none b"), ":2|");
  EXPECT_EQ(server.take_effects(), "0> DEL a none b\n");
}

TEST(Generic, TimeLeftIsRoundedAsRedisRounds) {
  InProcess server;
  server.run("SET k v PX 1499");
  EXPECT_EQ(server.run("TTL k"), ":1|");
  EXPECT_EQ(server.run("PTTL k"), ":1499|");
  server.run("SET k v PX 1500");
  EXPECT_EQ(server.run("TTL k"), ":2|");
  EXPECT_EQ(server.run("PEXPIRETIME k"), ":1001500|");
}

TEST(Generic, FlushingIsLoggedAlsoWhenNothingIsThere) {
  InProcess server;
  EXPECT_EQ(server.run("FLUSHALL"), "+OK|");
  EXPECT_EQ(server.run("SELECT 3"), "+OK|");
  EXPECT_EQ(server.run("FLUSHDB"), "+OK|");
  EXPECT_EQ(server.take_effects(), "0> FLUSHALL\n3> FLUSHDB\n");
}

}  // namespace
}  // namespace seatrial::kv
