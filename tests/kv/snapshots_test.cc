// Snapshots of the whole server on a simulated machine: what a complete one promises, what a broken
// one does not harm, and what a start makes of what it finds.
#include "kv/snapshots.h"
#include "tests/kv/rdb/memory.h"
#include "tests/kv/support/trial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

struct SnapshotTrial : Trial {
  explicit SnapshotTrial(uint64_t seed = 1, sim::Weather conditions = {})
      : Trial(seed, conditions) {
    config.appendonly = false;
    config.save_points.clear();
    config.enable_debug_command = true;
  }

  void start_server() {
    Trial::start_server();
    world.sleep(800ms);
  }

  // A disk whose syncs take so long that a test can do something meanwhile.
  static sim::Weather slow_syncs() {
    sim::Weather weather;
    weather.disk.sync_min = 300ms;
    weather.disk.sync_max = 300ms;
    return weather;
  }

  void lose_power() {
    server.power_off();
    server.power_on();
  }

  // One line of INFO.
  std::string info(std::string_view name) {
    const std::string text = ask({"INFO"}, 100ms).at(0);
    const size_t begin = text.find("\r\n" + std::string(name) + ":");
    if (begin == std::string::npos) return "missing";
    const size_t value = begin + name.size() + 3;
    return text.substr(value, text.find("\r\n", value) - value);
  }

  // Names in the directory that somebody was writing under.
  std::vector<std::string> temporary_files() {
    std::vector<std::string> names;
    const auto entries = server.files().list(".").value();
    for (const auto& entry : entries) {
      if (entry.name.starts_with("temp-")) names.push_back(entry.name);
    }
    return names;
  }

  void put_file(std::string_view name, const std::string& bytes) {
    auto inode = server.files().open(name, os::kReplace).value();
    inode->file.write(0, bytes);
  }
  std::string file(std::string_view name) {
    auto inode = server.files().open(name, os::kReadOnly);
    if (!inode) return "missing";
    std::string bytes((*inode)->file.size(), '\0');
    (*inode)->file.read(0, bytes);
    return bytes;
  }
};

const std::string kStarted = "Background saving started";

TEST(Snapshots, ACompleteOneSurvivesPowerLoss) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SnapshotTrial trial(seed);
    trial.run([&] {
      trial.start_server();
      trial.ask({"SET a 1", "SET b 2 PX 100000000", "SELECT 9", "SET c 3"}, 100ms);
      const int64_t before = std::stoll(trial.ask({"LASTSAVE"}, 2s).at(0));
      EXPECT_EQ(trial.ask({"BGSAVE"}), Answers{kStarted});
      EXPECT_GT(std::stoll(trial.ask({"LASTSAVE"}).at(0)), before);
      EXPECT_EQ(trial.info("rdb_changes_since_last_save"), "0");
      EXPECT_EQ(trial.info("rdb_saves"), "1");
      trial.ask({"SET a 5"}, 10ms);
      trial.lose_power();
      trial.start_server();
      EXPECT_EQ(trial.ask({"GET a", "GET b", "PERSIST b", "SELECT 9", "GET c", "DBSIZE"}),
                (Answers{"1", "2", "1", "OK", "3", "1"}))
          << seed;
      EXPECT_EQ(trial.info("rdb_last_load_keys_loaded"), "3");
    });
  }
}

TEST(Snapshots, WhatSaveHasAnsweredSurvivesPowerLoss) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SnapshotTrial trial(seed);
    trial.run([&] {
      trial.start_server();
      for (const char* value : {"1", "2"}) {
        bool saved = false;
        trial.with_client(
            [&](os::Os& os) {
              auto connection = resp::Client::connect(os, {"server", 6379}).value();
              connection->add(std::vector<std::string>{"SET", "a", value});
              connection->add(std::vector<std::string>{"SAVE"});
              const auto replies = connection->exchange();
              EXPECT_TRUE(replies && Trial::show(replies->at(1)) == "OK");
              saved = true;
              trial.server.power_off();
            },
            500ms);
        ASSERT_TRUE(saved);
        trial.server.power_on();
        trial.start_server();
        EXPECT_EQ(trial.ask({"GET a"}, 100ms), Answers{value});
      }
    });
  }
}

