// Replies are compared with a real Redis in tests/interop/redis_differential.py; here is what no
// client sees: the effects, and time.
#include "tests/kv/support/in_process.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

TEST(String, SetLeavesItselfOrWhatCameOfItsOptions) {
  InProcess server;
  EXPECT_EQ(server.run("SET k v"), "+OK|");
  EXPECT_EQ(server.take_effects(), "0> SET k v\n");
  EXPECT_EQ(server.run("SET k w EX 10 XX GET"), "$1|v|");
  EXPECT_EQ(server.take_effects(), "0> SET k w PXAT 1010000\n");
  EXPECT_EQ(server.run("SET k x KEEPTTL"), "+OK|");
  EXPECT_EQ(server.take_effects(), "0> SET k x PXAT 1010000\n");
  EXPECT_EQ(server.run("SET k y NX"), "$-1|");
  EXPECT_EQ(server.run("SET none y XX"), "$-1|");
  EXPECT_EQ(server.take_effects(), "");
}

TEST(String, WritesThatFailLeaveNothing) {
  InProcess server;
  server.run("SET text abc");
  server.take_effects();
  EXPECT_EQ(server.run("INCR text"), "-ERR value is not an integer or out of range|");
  EXPECT_EQ(server.run("SET text"), "-ERR wrong number of arguments for 'set' command|");
  EXPECT_EQ(server.run("MSET a 1 b"), "-ERR wrong number of arguments for 'mset' command|");
  EXPECT_EQ(server.run("SET text x EX 0"), "-ERR invalid expire time in 'set' command|");
  EXPECT_EQ(server.take_effects(), "");
  EXPECT_EQ(server.run("DBSIZE"), ":1|");
}

TEST(String, CountingIsLoggedAsItIs) {
  InProcess server;
  EXPECT_EQ(server.run("INCR n"), ":1|");
  EXPECT_EQ(server.run("DECRBY n 5"), ":-4|");
  EXPECT_EQ(server.run("APPEND n x"), ":3|");
  EXPECT_EQ(server.take_effects(), "0> INCR n\n0> DECRBY n 5\n0> APPEND n x\n");
}

