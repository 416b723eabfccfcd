// Several whole servers on simulated machines: what a replica has, when it may go on where it was,
// and what each of them refuses.
#include "kv/replication/replication.h"
#include "kv/observer.h"
#include "tests/kv/replication/fleet.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

constexpr const char* kFollowA = "REPLICAOF a 6379";

struct Pair : Fleet {
  explicit Pair(uint64_t seed = 1, sim::Weather weather = {}) : Fleet({"a", "b"}, seed, weather) {}
  void link() {
    start_all();
    EXPECT_EQ(ask_one("b", kFollowA), "OK");
    EXPECT_TRUE(until_linked("b")) << log;
  }
};

TEST(Replication, AReplicaGetsAllThatWasThereAndAllThatComes) {
  for (const bool diskless : {false, true}) {
    for (const DisklessLoad load :
         {DisklessLoad::kDisabled, DisklessLoad::kSwap, DisklessLoad::kOnEmptyDatabase}) {
      Pair pair;
      pair.servers["a"].config.repl_diskless_sync = diskless;
      pair.servers["b"].config.repl_diskless_load = load;
      pair.run([&] {
        pair.start_all();
        pair.ask("a", {"SET x 1", "SET y 2 PX 100000000", "SELECT 1", "SET z 3"});
        pair.ask("b", {"SET old 1", "SELECT 1", "SET z 0"});
        EXPECT_EQ(pair.ask_one("b", kFollowA), "OK");
        ASSERT_TRUE(pair.until_linked("b")) << pair.log;
        pair.ask("a", {"INCR x", "SELECT 1", "APPEND z 4", "MULTI", "SET m 1", "SELECT 0",
                       "SET m 2", "EXEC", "DEL y"});
        ASSERT_TRUE(pair.until_equal("a", "b"));
        EXPECT_EQ(pair.data("a"), "0/m=2@-1 0/x=2@-1 1/m=1@-1 1/z=34@-1 ");
        EXPECT_EQ(pair.data("b"), pair.data("a"));
        EXPECT_EQ(pair.info("a", "sync_full"), "1");
      });
    }
  }
}

TEST(Replication, ACutLinkGoesOnWhereItWas) {
  Pair pair;
  pair.run([&] {
    pair.link();
    pair.ask("a", {"SELECT 1", "SET x 1"});
    ASSERT_TRUE(pair.until_equal("a", "b"));
    for (int round = 1; round <= 5; ++round) {
      EXPECT_GT(pair.cut("a", "b"), 0U);
      // The stream's database is 1, and it does not say so again.
      pair.ask("a", {"SELECT 1", "INCR x"});
      ASSERT_TRUE(pair.until_equal("a", "b")) << pair.log;
      EXPECT_EQ(pair.info("a", "sync_partial_ok"), std::to_string(round));
      EXPECT_EQ(pair.data("b"), pair.data("a"));
    }
    EXPECT_EQ(pair.info("a", "sync_full"), "1");
  });
}

// What the primary writes while the link is down, against the size of its backlog.
TEST(Replication, WhetherItMayGoOnIsForTheBacklogToSay) {
  struct Case {
    int64_t missed;  // Bytes more than the backlog holds.
    bool partial;
  };
  for (const Case& one : {Case{-1, true}, Case{0, true}, Case{1, false}}) {
    Pair pair;
    pair.servers["a"].config.repl_ping_replica_period_seconds = 3600;
    pair.servers["a"].config.repl_backlog_bytes = 1000;
    pair.run([&] {
      pair.link();
      // 28 bytes around a value of three digits in length; "SELECT 0" comes before the first.
      pair.ask_one("a", "SET k " + std::string(100, 'x'));
      ASSERT_TRUE(pair.until_equal("a", "b"));
      const size_t value = static_cast<size_t>(1000 + one.missed - 28);
      sim::Barrier blocked =
          pair.world.net().block(pair.servers["a"].node->index(), pair.servers["b"].node->index());
      pair.cut("a", "b");
      pair.ask_one("a", "SET k " + std::string(value, 'y'));
      const int64_t offset = std::stoll(pair.info("a", "master_repl_offset")) -
                             std::stoll(pair.info("b", "master_repl_offset"));
      EXPECT_EQ(offset, 1000 + one.missed);
      blocked.fall();
      ASSERT_TRUE(pair.until_equal("a", "b")) << pair.log;
      EXPECT_EQ(pair.info("a", "sync_partial_ok"), one.partial ? "1" : "0") << one.missed;
      EXPECT_EQ(pair.info("a", "sync_full"), one.partial ? "1" : "2") << one.missed;
      EXPECT_EQ(pair.data("b"), pair.data("a"));
    });
  }
}