TEST(Snapshots, WritesGoOnBesideTheChildAndAreNotInItsFile) {
  SnapshotTrial trial(1, SnapshotTrial::slow_syncs());
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1", "APPEND b x", "SET gone 1", "BGSAVE"}, 50ms).back(), kStarted);
    EXPECT_EQ(trial.info("rdb_bgsave_in_progress"), "1");
    EXPECT_EQ(trial.ask({"INCR a", "APPEND b y", "DEL gone", "SET new 1", "PEXPIRE b 99999"}, 50ms),
              (Answers{"2", "2", "1", "OK", "1"}));
    EXPECT_EQ(trial.info("rdb_saves"), "0") << "it is not complete yet";
    trial.world.sleep(2s);
    EXPECT_EQ(trial.info("rdb_saves"), "1");
    EXPECT_EQ(trial.info("rdb_changes_since_last_save"), "5");
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b", "GET gone", "GET new", "TTL b"}),
              (Answers{"1", "x", "1", "nil", "-1"}));
  });
}

TEST(Snapshots, OneAtATime) {
  SnapshotTrial trial(1, SnapshotTrial::slow_syncs());
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"BGSAVE", "BGSAVE", "SAVE", "BGSAVE SCHEDULE", "BGSAVE NOW"}, 50ms),
              (Answers{kStarted, "ERR Background save already in progress",
                       "ERR Background save already in progress",
                       "ERR Background save already in progress", "ERR syntax error"}));
  });
}

TEST(Snapshots, EverybodyWaitsForSave) {
  SnapshotTrial trial(1, SnapshotTrial::slow_syncs());
  trial.run([&] {
    trial.start_server();
    std::vector<std::string> order;
    const auto send = [&](const std::string& line) {
      trial.with_client(
          [&, line](os::Os& os) {
            auto connection = resp::Client::connect(os, {"server", 6379}).value();
            std::vector<std::string> words;
            resp::split_words(line, words);
            connection->add(words);
            EXPECT_TRUE(connection->exchange());
            order.push_back(line);
          },
          20ms);
    };
    send("SAVE");
    send("SET a 1");
    EXPECT_TRUE(order.empty());
    trial.world.sleep(1s);
    EXPECT_EQ(order, (Answers{"SAVE", "SET a 1"}));
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"DBSIZE"}), Answers{"0"});
  });
}

// A child that a full disk or a failed sync has stopped harms nothing that was complete before.
TEST(Snapshots, AFailedOneLeavesTheLastInItsPlace) {
  for (const bool full : {true, false}) {
    SnapshotTrial trial;
    trial.config.save_points = {{3600, 1000}};
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1", "SAVE"}), (Answers{"OK", "OK"}));
      trial.ask({"SET a 2"});
      if (full) trial.server.files().capacity_bytes = trial.server.files().used_bytes();
      if (!full) trial.server.sync_errors_due = 1;
      EXPECT_EQ(trial.ask({"BGSAVE"}), Answers{kStarted});
      EXPECT_EQ(trial.info("rdb_last_bgsave_status"), "err");
      EXPECT_EQ(trial.info("rdb_saves"), "1");
      EXPECT_EQ(trial.temporary_files(), Answers{});
      const Answers refused = trial.ask({"SET a 3", "PING", "GET a"});
      EXPECT_TRUE(refused.at(0).starts_with("MISCONF Redis is configured to save RDB snapshots"));
      EXPECT_TRUE(refused.at(1).starts_with("MISCONF")) << refused.at(1);
      EXPECT_EQ(refused.at(2), "2");
      EXPECT_EQ(trial.ask({"CONFIG SET stop-writes-on-bgsave-error no", "SET a 4"}),
                (Answers{"OK", "OK"}));
      trial.server.files().capacity_bytes = UINT64_MAX;
      trial.lose_power();
      trial.start_server();
      EXPECT_EQ(trial.ask({"GET a"}), Answers{"1"});
    });
  }
}

