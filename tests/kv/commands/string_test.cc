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

}  // namespace
}  // namespace seatrial::kv