TEST(Replication, ARestartedPrimaryIsAnotherHistory) {
  Pair pair;
  pair.servers["a"].config.appendonly = true;
  pair.servers["a"].config.appendfsync = FsyncPolicy::kAlways;
  pair.run([&] {
    pair.link();
    pair.ask_one("a", "SET x 1");
    ASSERT_TRUE(pair.until_equal("a", "b"));
    const std::string before = pair.info("a", "master_replid");
    pair.servers["a"].node->power_off();
    pair.servers["a"].node->power_on();
    pair.start("a");
    pair.ask_one("a", "SET x 2");
    ASSERT_TRUE(pair.until([&] { return pair.ask_one("b", "GET x") == "2"; })) << pair.log;
    ASSERT_TRUE(pair.until_equal("a", "b"));
    EXPECT_NE(pair.info("a", "master_replid"), before);
    EXPECT_EQ(pair.info("a", "sync_partial_ok"), "0");
  });
}

TEST(Replication, ChainedReplicasHaveTheSameHistory) {
  Fleet fleet({"a", "b", "c"});
  fleet.run([&] {
    fleet.start_all();
    fleet.ask("a", {"SELECT 1", "SET x 1"});
    fleet.ask_one("b", kFollowA);
    fleet.ask_one("c", "REPLICAOF b 6379");
    ASSERT_TRUE(fleet.until_linked("c")) << fleet.log;
    // The stream's database is known to the last one by the snapshot alone.
    fleet.ask("a", {"SELECT 1", "INCR x", "SET y 1 PX 100000000"});
    ASSERT_TRUE(fleet.until_equal("a", "c")) << fleet.log;
    EXPECT_EQ(fleet.data("c"), fleet.data("a"));
    // A link between the replicas goes on by itself.
    fleet.cut("b", "c");
    fleet.ask("a", {"SELECT 1", "INCR x"});
    ASSERT_TRUE(fleet.until_equal("a", "c"));
    EXPECT_EQ(fleet.info("b", "sync_partial_ok"), "1");
    EXPECT_EQ(fleet.info("b", "master_replid"), fleet.info("a", "master_replid"));
    EXPECT_EQ(fleet.data("c"), fleet.data("a"));
  });
}

// After a failover the siblings go on with who was promoted, and so does the old primary if it had
// nothing of its own.
TEST(Replication, SiblingsOfAPromotedReplicaGoOn) {
  Fleet fleet({"a", "b", "c"});
  fleet.run([&] {
    fleet.start_all();
    fleet.ask_one("b", kFollowA);
    fleet.ask_one("c", kFollowA);
    ASSERT_TRUE(fleet.until_linked("b"));
    ASSERT_TRUE(fleet.until_linked("c"));
    fleet.ask("a", {"SELECT 1", "SET x 1"});
    ASSERT_TRUE(fleet.until_equal("a", "b"));
    ASSERT_TRUE(fleet.until_equal("a", "c"));
    const std::string old_id = fleet.info("a", "master_replid");
    EXPECT_EQ(fleet.ask_one("b", "REPLICAOF NO ONE"), "OK");
    EXPECT_EQ(fleet.info("b", "master_replid2"), old_id);
    const int64_t offset = std::stoll(fleet.info("b", "master_repl_offset"));
    EXPECT_EQ(fleet.info("b", "second_repl_offset"), std::to_string(offset + 1));
    fleet.ask_one("c", "REPLICAOF b 6379");
    fleet.ask_one("a", "REPLICAOF b 6379");
    fleet.ask_one("b", "SET y 2");
    ASSERT_TRUE(fleet.until_equal("b", "c")) << fleet.log;
    ASSERT_TRUE(fleet.until_equal("b", "a")) << fleet.log;
    EXPECT_EQ(fleet.info("b", "sync_partial_ok"), "2");
    EXPECT_EQ(fleet.info("b", "sync_full"), "0");
    EXPECT_EQ(fleet.data("a"), "0/y=2@-1 1/x=1@-1 ");
    EXPECT_EQ(fleet.data("c"), fleet.data("b"));
  });
}

