// BGREWRITEAOF and the log's being switched on and off, in the whole server on a simulated machine:
// what is kept over a crash at any step, what a failure harms, and what stays on the disk.
#include "kv/propagate/aof_manifest.h"
#include "tests/kv/support/trial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

const std::string kStarted = "Background append only file rewriting started";
const std::string kScheduled = "Background append only file rewriting scheduled";
const std::string kDirectory = "./appendonlydir";

struct LogTrial : Trial {
  explicit LogTrial(uint64_t seed = 1, sim::Weather conditions = {}) : Trial(seed, conditions) {
    config.save_points.clear();
  }

  // A disk whose syncs take so long that a test can do something meanwhile.
  static sim::Weather slow_syncs() {
    sim::Weather weather;
    weather.disk.sync_min = 100ms;
    weather.disk.sync_max = 100ms;
    return weather;
  }

  void lose_power() {
    server.power_off();
    server.power_on();
  }

  // One line of INFO.
  std::string info(std::string_view name) {
    const std::string text = ask({"INFO persistence"}, 100ms).at(0);
    const size_t begin = text.find("\r\n" + std::string(name) + ":");
    if (begin == std::string::npos) return "missing";
    const size_t value = begin + name.size() + 3;
    return text.substr(value, text.find("\r\n", value) - value);
  }

  std::vector<std::string> files() {
    std::vector<std::string> names;
    const auto entries = server.files().list(kDirectory).value();
    for (const auto& entry : entries) names.push_back(entry.name);
    return names;
  }
  std::string file(const std::string& name) {
    auto inode = server.files().open(kDirectory + "/" + name, os::kReadOnly);
    if (!inode) return "missing";
    std::string bytes((*inode)->file.size(), '\0');
    (*inode)->file.read(0, {bytes.data(), bytes.size()});
    return bytes;
  }

  // Asks for a rewrite and comes back at the instant of its fork.
  void begin_rewrite(const std::string& request = "BGREWRITEAOF") {
    const size_t seen = log.size();
    with_client(
        [request](os::Os& os) {
          auto connection = resp::Client::connect(os, {"server", 6379}, deadline(os));
          if (!connection) return;
          std::vector<std::string> words;
          resp::split_words(request, words);
          (*connection)->add(words);
          static_cast<void>((*connection)->exchange(deadline(os)));
        },
        0ms);
    for (int i = 0; i < 10000 && log.find("in the background, by process", seen) == log.npos; ++i) {
      world.sleep(5us);
    }
    EXPECT_NE(log.find("in the background, by process", seen), log.npos) << log;
  }

  // Lets so many calls on the disk begin, unless it has become quiet.
  void await_disk_steps(int steps) {
    for (int i = 0; i < steps; ++i) {
      const auto deadline = os::MonotonicTime(world.now_virtual() + 50ms);
      if (server.disk_steps.wait(deadline) != os::Wake::kSignal) return;
    }
  }

  // What lies in the directory is the manifest and what it names, and it names no history.
  void expect_tidy(const std::string& what) {
    const auto manifest = parse_manifest(file("appendonly.aof.manifest"), "manifest");
    ASSERT_TRUE(manifest) << what;
    std::vector<std::string> expected = {"appendonly.aof.manifest"};
    if (manifest->base) expected.push_back(manifest->base->name);
    for (const ManifestFile& increment : manifest->increments) expected.push_back(increment.name);
    EXPECT_TRUE(manifest->history.empty()) << what;
    std::ranges::sort(expected);
    EXPECT_EQ(files(), expected) << what;
  }
};

// ---- What it does

