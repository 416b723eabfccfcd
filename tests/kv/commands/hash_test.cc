// Replies are compared with a real Redis in tests/interop/redis_differential.py; here is what no
// client sees: the effects, what is left behind, and memory.
#include "tests/kv/support/in_process.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

TEST(Hash, WritesAreLoggedAsTheyAre) {
  InProcess server;
  EXPECT_EQ(server.run("HSET h a 1 b 2"), ":2|");
  EXPECT_EQ(server.run("HSETNX h a 9"), ":0|");
  EXPECT_EQ(server.run("HINCRBY h a 5"), ":6|");
  EXPECT_EQ(server.run("HDEL h none"), ":0|");
  EXPECT_EQ(server.run("HDEL h b"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> HSET h a 1 b 2\n0> HINCRBY h a 5\n0> HDEL h b\n");
}

TEST(Hash, FractionsAreLoggedAsWhatCameOfThem) {
  InProcess server;
  server.run("HSET h a 10.5");
  server.take_effects();
  EXPECT_EQ(server.run("HINCRBYFLOAT h a 0.1"), "$4|10.6|");
  EXPECT_EQ(server.take_effects(), "0> HSET h a 10.6\n");
}

TEST(Hash, WritesThatFailLeaveNothing) {
  InProcess server;
  EXPECT_EQ(server.run("HSET h a"), "-ERR wrong number of arguments for 'hset' command|");
  EXPECT_EQ(server.run("HINCRBY h a x"), "-ERR value is not an integer or out of range|");
  EXPECT_EQ(server.run("HINCRBYFLOAT h a inf"), "-ERR value is NaN or Infinity|");
  EXPECT_EQ(server.run("EXISTS h"), ":0|") << "no empty hash is left";
  server.run("SET s v");
  server.take_effects();
  for (const char* line : {"HSET s a 1", "HDEL s a", "HGETALL s", "HINCRBY s a 1", "HSCAN s 0"}) {
    EXPECT_TRUE(server.run(line).starts_with("-WRONGTYPE")) << line;
  }
  EXPECT_EQ(server.take_effects(), "");
}

TEST(Hash, GoesWithItsLastField) {
  InProcess server;
  server.run("HSET h a 1 b 2");
  EXPECT_EQ(server.run("HDEL h a b c"), ":2|");
  EXPECT_EQ(server.run("EXISTS h"), ":0|");
  EXPECT_EQ(server.run("TYPE h"), "+none|");
}

TEST(Hash, ItsDeadlineStaysWhenItChanges) {
  InProcess server;
  server.run("HSET h a 1");
  server.run("PEXPIRE h 1000");
  server.run("HSET h b 2");
  EXPECT_EQ(server.run("PTTL h"), ":1000|");
  server.now += 1001;
  server.take_effects();
  EXPECT_EQ(server.run("HSET h c 3"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> DEL h\n0> HSET h c 3\n");
  EXPECT_EQ(server.run("HLEN h"), ":1|");
}

TEST(Hash, WatchersLearnOfEveryChange) {
  for (const char* line : {"HSET h a 2", "HDEL h a", "HINCRBY h n 1", "HINCRBYFLOAT h n 1"}) {
    InProcess server;
    server.run("HSET h a 1");
    const auto other = server.client();
    server.run("WATCH h");
    server.run(*other, line);
    server.run("MULTI");
    server.run("PING");
    EXPECT_EQ(server.run("EXEC"), "*-1|") << line;
  }
}

TEST(Hash, MemoryIsCountedAndGivenBack) {
  InProcess server;
  const uint64_t empty = server.state.keyspace.bytes();
  for (int i = 0; i < 1000; i++) {
    server.run("HSET h field" + std::to_string(i) + " " + std::string(100, 'v'));
  }
  EXPECT_GE(server.state.keyspace.bytes(), empty + 100'000);
  server.run("DEL h");
  EXPECT_LE(server.state.keyspace.bytes(), empty + 1000);
}

}  // namespace
}  // namespace seatrial::kv