TEST(Snapshots, SavePointsTryAgainAfterAFailure) {
  SnapshotTrial trial;
  trial.config.save_points = {{3, 2}};
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1"}, 5s), Answers{"OK"});
    EXPECT_EQ(trial.info("rdb_saves"), "0") << "one change is not enough";
    trial.server.sync_errors_due = 1;
    EXPECT_EQ(trial.ask({"SET a 2"}, 2s), Answers{"OK"});
    EXPECT_EQ(trial.info("rdb_last_bgsave_status"), "err");
    EXPECT_EQ(trial.info("rdb_saves"), "0") << "not again at once";
    trial.world.sleep(6s);
    EXPECT_EQ(trial.info("rdb_last_bgsave_status"), "ok");
    EXPECT_EQ(trial.info("rdb_saves"), "1");
    EXPECT_EQ(trial.ask({"SET a 3"}), Answers{"OK"});
    trial.lose_power();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a"}), Answers{"2"});
  });
}

TEST(Snapshots, AFailedForkIsAFailedOne) {
  SnapshotTrial trial;
  trial.run([&] {
    trial.start_server();
    trial.server.fork_failures_due = 1;
    EXPECT_EQ(trial.ask({"BGSAVE"}), Answers{"ERR"});
    EXPECT_EQ(trial.info("rdb_last_bgsave_status"), "err");
    EXPECT_EQ(trial.info("total_forks"), "0");
    EXPECT_EQ(trial.ask({"SAVE"}), Answers{"OK"});
    EXPECT_EQ(trial.info("rdb_last_bgsave_status"), "ok");
  });
}

// The child of a server that was killed works on; it must not replace what a later one has saved.
TEST(Snapshots, AnOrphanPublishesNothing) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SnapshotTrial trial(seed, SnapshotTrial::slow_syncs());
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a old", "BGSAVE"}, 50ms), (Answers{"OK", kStarted}));
      trial.server.kill(*trial.process);
      trial.process =
          &trial.server.start("kv", [&](os::Os& os) { return serve(os, trial.config); });
      trial.world.sleep(320ms);
      EXPECT_EQ(trial.ask({"GET a", "SET a new", "CONFIG SET save 3600000"}, 10ms).at(0), "nil");
      trial.world.sleep(100ms);
      EXPECT_EQ(trial.ask({"SAVE"}, 2s), Answers{"OK"});
      trial.world.sleep(2s);
      trial.server.kill();
      trial.start_server();
      EXPECT_EQ(trial.ask({"GET a"}), Answers{"new"}) << seed;
      trial.world.sleep(1s);
      EXPECT_EQ(trial.temporary_files(), Answers{});
    });
  }
}

// At whatever moment the power goes: the old one or the new one, and whole.
TEST(Snapshots, PowerLossLeavesTheLastOrTheOneBefore) {
  int fresh = 0;
  int stale = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SnapshotTrial trial(seed);
    trial.run([&] {
      trial.start_server();
      const std::string text(20'000, 'x');
      EXPECT_EQ(trial.ask({"SET a 1", "SET b 1", "CONFIG SET rdbcompression no", "SAVE"}).back(),
                "OK");
      trial.with_client(
          [&](os::Os& os) {
            auto connected = resp::Client::connect(os, {"server", 6379});
            if (!connected) return;  // The power went first.
            const auto& connection = *connected;
            connection->add(std::vector<std::string>{"SET", "a", text});
            connection->add(std::vector<std::string>{"SET", "b", text});
            connection->add(std::vector<std::string>{"BGSAVE"});
            static_cast<void>(connection->exchange());
          },
          std::chrono::microseconds(500 + seed * 60));
      trial.lose_power();
      trial.start_server();
      ASSERT_EQ(trial.exit_code, -1) << trial.log;
      const Answers found = trial.ask({"GET a", "GET b"}, 100ms);
      EXPECT_TRUE(found == Answers({"1", "1"}) || found == Answers({text, text})) << seed;
      ++(found[0] == "1" ? stale : fresh);
    });
  }
  EXPECT_GT(fresh, 10);
  EXPECT_GT(stale, 10);
}

TEST(Snapshots, ARenameWhoseDirectoryCannotBeSyncedDoesNotCount) {
  SnapshotTrial trial(1, SnapshotTrial::slow_syncs());
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1", "BGSAVE"}, 400ms).back(), kStarted);
    // The child's sync is over, the parent's is to come or under way.
    trial.server.sync_errors_due = 1;
    trial.world.sleep(1s);
    EXPECT_EQ(trial.info("rdb_last_bgsave_status"), "err");
    EXPECT_EQ(trial.info("rdb_saves"), "0");
    EXPECT_EQ(trial.info("rdb_changes_since_last_save"), "1");
  });
}