TEST(AofRewrite, PutsANewBaseInThePlaceOfAll) {
  for (const bool rdb : {true, false}) {
    LogTrial trial;
    trial.config.aof_use_rdb_preamble = rdb;
    trial.run([&] {
      trial.start_server();
      const std::string kind = rdb ? "base.rdb" : "base.aof";
      EXPECT_EQ(trial.files(), (Answers{"appendonly.aof.1." + kind, "appendonly.aof.1.incr.aof",
                                        "appendonly.aof.manifest"}));
      trial.ask({"SET a 1", "SET b 2 PX 100000000", "SELECT 9", "SET c 3"});
      for (int i = 0; i < 20; ++i) trial.ask({"INCR n"}, 20ms);
      const uint64_t before = std::stoull(trial.info("aof_current_size"));
      EXPECT_EQ(trial.ask({"BGREWRITEAOF"}), Answers{kStarted});
      EXPECT_EQ(trial.info("aof_rewrites"), "1");
      EXPECT_EQ(trial.info("aof_last_bgrewrite_status"), "ok");
      EXPECT_EQ(trial.info("aof_base_size"), trial.info("aof_current_size"));
      EXPECT_LT(std::stoull(trial.info("aof_current_size")), before);
      EXPECT_EQ(trial.ask({"INCR n", "SELECT 9", "APPEND c 4"}), (Answers{"21", "OK", "2"}));
      EXPECT_EQ(trial.files(), (Answers{"appendonly.aof.2." + kind, "appendonly.aof.2.incr.aof",
                                        "appendonly.aof.manifest"}));
      EXPECT_EQ(trial.ask({"BGREWRITEAOF"}), Answers{kStarted});
      trial.expect_tidy("after the second");
      trial.lose_power();
      trial.start_server();
      EXPECT_EQ(trial.ask({"GET a", "GET b", "PERSIST b", "GET n", "SELECT 9", "GET c"}),
                (Answers{"1", "2", "1", "21", "OK", "34"}))
          << trial.log;
      trial.expect_tidy("after the start");
    });
  }
}

TEST(AofRewrite, AnswersAsRedisDoes) {
  LogTrial trial(1, LogTrial::slow_syncs());
  trial.run([&] {
    trial.start_server();
    trial.world.sleep(5s);
    EXPECT_EQ(trial.ask({"BGREWRITEAOF", "BGREWRITEAOF"}, 10ms),
              (Answers{kStarted, "ERR Background append only file rewriting already in progress"}));
    EXPECT_EQ(trial.info("aof_rewrite_in_progress"), "1");
    trial.world.sleep(5s);
    EXPECT_EQ(trial.info("aof_rewrites"), "1");
    EXPECT_EQ(trial.ask({"BGSAVE", "BGREWRITEAOF"}, 10ms),
              (Answers{"Background saving started", kScheduled}));
    EXPECT_EQ(trial.info("aof_rewrite_scheduled"), "1");
    trial.world.sleep(5s);
    EXPECT_EQ(trial.info("aof_rewrites"), "2");
    EXPECT_EQ(trial.info("aof_rewrite_scheduled"), "0");
    const auto answers = trial.ask({"MULTI", "INCR n", "BGREWRITEAOF", "INCR n", "EXEC"});
    EXPECT_EQ(answers.size(), 5U);
    trial.world.sleep(5s);
    EXPECT_EQ(trial.info("aof_rewrites"), "3");
    trial.world.weather().process.fork_failure_chance = 1;
    EXPECT_EQ(trial.ask({"BGREWRITEAOF"}),
              Answers{"ERR Can't execute an AOF background rewriting. Please check the server "
                      "logs for more information."});
    EXPECT_EQ(trial.info("aof_last_bgrewrite_status"), "err");
    trial.lose_power();
    trial.world.weather().process.fork_failure_chance = 0;
    trial.start_server();
    trial.world.sleep(3s);
    EXPECT_EQ(trial.ask({"GET n"}), Answers{"2"});
  });
}

// ---- Crashes

enum class Blow { kKillServer, kKillChild, kKillBoth, kLosePower };

std::string to_string(Blow blow) {
  switch (blow) {
    case Blow::kKillServer: return "the server killed";
    case Blow::kKillChild: return "the child killed";
    case Blow::kKillBoth: return "both killed";
    case Blow::kLosePower: return "power lost";
  }
  return "?";
}

// A client that counts with INCR, one after the other, until its connection breaks.
struct Counter {
  int64_t sent = 0;
  int64_t acknowledged = 0;

  void run(os::Os& os) {
    auto connection = resp::Client::connect(os, {"server", 6379}, Trial::deadline(os));
    if (!connection) return;
    while (true) {
      (*connection)->add(std::vector<std::string>{"INCR", "n"});
      ++sent;
      auto replies = (*connection)->exchange(Trial::deadline(os));
      if (!replies || !replies->at(0).is_integer()) return;
      acknowledged = replies->at(0).as_integer();
    }
  }
};

