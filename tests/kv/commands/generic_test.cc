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

TEST(Generic, MovesAreLoggedOnlyWhereTheyHappen) {
  InProcess server;
  server.run("SET a 1");
  server.run("SET b 2");
  server.take_effects();
  EXPECT_EQ(server.run("RENAME a a"), "+OK|");
  EXPECT_EQ(server.run("RENAMENX a b"), ":0|");
  EXPECT_EQ(server.run("COPY a b"), ":0|");
  EXPECT_EQ(server.take_effects(), "");
  EXPECT_EQ(server.run("RENAME a b"), "+OK|");
  EXPECT_EQ(server.run("COPY b c DB 1"), ":1|");
  EXPECT_EQ(server.run("MOVE b 1"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> RENAME a b\n0> COPY b c DB 1\n0> MOVE b 1\n");
  EXPECT_EQ(server.run("DBSIZE"), ":0|");
}

TEST(Generic, AnExpiredDestinationIsFree) {
  InProcess server;
  server.run("SET a 1");
  server.run("SET b 2 PX 100");
  server.now += 101;
  server.take_effects();
  EXPECT_EQ(server.run("RENAMENX a b"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> DEL b\n0> RENAMENX a b\n");
  EXPECT_EQ(server.run("TTL b"), ":-1|");
}

TEST(Generic, ACopyOfAHashIsItsOwn) {
  InProcess server;
  for (int i = 0; i < 600; i++) server.run("HSET h f" + std::to_string(i) + " v");
  server.run("COPY h copy");
  server.run("HSET copy f0 changed");
  server.run("DEL h");
  EXPECT_EQ(server.run("HGET copy f0"), "$7|changed|");
  EXPECT_EQ(server.run("HLEN copy"), ":600|");
  server.run("RENAME copy h");
  EXPECT_EQ(server.run("HGET h f599"), "$1|v|");
}

TEST(Generic, AScanRemovesWhatHasExpired) {
  InProcess server;
  server.run("SET a 1 PX 100");
  server.run("SET b 2");
  server.now += 101;
  server.take_effects();
  EXPECT_EQ(server.run("SCAN 0 COUNT 100"), "*2|$1|0|*1|$1|b|");
  EXPECT_EQ(server.take_effects(), "0> DEL a\n");
}

TEST(Generic, ARandomKeyIsOneThatLives) {
  InProcess server;
  server.run("SET a 1 PX 100");
  server.run("SET b 2");
  server.now += 101;
  for (int i = 0; i < 20; i++) EXPECT_EQ(server.run("RANDOMKEY"), "$1|b|");
}

}  // namespace
}  // namespace seatrial::kv