TEST(Snapshots, AllEndsSaveAsConfigured) {
  struct Case {
    const char* name;
    bool save_points;
    const char* request;  // "": SIGTERM
    bool saved;
  };
  for (const Case& example :
       {Case{"default", true, "SHUTDOWN", true},
        Case{"default without points", false, "SHUTDOWN", false},
        Case{"save", false, "SHUTDOWN SAVE", true},
        Case{"nosave", true, "SHUTDOWN NOSAVE NOW FORCE", false}, Case{"term", true, "", true},
        Case{"term without points", false, "", false}}) {
    SnapshotTrial trial;
    if (example.save_points) trial.config.save_points = {{3600, 100}};
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"});
      const std::string request = example.request;
      if (request.empty()) trial.process->stop_requested->set();
      if (!request.empty()) trial.ask({request});
      trial.world.sleep(1s);
      EXPECT_EQ(trial.exit_code, 0) << example.name;
      trial.lose_power();
      trial.start_server();
      EXPECT_EQ(trial.ask({"GET a"}), Answers{example.saved ? "1" : "nil"}) << example.name;
    });
  }
}

TEST(Snapshots, NoEndWithoutTheLastOne) {
  SnapshotTrial trial;
  trial.config.save_points = {{3600, 100}};
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"});
    trial.server.files().capacity_bytes = 0;
    EXPECT_EQ(trial.ask({"SHUTDOWN"}), Answers{"ERR Errors trying to SHUTDOWN. Check logs."});
    trial.process->stop_requested->set();
    trial.world.sleep(1s);
    EXPECT_EQ(trial.exit_code, -1);
    EXPECT_EQ(trial.ask({"INCR a"}), Answers{"2"});
    trial.server.files().capacity_bytes = UINT64_MAX;
    trial.process->stop_requested->set();
    trial.world.sleep(1s);
    EXPECT_EQ(trial.exit_code, 0);
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a"}), Answers{"2"});
    trial.server.files().capacity_bytes = 0;
    EXPECT_EQ(trial.ask({"SHUTDOWN FORCE"}), Answers{"no answer"});
    EXPECT_EQ(trial.exit_code, 0);
  });
}

// Nobody is told of a write that came after the last snapshot.
TEST(Snapshots, NoWriteIsAcknowledgedBehindTheLastOne) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SnapshotTrial trial(seed, SnapshotTrial::slow_syncs());
    trial.config.save_points = {{3600, 100}};
    trial.run([&] {
      trial.start_server();
      int64_t acknowledged = 0;
      trial.with_client(
          [&](os::Os& os) {
            auto connection = resp::Client::connect(os, {"server", 6379}).value();
            while (true) {
              connection->add(std::vector<std::string>{"INCR", "a"});
              const auto replies = connection->exchange(os.clock.monotonic() + 5s);
              if (!replies) return;
              acknowledged = replies->at(0).as_integer();
            }
          },
          20ms);
      trial.ask({"SHUTDOWN"}, 3s);
      EXPECT_EQ(trial.exit_code, 0);
      trial.start_server();
      EXPECT_GT(acknowledged, 0);
      EXPECT_GE(std::stoll(trial.ask({"GET a"}).at(0)), acknowledged) << seed;
    });
  }
}

TEST(Snapshots, FlushAllEmptiesTheFileAsWell) {
  for (const bool with_child : {false, true}) {
    SnapshotTrial trial(1, SnapshotTrial::slow_syncs());
    trial.config.save_points = {{3600, 1000}};
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1", "SAVE"}), (Answers{"OK", "OK"}));
      if (with_child) trial.ask({"BGSAVE"}, 20ms);
      EXPECT_EQ(trial.ask({"FLUSHALL"}), Answers{"OK"});
      trial.lose_power();
      trial.start_server();
      EXPECT_EQ(trial.ask({"DBSIZE"}), Answers{"0"});
      EXPECT_EQ(trial.temporary_files(), Answers{});
    });
  }
}

TEST(Snapshots, WithinATransactionItBeginsBehindIt) {
  SnapshotTrial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"MULTI", "SET a 1", "BGSAVE", "SET b 2", "SAVE", "EXEC"}).at(4),
              "ERR Command not allowed inside a transaction");
    trial.ask({"MULTI", "SET a 1", "BGSAVE", "SET b 2", "EXEC"}, 3s);
    EXPECT_EQ(trial.info("rdb_saves"), "1");
    trial.lose_power();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b"}), (Answers{"1", "2"}));
  });
}