void strike(LogTrial& trial, Blow blow) {
  switch (blow) {
    case Blow::kKillServer: trial.server.kill("kv"); return;
    case Blow::kKillChild: trial.server.kill("aof-rewrite"); return;
    case Blow::kKillBoth: trial.server.kill(); return;
    case Blow::kLosePower: trial.lose_power(); return;
  }
}

// Counts under `always`, rewrites, and is struck when so many calls on the disk have begun since.
// False: the rewrite was over before.
bool struck_at(uint64_t seed, Blow blow, bool rdb, int step) {
  const std::string what = fmt::format("{} at step {} of seed {}, {}", to_string(blow), step, seed,
                                       rdb ? "base.rdb" : "base.aof");
  LogTrial trial(seed);
  trial.config.aof_use_rdb_preamble = rdb;
  bool over = false;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1", "SELECT 3", "SET b 2"}, 50ms), (Answers{"OK", "OK", "OK"}));
    auto counter = std::make_shared<Counter>();
    trial.client.start("counter", [counter](os::Os& os) { return counter->run(os), 0; });
    trial.world.sleep(10ms);
    trial.begin_rewrite();
    trial.await_disk_steps(step);
    over = trial.log.find("begins with") != std::string::npos &&
           trial.server.files().list(kDirectory)->size() == 3;
    strike(trial, blow);
    trial.world.sleep(300ms);
    if (blow == Blow::kKillChild) {
      EXPECT_EQ(trial.ask({"GET a"}), Answers{"1"}) << what;
      trial.server.kill();
      trial.world.sleep(1s);
    }
    trial.start_server();
    const Answers found = trial.ask({"GET n", "GET a", "SELECT 3", "GET b"}, 100ms);
    EXPECT_EQ(found.size(), 4U) << what << "\n" << trial.log;
    if (found.size() != 4) return;
    EXPECT_GE(std::stoll(found[0]), counter->acknowledged) << what;
    EXPECT_LE(std::stoll(found[0]), counter->sent) << what;
    EXPECT_GT(counter->acknowledged, 2) << what;
    EXPECT_EQ(found[1] + found[3], "12") << what;
    trial.expect_tidy(what);
    // And it goes on from there.
    EXPECT_EQ(trial.ask({"BGREWRITEAOF"}, 200ms), Answers{kStarted}) << what;
    trial.lose_power();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET n"}, 100ms), Answers{found[0]}) << what;
  });
  return !over;
}

void strike_everywhere(Blow blow) {
  for (const bool rdb : {true, false}) {
    int step = 0;
    while (struck_at(static_cast<uint64_t>(step + 1), blow, rdb, step)) ++step;
    EXPECT_GT(step, 10) << "the test does not see the rewrite";
    EXPECT_LT(step, 300) << "the rewrite does not end";
  }
}

TEST(AofRewrite, NothingIsLostWhenTheServerIsKilled) { strike_everywhere(Blow::kKillServer); }
TEST(AofRewrite, NothingIsLostWhenTheChildIsKilled) { strike_everywhere(Blow::kKillChild); }
TEST(AofRewrite, NothingIsLostWhenBothAreKilled) { strike_everywhere(Blow::kKillBoth); }
TEST(AofRewrite, NothingIsLostWhenPowerFails) { strike_everywhere(Blow::kLosePower); }

// ---- Failures

TEST(AofRewrite, AFailedChildLeavesTheLogAsItWas) {
  LogTrial trial;
  trial.run([&] {
    trial.start_server();
    trial.ask({"SET a 1"});
    trial.begin_rewrite();
    trial.server.kill("aof-rewrite");
    trial.world.sleep(1s);
    EXPECT_EQ(trial.info("aof_last_bgrewrite_status"), "err");
    EXPECT_EQ(trial.info("aof_rewrites_consecutive_failures"), "1");
    EXPECT_EQ(trial.ask({"SET b 2"}), Answers{"OK"});
    EXPECT_EQ(trial.files(), (Answers{"appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof",
                                      "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"}));
    EXPECT_EQ(trial.ask({"BGREWRITEAOF"}), Answers{kStarted});
    EXPECT_EQ(trial.info("aof_last_bgrewrite_status"), "ok");
    EXPECT_EQ(trial.files(), (Answers{"appendonly.aof.2.base.rdb", "appendonly.aof.3.incr.aof",
                                      "appendonly.aof.manifest"}));
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b"}), (Answers{"1", "2"}));
  });
}