TEST(Replication, AnOldPrimaryThatWroteOnNeedsEverything) {
  Fleet fleet({"a", "b"});
  fleet.run([&] {
    fleet.start_all();
    fleet.ask_one("b", kFollowA);
    ASSERT_TRUE(fleet.until_linked("b"));
    fleet.ask_one("a", "SET x 1");
    ASSERT_TRUE(fleet.until_equal("a", "b"));
    fleet.ask_one("b", "REPLICAOF NO ONE");
    fleet.ask_one("a", "SET x lost");
    fleet.ask_one("b", "SET y " + std::string(100, 'y'));
    fleet.ask_one("a", "REPLICAOF b 6379");
    ASSERT_TRUE(fleet.until_equal("a", "b"));
    EXPECT_EQ(fleet.ask_one("a", "GET x"), "1");
    EXPECT_EQ(fleet.info("b", "sync_partial_ok"), "0");
    EXPECT_EQ(fleet.info("b", "sync_partial_err"), "1");
  });
}

TEST(Replication, SeveralReplicasShareOneChild) {
  for (const bool diskless : {false, true}) {
    Fleet fleet({"a", "b", "c", "d"});
    fleet.servers["a"].config.repl_diskless_sync = diskless;
    fleet.servers["a"].config.repl_diskless_sync_delay_seconds = 3;
    fleet.run([&] {
      fleet.start_all();
      for (int i = 0; i < 20; ++i) {
        fleet.ask_one(
            "a", fmt::format("SET key{} {}", i, Fleet::noise(50'000, static_cast<uint64_t>(i))));
      }
      for (const char* name : {"b", "c", "d"}) fleet.ask_one(name, kFollowA);
      fleet.ask("a", {"SELECT 1", "SET during 1"});
      for (const char* name : {"b", "c", "d"}) {
        ASSERT_TRUE(fleet.until_equal("a", name)) << fleet.log;
        EXPECT_EQ(fleet.data(name), fleet.data("a"));
      }
      EXPECT_EQ(fleet.info("a", "sync_full"), "3");
      if (!diskless) return;
      EXPECT_TRUE(fleet.logged("for 3 replicas, straight to them")) << fleet.log;
    });
  }
}

TEST(Replication, AReplicaRefusesWrites) {
  Pair pair;
  pair.run([&] {
    pair.link();
    pair.ask("a", {"SET x 1", "SET y 1"});
    ASSERT_TRUE(pair.until_equal("a", "b"));
    EXPECT_EQ(pair.ask_one("b", "SET y 2"),
              "READONLY You can't write against a read only replica.");
    EXPECT_EQ(pair.ask("b", {"MULTI", "SET y 2", "EXEC"}),
              (Answers{"OK", "READONLY You can't write against a read only replica.",
                       "EXECABORT Transaction discarded because of previous errors."}));
    EXPECT_EQ(pair.ask_one("b", "GET x"), "1");
  });
}

TEST(Replication, OnlyThePrimaryExpires) {
  Pair pair;
  pair.servers["a"].config.enable_debug_command = true;
  pair.run([&] {
    pair.link();
    pair.ask("a", {"DEBUG SET-ACTIVE-EXPIRE 0", "SET x 1 PX 2000"});
    ASSERT_TRUE(pair.until_equal("a", "b"));
    pair.world.sleep(5s);
    EXPECT_EQ(pair.ask("b", {"GET x", "EXISTS x", "TTL x", "KEYS *", "DBSIZE"}),
              (Answers{"nil", "0", "-2", "", "1"}))
        << "hidden, and still there";
    EXPECT_EQ(pair.ask_one("a", "GET x"), "nil");
    ASSERT_TRUE(pair.until_equal("a", "b"));
    EXPECT_EQ(pair.ask_one("b", "DBSIZE"), "0") << "the primary has said so";
    EXPECT_EQ(pair.info("b", "expired_keys"), "0");
  });
}

TEST(Replication, WaitCountsOnlyWhoHasWhatWasWritten) {
  Fleet fleet({"a", "b", "c"});
  fleet.run([&] {
    fleet.start_all();
    EXPECT_EQ(fleet.ask("a", {"SET x 1", "WAIT 0 0", "WAIT 1 500"}), (Answers{"OK", "0", "0"}));
    fleet.ask_one("b", kFollowA);
    fleet.ask_one("c", kFollowA);
    ASSERT_TRUE(fleet.until_linked("b"));
    ASSERT_TRUE(fleet.until_linked("c"));
    EXPECT_EQ(fleet.ask("a", {"SET x 2", "WAIT 2 5000", "PING"}), (Answers{"OK", "2", "PONG"}));
    EXPECT_EQ(fleet.ask("a", {"MULTI", "SET x 3", "WAIT 2 0", "EXEC"})[3], "OK 2")
        << "in a transaction it does not wait, and counts who has what came before";
    const sim::Barrier blocked =
        fleet.world.net().block(fleet.servers["a"].node->index(), fleet.servers["c"].node->index());
    EXPECT_EQ(fleet.ask("a", {"SET x 4", "WAIT 2 500"}), (Answers{"OK", "1"}));
    EXPECT_EQ(fleet.ask_one("b", "WAIT 1 1").substr(0, 8), "ERR WAIT");
    EXPECT_EQ(fleet.ask_one("a", "WAIT 1 -1"), "ERR timeout is negative");
  });
}

TEST(Replication, WaitHoldsUpNobodyElse) {
  Pair pair;
  pair.run([&] {
    pair.link();
    pair.servers["b"].node->pause();
    auto answers = std::make_shared<Answers>();
    pair.world.administer("waiting", [&pair, answers] {
      *answers = pair.ask("a", {"SET x 1", "WAIT 1 3000"});
    });
    pair.world.sleep(100ms);
    EXPECT_EQ(pair.ask_one("a", "GET x"), "1");
    EXPECT_TRUE(answers->empty());
    pair.servers["b"].node->resume();
    EXPECT_TRUE(pair.until([&] { return !answers->empty(); }, 2s));
    EXPECT_EQ(*answers, (Answers{"OK", "1"}));
  });
}

TEST(Replication, WritesNeedAsManyReplicasAsAreAskedFor) {
  Pair pair;
  pair.servers["a"].config.min_replicas_to_write = 1;
  pair.run([&] {
    pair.start_all();
    EXPECT_EQ(pair.ask_one("a", "SET x 1"), "NOREPLICAS Not enough good replicas to write.");
    pair.ask_one("b", kFollowA);
    ASSERT_TRUE(pair.until_linked("b"));
    ASSERT_TRUE(pair.until([&] { return pair.ask_one("a", "SET x 1") == "OK"; }));
    pair.servers["b"].node->power_off();
    ASSERT_TRUE(
        pair.until([&] { return pair.ask_one("a", "SET x 2").starts_with("NOREPLICAS"); }, 15s));
  });
}

TEST(Replication, WithoutItsPrimaryAReplicaAnswersOrNot) {
  Pair pair;
  pair.run([&] {
    pair.link();
    pair.ask_one("a", "SET x 1");
    ASSERT_TRUE(pair.until_equal("a", "b"));
    pair.servers["a"].node->power_off();
    pair.world.sleep(70s);
    EXPECT_EQ(pair.info("b", "master_link_status"), "down");
    EXPECT_EQ(pair.ask_one("b", "GET x"), "1");
    EXPECT_EQ(pair.ask("b", {"CONFIG SET replica-serve-stale-data no", "GET x", "INFO server"})[1],
              "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
    EXPECT_EQ(pair.ask("b", {"MULTI", "GET x", "EXEC"})[2].substr(0, 9), "EXECABORT");
  });
}

TEST(Replication, AFullSynchronizationTouchesWatchers) {
  Pair pair;
  pair.run([&] {
    pair.start_all();
    pair.ask_one("a", "SET x 1");
    pair.ask("b", {"SET x 1", "SET only 1"});
    auto connection = std::make_shared<Answers>();
    pair.world.find_node("client")->start("watcher", [connection](os::Os& os) {
      auto client = resp::Client::connect(os, {"b", 6379}).value();
      const auto tell = [&](const char* line) {
        connection->push_back(Fleet::tell(*client, line));
      };
      tell("WATCH x");
      EXPECT_TRUE(os.clock.sleep_for(5s));
      for (const char* line : {"MULTI", "GET x", "EXEC", "WATCH never", "MULTI", "GET x", "EXEC"}) {
        tell(line);
      }
      return 0;
    });
    pair.world.sleep(100ms);
    pair.ask_one("b", kFollowA);
    ASSERT_TRUE(pair.until([&] { return connection->size() == 8; }));
    EXPECT_EQ(*connection, (Answers{"OK", "OK", "QUEUED", "nil", "OK", "OK", "QUEUED", "1"}));
  });
}

TEST(Replication, CommandsOfTheStreamTouchWatchers) {
  Pair pair;
  pair.run([&] {
    pair.link();
    pair.ask_one("a", "SET x 1");
    ASSERT_TRUE(pair.until_equal("a", "b"));
    auto got = std::make_shared<Answers>();
    pair.world.find_node("client")->start("watcher", [got](os::Os& os) {
      auto client = resp::Client::connect(os, {"b", 6379}).value();
      got->push_back(Fleet::tell(*client, "WATCH x"));
      EXPECT_TRUE(os.clock.sleep_for(2s));
      for (const char* line : {"MULTI", "GET x", "EXEC"}) {
        got->push_back(Fleet::tell(*client, line));
      }
      return 0;
    });
    pair.world.sleep(500ms);
    pair.ask_one("a", "SET x 2");
    ASSERT_TRUE(pair.until([&] { return got->size() == 4; }));
    EXPECT_EQ((*got)[3], "nil");
  });
}

TEST(Replication, TellsItsRole) {
  Pair pair;
  pair.run([&] {
    pair.start_all();
    EXPECT_EQ(pair.ask_one("a", "ROLE"), "master 0 ");
    pair.ask_one("b", kFollowA);
    ASSERT_TRUE(pair.until_linked("b"));
    pair.world.sleep(2s);
    const std::string offset = pair.info("a", "master_repl_offset");
    EXPECT_EQ(pair.ask_one("b", "ROLE"), "slave a 6379 connected " + offset);
    EXPECT_TRUE(pair.ask_one("a", "ROLE").ends_with(" 6379 " + offset))
        << pair.ask_one("a", "ROLE");
    EXPECT_EQ(pair.info("b", "role"), "slave");
    EXPECT_EQ(pair.info("a", "connected_slaves"), "1");
    EXPECT_NE(pair.info("a", "slave0").find("state=online"), std::string::npos);
    EXPECT_NE(pair.ask_one("a", "CLIENT LIST TYPE replica").find("flags=S"), std::string::npos);
    EXPECT_NE(pair.ask_one("b", "CLIENT LIST TYPE master").find("flags=M"), std::string::npos);
    EXPECT_EQ(pair.ask_one("b", kFollowA), "OK Already connected to specified master");
    EXPECT_EQ(pair.ask_one("a", "CLIENT KILL TYPE replica"), "1");
    ASSERT_TRUE(pair.until([&] { return pair.info("a", "sync_partial_ok") == "1"; }));
  });
}

TEST(Replication, AReplicaThatDoesNotReadIsCutAndHoldsNobodyUp) {
  Pair pair;
  pair.servers["a"].config.repl_backlog_bytes = 1000;
  pair.servers["a"].config.replica_output_limit = {.hard_bytes = 2'000'000};
  pair.run([&] {
    pair.link();
    pair.servers["b"].node->pause();
    for (int i = 0; i < 40; ++i) {
      EXPECT_EQ(pair.ask_one("a", fmt::format("SET x{} {}", i, std::string(100'000, 'v'))), "OK");
    }
    EXPECT_TRUE(pair.logged("client-output-buffer-limit"));
    ASSERT_TRUE(pair.until([&] { return pair.info("a", "connected_slaves") == "0"; }, 1s));
    pair.servers["b"].node->resume();
    ASSERT_TRUE(pair.until_equal("a", "b")) << pair.log;
    EXPECT_EQ(pair.info("a", "sync_full"), "2");
    EXPECT_EQ(pair.ask_one("b", "DBSIZE"), "40");
  });
}

TEST(Replication, ASilentReplicaOrPrimaryTimesOut) {
  Pair pair;
  pair.servers["a"].config.repl_timeout_seconds = 5;
  pair.servers["b"].config.repl_timeout_seconds = 5;
  pair.servers["a"].config.repl_ping_replica_period_seconds = 1;
  pair.run([&] {
    pair.link();
    pair.world.sleep(20s);
    EXPECT_EQ(pair.info("a", "sync_full"), "1") << "pings keep an idle link alive";
    EXPECT_EQ(pair.info("a", "sync_partial_ok"), "0");
    const auto a = pair.servers["a"].node->index();
    const auto b = pair.servers["b"].node->index();
    sim::Barrier there = pair.world.net().block(a, b);
    sim::Barrier back = pair.world.net().block(b, a);
    ASSERT_TRUE(pair.until([&] { return pair.info("a", "connected_slaves") == "0"; }, 10s));
    ASSERT_TRUE(pair.until([&] { return pair.info("b", "master_link_status") == "down"; }, 10s));
    there.fall();
    back.fall();
    ASSERT_TRUE(pair.until_equal("a", "b"));
    EXPECT_EQ(pair.info("a", "sync_partial_ok"), "1");
  });
}

TEST(Replication, TheStreamEndsWithoutReplicasAndSoDoesItsHistory) {
  Pair pair;
  pair.servers["a"].config.repl_backlog_ttl_seconds = 10;
  pair.run([&] {
    pair.link();
    const std::string id = pair.info("a", "master_replid");
    pair.servers["b"].node->pause();
    pair.cut("a", "b");
    pair.world.sleep(15s);
    EXPECT_EQ(pair.info("a", "repl_backlog_active"), "0");
    EXPECT_NE(pair.info("a", "master_replid"), id);
    pair.ask_one("a", "SET unseen 1");
    pair.servers["b"].node->resume();
    ASSERT_TRUE(pair.until_equal("a", "b"));
    EXPECT_EQ(pair.info("a", "sync_full"), "2");
    EXPECT_EQ(pair.ask_one("b", "GET unseen"), "1");
  });
}

TEST(Replication, AChildThatFailsIsTriedAgain) {
  for (const bool diskless : {false, true}) {
    sim::Weather slow;
    slow.disk.call_min = slow.disk.call_max = 10ms;
    slow.network.buffer_bytes = 4096;
    Pair pair(1, slow);
    pair.servers["a"].config.repl_diskless_sync = diskless;
    pair.run([&] {
      pair.start_all();
      for (int i = 0; i < 50; ++i) {
        pair.ask_one(
            "a", fmt::format("SET key{} {}", i, Fleet::noise(20'000, static_cast<uint64_t>(i))));
      }
      pair.ask_one("b", "SET old 1");
      pair.ask_one("b", kFollowA);
      int killed = 0;
      for (int i = 0; i < 40'000 && killed < 3; ++i) {
        pair.world.sleep(500us);
        if (pair.servers["a"].node->kill("rdb-to-replicas") == 0) continue;
        ++killed;
        EXPECT_EQ(pair.ask_one("b", "GET old"), "1") << "the old data stays";
      }
      EXPECT_EQ(killed, 3);
      ASSERT_TRUE(pair.until_equal("a", "b")) << pair.log;
      EXPECT_EQ(pair.data("b"), pair.data("a"));
    });
  }
}

// A replica's log begins anew with the primary's data. Power may be lost at any moment of it: the
// next start finds the old data or the new, and of neither a part.
TEST(Replication, ACrashWhileTheLogBeginsAnewMixesNothing) {
  int old_ones = 0;
  int new_ones = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    sim::Weather weather;
    weather.disk.name_kept = 0.5;
    Pair pair(seed, weather);
    Config& config = pair.servers["b"].config;
    config.appendonly = true;
    config.appendfsync = FsyncPolicy::kAlways;
    config.repl_diskless_load = seed % 2 == 0 ? DisklessLoad::kSwap : DisklessLoad::kDisabled;
    pair.run([&] {
      pair.start_all();
      pair.ask("a", {"SET x new", "SET y new", "SELECT 1", "SET z new"});
      pair.ask("b", {"SET x old", "SET u old", "SELECT 1", "SET v old"});
      pair.world.administer("follow", [&pair] { pair.ask_one("b", kFollowA); });
      pair.world.sleep(seed * 300us);
      if (seed % 3 == 0) {
        pair.servers["b"].node->kill("kv");
      } else {
        pair.servers["b"].node->power_off();
        pair.servers["b"].node->power_on();
      }
      pair.start("b");
      const std::string found = pair.data("b");
      const bool old = found == "0/u=old@-1 0/x=old@-1 1/v=old@-1 ";
      const bool fresh = found == "0/x=new@-1 0/y=new@-1 1/z=new@-1 ";
      EXPECT_TRUE(old || fresh) << seed << ": " << found << "\n" << pair.log;
      old_ones += old ? 1 : 0;
      new_ones += fresh ? 1 : 0;
    });
  }
  EXPECT_GT(old_ones, 0);
  EXPECT_GT(new_ones, 0);
}

// One after the other in one transaction, as sentinels do it.
TEST(Replication, ATransactionThatMakesAReplicaWritesNothingAfterIt) {
  Fleet fleet({"a", "b", "c"});
  fleet.run([&] {
    fleet.start_all();
    fleet.ask_one("c", "REPLICAOF b 6379");
    ASSERT_TRUE(fleet.until_linked("c"));
    const Answers answers =
        fleet.ask("b", {"MULTI", "SET before 1", kFollowA, "SET after 1", "EXEC", "GET before"});
    EXPECT_EQ(answers[4], "OK OK READONLY You can't write against a read only replica.");
    EXPECT_EQ(answers[5], "1");
    fleet.world.sleep(1s);
    EXPECT_EQ(fleet.ask_one("b", "EXISTS after"), "0");
    ASSERT_TRUE(fleet.until_equal("a", "b"));
    ASSERT_TRUE(fleet.until_equal("a", "c"));
    EXPECT_EQ(fleet.data("b"), "");
    EXPECT_EQ(fleet.data("c"), "");
  });
}

// A replica that is gone without a word and comes again is one replica, not two.
TEST(Replication, WaitCountsAReplicaThatHasComeAgainOnce) {
  Fleet fleet({"a", "b", "c"});
  fleet.run([&] {
    fleet.start_all();
    fleet.ask_one("b", kFollowA);
    ASSERT_TRUE(fleet.until_linked("b"));
    fleet.servers["b"].node->power_off();
    fleet.servers["b"].node->power_on();
    fleet.start("b");
    fleet.ask_one("b", kFollowA);
    ASSERT_TRUE(fleet.until_linked("b"));
    EXPECT_EQ(fleet.ask("a", {"SET x 1", "WAIT 2 1000"}), (Answers{"OK", "1"}));
  });
}

// After the end was decided, and saved, nothing of the stream is applied any more.
TEST(Replication, AServerThatIsAboutToEndAppliesNothing) {
  Pair pair;
  pair.servers["b"].config.save_points = {{3600, 1}};
  pair.run([&] {
    pair.link();
    auto stop = std::make_shared<bool>(false);
    pair.world.administer("writer", [&pair, stop] {
      for (int i = 0; i < 100 && !*stop; ++i) pair.ask("a", {fmt::format("SET x {}", i)}, 1ms);
    });
    pair.world.sleep(30ms);
    pair.ask_one("b", "SHUTDOWN SAVE");
    *stop = true;
    EXPECT_EQ(pair.servers["b"].exit_code, 0);
    pair.start("b");
    EXPECT_NE(pair.ask_one("b", "GET x"), "nil");
  });
}

}  // namespace
}  // namespace seatrial::kv
