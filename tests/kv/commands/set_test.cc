// Replies are compared with a real Redis in tests/interop/redis_differential.py; here is what no
// client sees: the effects, what is left behind, and memory.
#include "tests/kv/support/in_process.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace seatrial::kv {
namespace {

TEST(Set, WritesAreLoggedAsTheyAre) {
  InProcess server;
  EXPECT_EQ(server.run("SADD s a b 1"), ":3|");
  EXPECT_EQ(server.run("SADD s a b"), ":0|");
  EXPECT_EQ(server.run("SREM s none"), ":0|");
  EXPECT_EQ(server.run("SREM s a none"), ":1|");
  EXPECT_EQ(server.run("SMOVE s t none"), ":0|");
  EXPECT_EQ(server.run("SMOVE s t b"), ":1|");
  EXPECT_EQ(server.run("SUNIONSTORE u s t"), ":2|");
  EXPECT_EQ(server.run("SINTERSTORE i s t"), ":0|");
  EXPECT_EQ(server.run("SDIFFSTORE u t t"), ":0|");
  EXPECT_EQ(server.take_effects(),
            "0> SADD s a b 1\n0> SREM s a none\n0> SMOVE s t b\n0> SUNIONSTORE u s t\n"
            "0> SDIFFSTORE u t t\n");
}

TEST(Set, PopsAreLoggedAsTheMembersThatWent) {
  InProcess server;
  server.run("SADD s a b c d e f g");
  server.take_effects();
  const std::string reply = server.run("SPOP s 2");
  ASSERT_TRUE(reply.starts_with("*2|$1|")) << reply;
  EXPECT_EQ(server.take_effects(), std::string("0> SREM s ") + reply[6] + " " + reply[11] + "\n");
  const std::string single = server.run("SPOP s");
  EXPECT_EQ(server.take_effects(), std::string("0> SREM s ") + single[3] + "\n");
  EXPECT_EQ(server.run("SPOP s 0"), "*0|");
  EXPECT_EQ(server.take_effects(), "");
  EXPECT_TRUE(server.run("SPOP s 100").starts_with("*4|"));
  EXPECT_EQ(server.take_effects(), "0> DEL s\n");
  server.run("SADD s only");
  server.take_effects();
  EXPECT_EQ(server.run("SPOP s"), "$4|only|");
  EXPECT_EQ(server.take_effects(), "0> DEL s\n");
  EXPECT_EQ(server.run("EXISTS s"), ":0|");
}

// Few of many, and most of them: two ways to choose.
TEST(Set, RandomMembersAreDifferentAndOfTheSet) {
  for (const std::string prefix : {"", "m"}) {
    InProcess server;
    for (int i = 0; i < 100; i++) server.run("SADD s " + prefix + std::to_string(i));
    server.take_effects();
    for (const int count : {1, 10, 33, 34, 99, 100, 200}) {
      const std::string reply = server.run("SRANDMEMBER s " + std::to_string(count));
      std::set<std::string> seen;
      size_t at = reply.find('|') + 1;
      while (at < reply.size()) {
        const size_t begin = reply.find('|', at) + 1;
        const size_t end = reply.find('|', begin);
        const std::string member = reply.substr(begin, end - begin);
        EXPECT_TRUE(seen.insert(member).second) << member;
        EXPECT_EQ(server.run("SISMEMBER s " + member), ":1|");
        at = end + 1;
      }
      EXPECT_EQ(seen.size(), static_cast<size_t>(std::min(count, 100)));
    }
    EXPECT_TRUE(server.run("SRANDMEMBER s -150").starts_with("*150|"));
    EXPECT_EQ(server.take_effects(), "");
  }
}

TEST(Set, WritesThatFailLeaveNothing) {
  InProcess server;
  server.run("SET x v");
  server.run("SADD s a");
  server.take_effects();
  for (const char* line :
       {"SADD x a", "SREM x a", "SPOP x", "SMOVE s x a", "SMOVE x s a", "SUNIONSTORE d s x",
        "SINTERSTORE d none x", "SDIFFSTORE x s x", "SINTER x", "SSCAN x 0"}) {
    EXPECT_TRUE(server.run(line).starts_with("-WRONGTYPE")) << line;
  }
  EXPECT_EQ(server.run("EXISTS d"), ":0|");
  EXPECT_EQ(server.run("GET x"), "$1|v|");
  EXPECT_EQ(server.run("SMEMBERS s"), "*1|$1|a|");
  EXPECT_EQ(server.take_effects(), "");
}

TEST(Set, GoesWithItsLastMember) {
  InProcess server;
  server.run("SADD s a b");
  EXPECT_EQ(server.run("SREM s a b c"), ":2|");
  EXPECT_EQ(server.run("EXISTS s"), ":0|");
  server.run("SADD s a");
  server.run("SMOVE s t a");
  EXPECT_EQ(server.run("EXISTS s"), ":0|");
  server.run("SINTERSTORE t t none");
  EXPECT_EQ(server.run("EXISTS t"), ":0|");
}

TEST(Set, ItsDeadlineStaysWhenItChangesAndGoesWhenItIsReplaced) {
  InProcess server;
  server.run("SADD s a");
  server.run("PEXPIRE s 1000");
  server.run("SADD s b");
  EXPECT_EQ(server.run("PTTL s"), ":1000|");
  server.run("SUNIONSTORE s s");
  EXPECT_EQ(server.run("PTTL s"), ":-1|");
  server.run("PEXPIRE s 1000");
  server.now += 1001;
  server.take_effects();
  EXPECT_EQ(server.run("SUNIONSTORE d s"), ":0|");
  EXPECT_EQ(server.take_effects(), "0> DEL s\n");
}

TEST(Set, WatchersLearnOfEveryChange) {
  for (const char* line : {"SADD s b", "SREM s a", "SPOP s", "SMOVE s t a", "SMOVE t s x",
                           "SUNIONSTORE s t", "SINTERSTORE s none"}) {
    InProcess server;
    server.run("SADD s a");
    server.run("SADD t x");
    const auto other = server.client();
    server.run("WATCH s");
    server.run(*other, line);
    server.run("MULTI");
    server.run("PING");
    EXPECT_EQ(server.run("EXEC"), "*-1|") << line;
  }
}

TEST(Set, MemoryIsCountedAndGivenBack) {
  InProcess server;
  const uint64_t empty = server.state.keyspace.bytes();
  for (int i = 0; i < 1000; i++) {
    server.run("SADD s " + std::string(100, 'm') + std::to_string(i));
    server.run("SISMEMBER s a");
  }
  EXPECT_GE(server.state.keyspace.bytes(), empty + 100'000);
  server.run("SPOP s 900");
  EXPECT_LE(server.state.keyspace.bytes(), empty + 50'000);
  server.run("SPOP s 100");
  EXPECT_LE(server.state.keyspace.bytes(), empty + 1000);
}

}  // namespace
}  // namespace seatrial::kv
