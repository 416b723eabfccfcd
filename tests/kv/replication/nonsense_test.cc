// A primary that does not speak as one: whatever it says, the replica keeps its data, says what was
// wrong, ends the link, and comes again later, less and less often.
#include "tests/kv/rdb/memory.h"
#include "tests/kv/replication/fleet.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

const std::string kId(40, 'a');

// A machine that plays a primary: it answers each line of the handshake, then sends `rest`.
class FalsePrimary {
 public:
  explicit FalsePrimary(Fleet& fleet) : node_(fleet.world.add_node("false")) {}

  void play(std::string psync_answer, std::string rest, bool stay = true) {
    node_.start("false primary", [this, psync_answer, rest, stay](os::Os& os) {
      auto listener = os.network.listen({"", 6379}).value();
      while (true) {
        auto stream = listener->accept();
        if (!stream) return 0;
        ++visits;
        converse(os, **stream, psync_answer, rest, stay);
      }
    });
  }

  int visits = 0;

 private:
  static void converse(os::Os& os, os::Stream& stream, const std::string& psync_answer,
                       const std::string& rest, bool stay) {
    resp::Buffer input;
    resp::Parser parser;
    while (true) {
      const auto outcome = parser.next(input.bytes());
      if (outcome == resp::Parser::Outcome::kInvalid) return;
      if (outcome == resp::Parser::Outcome::kIncomplete) {
        char* const room = input.reserve(4096);
        const auto count = stream.read({room, 4096}, os.clock.monotonic() + 5s);
        if (!count || *count == 0) return;
        input.commit(*count);
        continue;
      }
      // An empty line only shows life.
      const std::string name(parser.args().empty() ? "" : parser.args()[0]);
      const bool acknowledges = name == "REPLCONF" && parser.args()[1] == "ACK";
      input.consume(parser.consumed());
      if (name.empty()) continue;
      const std::string answer = name == "PING" ? "+PONG\r\n" : "+OK\r\n";
      if (name != "PSYNC") {
        if (acknowledges) continue;
        if (!os::write_all(stream, answer)) return;
        continue;
      }
      if (!os::write_all(stream, psync_answer) || !os::write_all(stream, rest)) return;
      if (!stay) return;
    }
  }

  sim::Node& node_;
};

std::string rdb_of(const std::string& key) {
  rdb::Data data;
  data.keyspace.at(0).insert(key, "value", std::nullopt);
  return rdb::written(data.keyspace, {});
}

std::string full() { return "+FULLRESYNC " + kId + " 100\r\n"; }
std::string snapshot(const std::string& key) {
  const std::string bytes = rdb_of(key);
  return fmt::format("${}\r\n{}", bytes.size(), bytes);
}

struct Nonsense {
  const char* name;
  std::string answer;
  std::string rest;
  std::string expected;  // In the log.
  bool stay = true;
};

std::vector<Nonsense> all_nonsense() {
  const std::string mark(40, 'm');
  std::string broken = rdb_of("new");
  broken[broken.size() - 12] ^= 1;
  std::vector<Nonsense> all = {
      {"garbage for PSYNC", "hello\r\n", "", "expected an answer to PSYNC, found 'hello'"},
      {"a line without an end", std::string(5000, 'x'), "", "without an end of line"},
      {"an id that is none", "+FULLRESYNC abc 1\r\n", "", "expected +FULLRESYNC <id> <offset>"},
      {"a negative offset", "+FULLRESYNC " + kId + " -5\r\n", "", "expected +FULLRESYNC"},
      {"an offset out of range", "+FULLRESYNC " + kId + " 99999999999999999999\r\n", "",
       "expected +FULLRESYNC"},
      {"to go on where nothing was", "+CONTINUE\r\n", "", "expected an answer to PSYNC"},
      {"no snapshot", full(), "nonsense\r\n", "expected a snapshot as $<length>"},
      {"a negative length", full(), "$-1\r\n", "expected a snapshot as $<length>"},
      {"a length of zero", full(), "$0\r\n", "expected a snapshot as $<length>"},
      {"a length out of range", full(), "$99999999999999999999\r\n", "expected a snapshot as"},
      {"a length far too large", full(), "$900000000000\r\nREDIS", "repl-timeout"},
      {"a mark too short", full(), "$EOF:short\r\n", "expected a mark of 40 bytes"},
      {"an error instead", full(), "-ERR no memory\r\n", "the primary cannot send a snapshot"},
      {"a snapshot cut off", full(), snapshot("new").substr(0, 60),
       "the primary has ended the connection", false},
      {"no RDB", full(), "$10\r\n0123456789", "this is no RDB file"},
      {"a broken RDB", full(), fmt::format("${}\r\n{}", broken.size(), broken),
       "the primary's snapshot: "},
      {"bytes behind the RDB", full(),
       fmt::format("${}\r\n{}x", rdb_of("n").size() + 1, rdb_of("n")), "bytes behind its end"},
      {"a wrong mark at the end", full(),
       fmt::format("$EOF:{}\r\n{}{}", mark, rdb_of("new"), std::string(40, 'n')),
       "the primary's snapshot: "},
  };
  return all;
}