// Any one sync that fails, of the child's or of the parent's: either the rewrite fails, or the
// server ends, and nothing that it acknowledged is lost.
TEST(AofRewrite, AFailedSyncLosesNothing) {
  for (int step = 0; step < 60; ++step) {
    LogTrial trial(static_cast<uint64_t>(step) + 1);
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1"}, 50ms), Answers{"OK"});
      trial.begin_rewrite();
      trial.await_disk_steps(step);
      trial.server.sync_errors_due = 1;
      const Answers set = trial.ask({"SET b 2"}, 1s);
      trial.lose_power();
      trial.server.sync_errors_due = 0;
      trial.start_server();
      const Answers found = trial.ask({"GET a", "GET b"}, 100ms);
      EXPECT_EQ(found.at(0), "1") << step << trial.log;
      const bool acknowledged = set == Answers{"OK"};
      EXPECT_TRUE(!acknowledged || found.at(1) == "2") << step;
      trial.expect_tidy("step " + std::to_string(step));
    });
  }
}

TEST(AofRewrite, AFullDiskIsNoReasonToStop) {
  LogTrial trial;
  trial.config.appendfsync = FsyncPolicy::kEverySecond;
  trial.run([&] {
    trial.start_server();
    trial.ask({"SET a 1"});
    trial.server.files().capacity_bytes = 0;
    EXPECT_EQ(trial.ask({"BGREWRITEAOF"}), Answers{kStarted});
    trial.world.sleep(2s);
    EXPECT_EQ(trial.info("aof_last_bgrewrite_status"), "err");
    trial.server.files().capacity_bytes = UINT64_MAX;
    trial.world.sleep(2s);
    EXPECT_EQ(trial.ask({"SET b 2"}), Answers{"OK"});
    EXPECT_EQ(trial.ask({"BGREWRITEAOF"}), Answers{kStarted});
    EXPECT_EQ(trial.info("aof_last_bgrewrite_status"), "ok");
    trial.expect_tidy("afterwards");
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b"}), (Answers{"1", "2"}));
  });
}

TEST(AofRewrite, ComesByItselfWhenTheLogHasGrown) {
  LogTrial trial;
  trial.config.auto_aof_rewrite_min_bytes = 1000;
  trial.run([&] {
    trial.start_server();
    for (int i = 0; i < 30; ++i) trial.ask({"SET a 12345678901234567890"}, 20ms);
    trial.world.sleep(3s);
    EXPECT_EQ(trial.info("aof_rewrites"), "1");
    trial.world.sleep(10s);
    EXPECT_EQ(trial.info("aof_rewrites"), "1") << "it has not grown since";
  });
}

TEST(AofRewrite, RepeatedFailuresWait) {
  LogTrial trial;
  trial.config.auto_aof_rewrite_min_bytes = 100;
  trial.run([&] {
    trial.start_server();
    trial.world.weather().process.fork_failure_chance = 1;
    for (int i = 0; i < 30; ++i) trial.ask({"SET a 12345678901234567890"}, 20ms);
    trial.world.sleep(30s);
    EXPECT_EQ(trial.info("aof_rewrites_consecutive_failures"), "3");
    trial.world.sleep(60s);
    EXPECT_EQ(trial.info("aof_rewrites_consecutive_failures"), "4");
    trial.world.sleep(60s);
    EXPECT_EQ(trial.info("aof_rewrites_consecutive_failures"), "4") << "two minutes now";
    trial.world.weather().process.fork_failure_chance = 0;
    trial.world.sleep(70s);
    EXPECT_EQ(trial.info("aof_rewrites_consecutive_failures"), "0");
    EXPECT_EQ(trial.info("aof_rewrites"), "1");
  });
}

// ---- Switching

