// Replies are compared with a real Redis in tests/interop/redis_differential.py; here is what no
// client sees: the effects, what is left behind, and memory.
#include "tests/kv/support/in_process.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

TEST(Bit, SetbitLeavesItselfWhereItChangedSomething) {
  InProcess server;
  EXPECT_EQ(server.run("SETBIT k 1 1"), ":0|");
  EXPECT_EQ(server.run("SETBIT k 1 1"), ":1|");
  EXPECT_EQ(server.run("SETBIT k 9 0"), ":0|") << "the string grows";
  EXPECT_EQ(server.run("SETBIT k 9 0"), ":0|");
  EXPECT_EQ(server.take_effects(), "0> SETBIT k 1 1\n0> SETBIT k 9 0\n");
  EXPECT_EQ(server.run("STRLEN k"), ":2|");
}

TEST(Bit, BitfieldLeavesItselfWhereItWrote) {
  InProcess server;
  EXPECT_EQ(server.run("BITFIELD k GET u8 0"), "*1|:0|");
  EXPECT_EQ(server.run("EXISTS k"), ":0|");
  EXPECT_EQ(server.run("BITFIELD k SET u8 0 97"), "*1|:0|");
  EXPECT_EQ(server.run("BITFIELD k SET u8 0 97"), "*1|:97|");
  EXPECT_EQ(server.run("BITFIELD k OVERFLOW FAIL INCRBY u8 0 200"), "*1|$-1|");
  EXPECT_EQ(server.run("BITFIELD_RO k GET u8 0"), "*1|:97|");
  EXPECT_EQ(server.take_effects(), "0> BITFIELD k SET u8 0 97\n");
  EXPECT_EQ(server.run("BITFIELD k OVERFLOW FAIL SET u8 8 300"), "*1|$-1|");
  EXPECT_EQ(server.run("STRLEN k"), ":2|") << "room was made, though nothing was written";
  EXPECT_EQ(server.take_effects(), "0> BITFIELD k OVERFLOW FAIL SET u8 8 300\n");
}

TEST(Bit, BitopLeavesItselfAndRemovesAnEmptiedDestination) {
  InProcess server;
  server.run("MSET a abc b abd");
  server.run("SET d old EX 100");
  server.take_effects();
  EXPECT_EQ(server.run("BITOP AND d a b"), ":3|");
  EXPECT_EQ(server.run("GET d"), "$3|ab`|");
  EXPECT_EQ(server.run("TTL d"), ":-1|");
  EXPECT_EQ(server.run("BITOP OR d none"), ":0|");
  EXPECT_EQ(server.run("EXISTS d"), ":0|");
  EXPECT_EQ(server.run("BITOP OR d none"), ":0|");
  EXPECT_EQ(server.take_effects(), "0> BITOP AND d a b\n0> BITOP OR d none\n");
}

TEST(Bit, WritesThatFailLeaveNothing) {
  InProcess server;
  server.run("HSET h a 1");
  server.take_effects();
  for (const char* line : {"SETBIT k -1 1", "SETBIT k 0 2", "SETBIT h 0 1", "BITOP AND d h",
                           "BITOP NOT d a b", "BITFIELD k SET u64 0 1", "BITFIELD h SET u8 0 1",
                           "BITFIELD k SET u8 0 1 OVERFLOW x", "BITFIELD_RO k SET u8 0 1"}) {
    EXPECT_TRUE(server.run(line).starts_with("-")) << line;
  }
  EXPECT_EQ(server.take_effects(), "");
  EXPECT_EQ(server.run("DBSIZE"), ":1|");
}

TEST(Bit, TheDeadlineStaysWhileBitsChange) {
  InProcess server;
  server.run("SET k v PX 1000");
  server.run("SETBIT k 5000 1");
  server.run("BITFIELD k SET u8 0 1");
  EXPECT_EQ(server.run("PTTL k"), ":1000|");
  server.now += 1001;
  server.take_effects();
  EXPECT_EQ(server.run("SETBIT k 7 1"), ":0|");
  EXPECT_EQ(server.run("STRLEN k"), ":1|");
  EXPECT_EQ(server.take_effects(), "0> DEL k\n0> SETBIT k 7 1\n");
}

TEST(Bit, ANumberThatIsChangedBitByBitIsANumberStill) {
  InProcess server;
  server.run("SET n 12");
  EXPECT_EQ(server.run("SETBIT n 15 1"), ":0|");
  EXPECT_EQ(server.run("INCR n"), ":14|");
}

TEST(Bit, MemoryIsCountedAndGivenBack) {
  InProcess server;
  const uint64_t empty = server.state.keyspace.bytes();
  for (int i = 0; i < 1000; i++) server.run("SETBIT k " + std::to_string(i * 800) + " 1");
  EXPECT_GE(server.state.keyspace.bytes(), empty + 99'000);
  server.run("BITOP NOT l k");
  EXPECT_GE(server.state.keyspace.bytes(), empty + 199'000);
  server.run("BITFIELD m SET u8 #200000 1");
  EXPECT_GE(server.state.keyspace.bytes(), empty + 399'000);
  server.run("DEL k l m");
  EXPECT_LE(server.state.keyspace.bytes(), empty + 1000);
}

}  // namespace
}  // namespace seatrial::kv