std::vector<Nonsense> nonsense_in_the_stream() {
  return {
      {"garbage", full(), snapshot("new") + "\x01\x02garbage \"\r\n", "unbalanced quotes"},
      {"a line without an end", full(), snapshot("new") + std::string(70'000, 'x'),
       "too big inline request"},
      {"a negative bulk", full(), snapshot("new") + "*1\r\n$-5\r\n", "invalid bulk length"},
      {"a huge bulk", full(), snapshot("new") + "*1\r\n$999999999999\r\n", "invalid bulk length"},
      {"a huge array", full(), snapshot("new") + "*99999999999\r\n", "invalid multibulk length"},
      {"an unknown command", full(), snapshot("new") + "*2\r\n$5\r\nLPUSH\r\n$1\r\nx\r\n",
       "'LPUSH', which this server does not replicate"},
      {"a command that no primary sends", full(), snapshot("new") + "*1\r\n$8\r\nSHUTDOWN\r\n",
       "'SHUTDOWN', which this server does not replicate"},
      {"a command that is refused", full(), snapshot("new") + "*2\r\n$4\r\nINCR\r\n$3\r\nnew\r\n",
       "'INCR' is refused: ERR value is not"},
      {"a database that is not there", full(),
       snapshot("new") + "*2\r\n$6\r\nSELECT\r\n$2\r\n99\r\n", "'SELECT' is refused"},
      {"a transaction that fails within", full(),
       snapshot("new") + "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n1\r\n"
                         "*2\r\n$4\r\nINCR\r\n$3\r\nnew\r\n*1\r\n$4\r\nEXEC\r\n",
       "'EXEC' is refused: ERR value is not an integer"},
      {"a transaction in another", full(),
       snapshot("new") + "*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n",
       "'MULTI' is refused: ERR MULTI calls can not be nested"},
  };
}

TEST(PrimaryThatSpeaksNonsense, LeavesTheOldDataAsItIs) {
  for (const Nonsense& one : all_nonsense()) {
    for (const DisklessLoad load : {DisklessLoad::kDisabled, DisklessLoad::kSwap}) {
      Fleet fleet({"b"});
      fleet.servers["b"].config.repl_diskless_load = load;
      fleet.servers["b"].config.repl_timeout_seconds = 10;
      FalsePrimary primary(fleet);
      fleet.run([&] {
        fleet.start_all();
        fleet.ask_one("b", "SET old 1");
        primary.play(one.answer, one.rest, one.stay);
        fleet.ask_one("b", "REPLICAOF false 6379");
        fleet.world.sleep(60s);
        EXPECT_TRUE(fleet.logged(one.expected)) << one.name << "\n" << fleet.log;
        EXPECT_EQ(fleet.data("b"), "0/old=1@-1 ") << one.name;
        EXPECT_EQ(fleet.info("b", "master_link_status"), "down") << one.name;
        EXPECT_GT(primary.visits, 1) << one.name << ": it comes again";
        EXPECT_LT(primary.visits, 65) << one.name << ": but not all the time";
        EXPECT_EQ(fleet.ask_one("b", "REPLICAOF NO ONE"), "OK");
        EXPECT_EQ(fleet.ask_one("b", "SET old 2"), "OK");
      });
    }
  }
}

TEST(PrimaryThatSpeaksNonsense, InItsStreamIsCutOff) {
  for (const Nonsense& one : nonsense_in_the_stream()) {
    Fleet fleet({"b"});
    FalsePrimary primary(fleet);
    fleet.run([&] {
      fleet.start_all();
      fleet.ask_one("b", "SET old 1");
      primary.play(one.answer, one.rest, one.stay);
      fleet.ask_one("b", "REPLICAOF false 6379");
      fleet.world.sleep(60s);
      EXPECT_TRUE(fleet.logged(one.expected)) << one.name << "\n" << fleet.log;
      EXPECT_TRUE(fleet.logged("the primary's stream at offset 100: ")) << one.name;
      EXPECT_EQ(fleet.ask_one("b", "GET new"), "value") << one.name << ": what came before";
      EXPECT_GT(primary.visits, 1) << one.name;
      EXPECT_LT(primary.visits, 12) << one.name << ": it backs off";
      EXPECT_EQ(fleet.servers["b"].exit_code, -1) << one.name;
    });
  }
}

TEST(PrimaryThatSpeaksNonsense, AProperStreamBetweenIsTaken) {
  Fleet fleet({"b"});
  FalsePrimary primary(fleet);
  fleet.run([&] {
    fleet.start_all();
    primary.play(full(), "\n\n" + snapshot("new") +
                             "*1\r\n$4\r\nPING\r\n*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n"
                             "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n1\r\n");
    fleet.ask_one("b", "REPLICAOF false 6379");
    ASSERT_TRUE(fleet.until([&] { return fleet.ask_one("b", "GET x") == "1"; })) << fleet.log;
    EXPECT_EQ(fleet.info("b", "master_repl_offset"), std::to_string(100 + 14 + 31 + 27));
    EXPECT_EQ(fleet.info("b", "master_replid"), kId);
  });
}

// Whatever arrives of a transaction before its EXEC is neither seen nor counted.
TEST(PrimaryThatSpeaksNonsense, ATransactionWithoutItsEndIsNotApplied) {
  Fleet fleet({"b"});
  FalsePrimary primary(fleet);
  fleet.run([&] {
    fleet.start_all();
    primary.play(
        full(), snapshot("new") + "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n1\r\n");
    fleet.ask_one("b", "REPLICAOF false 6379");
    ASSERT_TRUE(fleet.until_linked("b")) << fleet.log;
    fleet.world.sleep(2s);
    EXPECT_EQ(fleet.ask_one("b", "GET x"), "nil");
    EXPECT_EQ(fleet.info("b", "master_repl_offset"), "100");
  });
}

}  // namespace
}  // namespace seatrial::kv