TEST(AofSwitch, OffAndOnAgain) {
  LogTrial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1", "CONFIG SET appendonly no", "SET a 2", "SET b 2"}),
              (Answers{"OK", "OK", "OK", "OK"}));
    EXPECT_EQ(trial.info("aof_enabled"), "0");
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b"}), (Answers{"1", "nil"})) << "as the log was left";
    EXPECT_EQ(trial.ask({"CONFIG SET appendonly no", "SET a 3", "CONFIG SET appendonly yes"}),
              (Answers{"OK", "OK", "OK"}));
    EXPECT_EQ(trial.info("aof_enabled"), "1");
    EXPECT_EQ(trial.ask({"SET b 4", "CONFIG GET appendonly"}).at(0), "OK");
    trial.expect_tidy("on again");
    trial.lose_power();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b"}), (Answers{"3", "4"}));
  });
}

TEST(AofSwitch, OnForTheFirstTime) {
  LogTrial trial;
  trial.config.appendonly = false;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1", "BGREWRITEAOF"}), (Answers{"OK", kStarted}));
    EXPECT_EQ(trial.files(), (Answers{"appendonly.aof.1.base.rdb", "appendonly.aof.manifest"}));
    EXPECT_EQ(trial.ask({"SET b 2", "CONFIG SET appendonly yes"}), (Answers{"OK", "OK"}));
    EXPECT_EQ(trial.ask({"SET c 3"}), Answers{"OK"});
    trial.expect_tidy("on");
    trial.lose_power();
    trial.config.appendonly = true;
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b", "GET c"}), (Answers{"1", "2", "3"}));
  });
}

TEST(AofSwitch, AFailedForkIsAnError) {
  LogTrial trial;
  trial.config.appendonly = false;
  trial.run([&] {
    trial.start_server();
    trial.world.weather().process.fork_failure_chance = 1;
    EXPECT_EQ(trial.ask({"CONFIG SET appendonly yes", "CONFIG GET appendonly"}).at(0),
              "ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn "
              "on AOF. Check server logs.");
    EXPECT_EQ(trial.info("aof_enabled"), "0");
    trial.world.sleep(5s);
    EXPECT_EQ(trial.info("aof_enabled"), "0");
    EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"});
  });
}

// A stop while the log cannot be written is the way out of a full disk.
TEST(AofSwitch, OffWhileTheDiskIsFull) {
  LogTrial trial;
  trial.config.appendfsync = FsyncPolicy::kEverySecond;
  trial.run([&] {
    trial.start_server();
    trial.ask({"SET a 1"});
    trial.server.files().capacity_bytes = 0;
    EXPECT_EQ(trial.ask({"SET a 2"}), Answers{"no answer"});
    EXPECT_EQ(trial.ask({"CONFIG SET appendonly no"}), Answers{"OK"});
    trial.world.sleep(2s);
    EXPECT_EQ(trial.ask({"SET a 3", "GET a"}), (Answers{"OK", "3"}));
    trial.server.files().capacity_bytes = UINT64_MAX;
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a"}), Answers{"1"});
  });
}

// Until the new log is complete the old one is found, and nothing of both together.
TEST(AofSwitch, NothingIsMixedWhateverTheStepOfACrash) {
  for (const Blow blow : {Blow::kKillServer, Blow::kKillBoth, Blow::kLosePower}) {
    bool seen_old = false;
    bool seen_new = false;
    for (int step = 0; step < 60; ++step) {
      const std::string what = fmt::format("{} at step {}", to_string(blow), step);
      LogTrial trial(static_cast<uint64_t>(step) + 1);
      trial.run([&] {
        trial.start_server();
        trial.ask({"SET a old", "SET b old", "CONFIG SET appendonly no"}, 50ms);
        trial.ask({"SET a new", "SET b new"}, 50ms);
        trial.begin_rewrite("CONFIG SET appendonly yes");
        trial.await_disk_steps(step);
        strike(trial, blow);
        trial.world.sleep(300ms);
        trial.start_server();
        const Answers found = trial.ask({"GET a", "GET b", "GET n"}, 100ms);
        ASSERT_EQ(found.size(), 3U) << what << "\n" << trial.log;
        EXPECT_EQ(found[0], found[1]) << what;
        EXPECT_TRUE(found[0] == "new" || found[2] == "nil") << what;
        seen_old |= found[0] == "old";
        seen_new |= found[0] == "new";
        trial.expect_tidy(what);
      });
    }
    EXPECT_TRUE(seen_old);
    EXPECT_TRUE(seen_new);
  }
}

}  // namespace
}  // namespace seatrial::kv