TEST(Snapshots, ReloadIsLikeARestart) {
  SnapshotTrial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial
                  .ask({"SET a 1", "SET b 2 PX 999999", "DEBUG RELOAD", "MGET a b", "SET a 2",
                        "DEBUG RELOAD NOSAVE", "GET a"})
                  .back(),
              "1");
    EXPECT_EQ(trial.ask({"WATCH a", "DEBUG RELOAD", "MULTI", "GET a", "EXEC"}).back(), "nil");
    trial.put_file("dump.rdb", "REDIS0010garbage");
    EXPECT_EQ(trial.ask({"DEBUG RELOAD NOSAVE", "GET a"}),
              (Answers{"ERR Error trying to load the RDB dump, check server logs.", "1"}));
  });
}

TEST(Snapshots, AStartRefusesABrokenFileAndLeavesItAlone) {
  rdb::Data data;
  data.set(0, "a", "1");
  const std::string whole = rdb::written(data.keyspace);
  struct Case {
    std::string bytes;
    std::string says;
  };
  std::string flipped = whole;
  flipped[whole.size() - 12] ^= 1;
  for (const Case& example :
       {Case{"", "./dump.rdb: it ends at offset 0, expected the header"},
        Case{whole.substr(0, whole.size() - 9), "./dump.rdb: it ends at offset"},
        Case{flipped, "./dump.rdb: at offset"}, Case{whole + "x", "expected the end of the file"},
        Case{"REDIS0099", "./dump.rdb: at offset 5: RDB version 99 cannot be read"}}) {
    SnapshotTrial trial;
    trial.run([&] {
      trial.put_file("dump.rdb", example.bytes);
      trial.start_server();
      EXPECT_EQ(trial.exit_code, 1);
      EXPECT_NE(trial.log.find(example.says), std::string::npos) << trial.log;
      EXPECT_EQ(trial.file("dump.rdb"), example.bytes);
    });
  }
}

TEST(Snapshots, AStartNeverLoadsWhatWasNotFinished) {
  rdb::Data data;
  data.set(0, "a", "unfinished");
  SnapshotTrial trial;
  trial.run([&] {
    trial.put_file("temp-17.rdb", rdb::written(data.keyspace));
    trial.put_file("temp-sync-0123abcd-1.rdb", "for a replica");
    trial.put_file("temp-mine.rdb", "not ours");
    trial.start_server();
    EXPECT_EQ(trial.ask({"DBSIZE"}), Answers{"0"});
    EXPECT_EQ(trial.temporary_files(), Answers{"temp-mine.rdb"});
    trial.server.kill();
    trial.config.dir = "nosuch";
    trial.start_server();
    EXPECT_EQ(trial.exit_code, 1);
    EXPECT_NE(trial.log.find("the directory nosuch"), std::string::npos) << trial.log;
  });
}

// A copy that nobody has synced is served only once it is durable.
TEST(Snapshots, AStartMakesDurableWhatItServes) {
  rdb::Data data;
  data.set(0, "a", std::string(30'000, 'x'));
  const std::string bytes = rdb::written(data.keyspace, {}, {.compress = false});
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SnapshotTrial trial(seed);
    trial.run([&] {
      trial.put_file("dump.rdb", bytes);
      trial.start_server();
      EXPECT_EQ(trial.ask({"STRLEN a"}), Answers{"30000"});
      trial.lose_power();
      trial.start_server();
      EXPECT_EQ(trial.ask({"STRLEN a"}), Answers{"30000"}) << seed;
    });
  }
}

TEST(Snapshots, AStartLeavesOutWhatHasExpired) {
  SnapshotTrial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1 PX 1500", "SET b 2", "SAVE"}).back(), "OK");
    trial.server.kill();
    trial.world.sleep(2s);
    trial.start_server();
    EXPECT_EQ(trial.ask({"DBSIZE"}), Answers{"1"});
    EXPECT_EQ(trial.info("rdb_last_load_keys_expired"), "1");
  });
}

}  // namespace
}  // namespace seatrial::kv