TEST(String, AnExpiredKeyIsRemovedBeforeTheWrite) {
  InProcess server;
  server.run("SET k 41 PX 100");
  server.take_effects();
  server.now += 100;
  EXPECT_EQ(server.run("GET k"), "$2|41|") << "at its deadline a key still lives";
  server.now += 1;
  EXPECT_EQ(server.run("INCR k"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> DEL k\n0> INCR k\n");
  EXPECT_EQ(server.run("TTL k"), ":-1|");
}

TEST(String, AReadThatFindsAnExpiredKeyLeavesItsRemoval) {
  InProcess server;
  server.run("SET k v PX 100");
  server.take_effects();
  server.now += 101;
  EXPECT_EQ(server.run("MGET k k other"), "*3|$-1|$-1|$-1|");
  EXPECT_EQ(server.take_effects(), "0> DEL k\n");
}

TEST(String, MsetTakesTheLastOfEqualKeysAndDropsDeadlines) {
  InProcess server;
  server.run("SET a 1 EX 100");
  EXPECT_EQ(server.run("MSET a 2 a 3"), "+OK|");
  EXPECT_EQ(server.run("GET a"), "$1|3|");
  EXPECT_EQ(server.run("TTL a"), ":-1|");
}

TEST(String, SettingForATimeLeavesTheMomentOfItsEnd) {
  InProcess server;
  EXPECT_EQ(server.run("SETEX k 10 v"), "+OK|");
  EXPECT_EQ(server.run("PSETEX k 10 w"), "+OK|");
  EXPECT_EQ(server.take_effects(), "0> SET k v PXAT 1010000\n0> SET k w PXAT 1000010\n");
  EXPECT_EQ(server.run("SETEX k 0 v"), "-ERR invalid expire time in 'setex' command|");
  EXPECT_EQ(server.run("PSETEX k x v"), "-ERR value is not an integer or out of range|");
  EXPECT_EQ(server.take_effects(), "");
}

TEST(String, GetexLeavesWhatItDidToTheDeadline) {
  InProcess server;
  server.run("SET k v");
  server.take_effects();
  EXPECT_EQ(server.run("GETEX k"), "$1|v|");
  EXPECT_EQ(server.run("GETEX k PERSIST"), "$1|v|");
  EXPECT_EQ(server.take_effects(), "");
  EXPECT_EQ(server.run("GETEX k EX 10"), "$1|v|");
  EXPECT_EQ(server.run("GETEX k PERSIST"), "$1|v|");
  EXPECT_EQ(server.run("GETEX k PXAT 1000000"), "$1|v|");
  EXPECT_EQ(server.run("EXISTS k"), ":0|");
  EXPECT_EQ(server.take_effects(), "0> PEXPIREAT k 1010000\n0> PERSIST k\n0> DEL k\n");
  EXPECT_EQ(server.run("GETEX k EX 10"), "$-1|");
  EXPECT_EQ(server.take_effects(), "");
}

TEST(String, TakingOutLeavesARemovalAndExchangingASet) {
  InProcess server;
  EXPECT_EQ(server.run("GETDEL k"), "$-1|");
  EXPECT_EQ(server.run("GETSET k v"), "$-1|");
  EXPECT_EQ(server.run("GETDEL k"), "$1|v|");
  EXPECT_EQ(server.run("EXISTS k"), ":0|");
  EXPECT_EQ(server.take_effects(), "0> SET k v\n0> DEL k\n");
}

TEST(String, SettingWhatIsAbsentLeavesNothingIfItIsThere) {
  InProcess server;
  EXPECT_EQ(server.run("SETNX a 1"), ":1|");
  EXPECT_EQ(server.run("SETNX a 2"), ":0|");
  EXPECT_EQ(server.run("MSETNX b 1 a 2"), ":0|");
  EXPECT_EQ(server.run("EXISTS b"), ":0|");
  EXPECT_EQ(server.run("MSETNX b 1 c 2"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> SETNX a 1\n0> MSETNX b 1 c 2\n");
}

TEST(String, AddedFractionsLeaveTheirSum) {
  InProcess server;
  EXPECT_EQ(server.run("INCRBYFLOAT k 10.5"), "$4|10.5|");
  server.run("PEXPIRE k 1000");
  server.take_effects();
  EXPECT_EQ(server.run("INCRBYFLOAT k 0.1"), "$4|10.6|");
  EXPECT_EQ(server.take_effects(), "0> SET k 10.6 KEEPTTL\n");
  EXPECT_EQ(server.run("PTTL k"), ":1000|");
  EXPECT_EQ(server.run("INCRBYFLOAT k inf"), "-ERR increment would produce NaN or Infinity|");
  EXPECT_EQ(server.take_effects(), "");
}

TEST(String, SetrangeKeepsTheDeadlineAndTheAccountOfMemory) {
  InProcess server;
  const uint64_t empty = server.state.keyspace.bytes();
  server.run("SET k 12 PX 1000");
  server.take_effects();
  EXPECT_EQ(server.run("SETRANGE k 1 3"), ":2|");
  EXPECT_EQ(server.run("INCR k"), ":14|");
  EXPECT_EQ(server.run("SETRANGE k 5 ''"), ":2|");
  EXPECT_EQ(server.run("SETRANGE k 99999 x"), ":100000|");
  EXPECT_EQ(server.take_effects(), "0> SETRANGE k 1 3\n0> INCR k\n0> SETRANGE k 99999 x\n");
  EXPECT_EQ(server.run("PTTL k"), ":1000|");
  EXPECT_GE(server.state.keyspace.bytes(), empty + 100'000);
  server.run("DEL k");
  EXPECT_LE(server.state.keyspace.bytes(), empty + 1000);
}

TEST(String, NoLongerThanTheSettingsAllow) {
  InProcess server;
  server.state.config.proto_max_bulk_bytes = 100;
  EXPECT_EQ(server.run("SETRANGE k 99 x"), ":100|");
  const std::string refusal = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|";
  EXPECT_EQ(server.run("SETRANGE k 100 x"), refusal);
  EXPECT_EQ(server.run("SETRANGE k 9223372036854775807 x"), refusal);
  EXPECT_EQ(server.run("APPEND k x"), refusal);
  EXPECT_EQ(server.run("SETBIT k 799 1"), ":0|");
  EXPECT_EQ(server.run("SETBIT k 800 1"), "-ERR bit offset is not an integer or out of range|");
}

TEST(String, WhatTwoHaveInCommon) {
  InProcess server;
  server.run("MSET a ohmytext b mynewtext");
  server.take_effects();
  EXPECT_EQ(server.run("LCS a b"), "$6|mytext|");
  EXPECT_EQ(server.run("LCS a b LEN"), ":6|");
  EXPECT_EQ(server.run("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN"),
            "*4|$7|matches|*1|*3|*2|:4|:7|*2|:5|:8|:4|$3|len|:6|");
  EXPECT_EQ(server.take_effects(), "");
}

}  // namespace
}  // namespace seatrial::kv
