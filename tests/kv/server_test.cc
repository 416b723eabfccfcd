// The whole server on a simulated machine, asked by a client on another: what it promises, when
// it refuses to start, and how it ends.
#include "kv/server.h"
#include "tests/kv/support/trial.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

TEST(Server, AnswersAPipelineInOrder) {
  Trial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1", "INCR a", "GET a", "GET none", "NOSUCH"}),
              (Answers{"OK", "2", "2", "nil",
                       "ERR unknown command 'NOSUCH', with args beginning with: "}));
  });
}

TEST(Server, KeepsWhatItAcknowledgedOverAPowerLoss) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Trial trial(seed);
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1", "SET b 2 PX 100000000"}), (Answers{"OK", "OK"}));
      EXPECT_EQ(trial.ask({"INCR a"}), Answers{"2"});
      trial.server.power_off();
      trial.server.power_on();
      trial.start_server();
      EXPECT_EQ(trial.ask({"GET a", "GET b", "PERSIST b"}), (Answers{"2", "2", "1"})) << seed;
    });
  }
}

TEST(Server, AFailedSyncEndsItWithoutAnAnswer) {
  for (const char* request : {"SET a 2", "APPEND b x", "DEL a"}) {
    Trial trial;
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"});
      trial.server.sync_errors_due = 1;
      EXPECT_EQ(trial.ask({request}), Answers{"no answer"});
      EXPECT_EQ(trial.exit_code, 1);
      EXPECT_NE(trial.log.find("The append-only file failed"), std::string::npos) << trial.log;
    });
  }
}

TEST(Server, AFailedWriteEndsItUnderAlways) {
  Trial trial;
  trial.run([&] {
    trial.start_server();
    trial.server.write_errors_due = 1;
    EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"no answer"});
    EXPECT_EQ(trial.exit_code, 1);
  });
}

// A write that is not yet on disk must not be seen either: the read waits with it.
TEST(Server, AReadOfWhatIsNotYetDurableWaits) {
  sim::Weather weather;
  weather.disk.sync_min = 300ms;
  weather.disk.sync_max = 300ms;
  Trial trial(1, weather);
  trial.run([&] {
    trial.start_server();
    trial.world.sleep(5s);
    std::map<std::string, sim::VirtualTime> answered;
    for (const std::string line : {"SET k v", "GET k"}) {
      trial.with_client(
          [&, line](os::Os& os) {
            auto connection = resp::Client::connect(os, {"server", 6379}).value();
            std::vector<std::string> words;
            resp::split_words(line, words);
            connection->add(words);
            EXPECT_TRUE(connection->exchange());
            answered[line] = trial.world.now_virtual();
          },
          20ms);
    }
    EXPECT_TRUE(answered.empty());
    trial.world.sleep(1s);
    ASSERT_EQ(answered.size(), 2U);
    EXPECT_LT(answered["GET k"] - answered["SET k v"], 10ms) << "one sync serves both";
  });
}

TEST(Server, WithoutAlwaysAFailedWriteRefusesWritesUntilItWorks) {
  Trial trial;
  trial.config.appendfsync = FsyncPolicy::kEverySecond;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"});
    trial.server.files().capacity_bytes = 0;
    EXPECT_EQ(trial.ask({"SET a 2"}), Answers{"no answer"});
    EXPECT_EQ(trial.ask({"SET a 3", "GET a"}),
              (Answers{"MISCONF Errors writing to the AOF file: no space left on disk", "2"}));
    trial.server.files().capacity_bytes = UINT64_MAX;
    trial.world.sleep(3s);
    EXPECT_EQ(trial.ask({"SET b 4", "GET a"}), (Answers{"OK", "2"}));
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a", "GET b"}), (Answers{"2", "4"}));
  });
}

TEST(Server, EverySecondLosesNoMoreThanTheWindow) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Trial trial(seed);
    trial.config.appendfsync = FsyncPolicy::kEverySecond;
    trial.run([&] {
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"});
      trial.world.sleep(2s);
      EXPECT_EQ(trial.ask({"SET b 1"}, 100ms), Answers{"OK"});
      trial.server.power_off();
      trial.server.power_on();
      trial.start_server();
      EXPECT_EQ(trial.ask({"GET a"}), Answers{"1"});
    });
  }
}

TEST(Server, ShutdownAndStopRequestEndItInOrder) {
  Trial trial;
  trial.config.appendfsync = FsyncPolicy::kNo;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1", "SHUTDOWN NOSAVE"}), Answers{"no answer"});
    EXPECT_EQ(trial.exit_code, 0);
    trial.server.power_off();
    trial.server.power_on();
    trial.start_server();
    EXPECT_EQ(trial.ask({"INCR a"}), Answers{"2"});
    trial.process->stop_requested->set();
    trial.world.sleep(2s);
    EXPECT_EQ(trial.exit_code, 0);
    trial.server.power_off();
    trial.server.power_on();
    trial.start_server();
    EXPECT_EQ(trial.ask({"GET a"}), Answers{"2"});
  });
}

TEST(Server, RefusesToStartWithAClearReason) {
  Trial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.exit_code, -1);
    Config other = trial.config;
    other.appendonly = false;
    int code = -1;
    trial.server.start("second", [&](os::Os& os) { return code = serve(os, other); });
    trial.world.sleep(1s);
    EXPECT_EQ(code, 1);
    EXPECT_NE(trial.log.find("cannot listen on *:6379"), std::string::npos) << trial.log;

    trial.server.kill();
    trial.config.dir = "nosuch/place";
    trial.start_server();
    EXPECT_EQ(trial.exit_code, 1);
    EXPECT_NE(trial.log.find("cannot create nosuch/place/appendonlydir"), std::string::npos)
        << trial.log;
  });
}

TEST(Server, RefusesALogWhoseManifestIsGone) {
  Trial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"});
    trial.server.kill();
    EXPECT_TRUE(trial.server.files().unlink("appendonlydir/appendonly.aof.manifest"));
    trial.start_server();
    EXPECT_EQ(trial.exit_code, 1);
    EXPECT_NE(trial.log.find("manifest"), std::string::npos) << trial.log;
  });
}

TEST(Server, AFreshDirectorySurvivesPowerLossAtAnyMoment) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Trial trial(seed);
    trial.run([&] {
      trial.server.start("kv", [&](os::Os& os) { return serve(os, trial.config); });
      trial.world.sleep(std::chrono::microseconds(40 * seed));
      trial.server.power_off();
      trial.server.power_on();
      trial.start_server();
      EXPECT_EQ(trial.ask({"SET a 1"}), Answers{"OK"}) << "seed " << seed << "\n" << trial.log;
    });
  }
}

TEST(Server, ExpiredKeysGoWithoutBeingAskedFor) {
  Trial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET a 1 PX 300", "SET b 2"}, 500ms), (Answers{"OK", "OK"}));
    trial.world.sleep(1s);
    EXPECT_EQ(trial.ask({"DBSIZE"}), Answers{"1"});
    trial.server.kill();
    trial.start_server();
    EXPECT_EQ(trial.ask({"DBSIZE", "GET a", "GET b"}), (Answers{"1", "nil", "2"}));
  });
}

TEST(Server, SleepsForAsLongAsAskedWhateverTheWallClockDoes) {
  for (const auto jump : {-30s, 0s, 30s}) {
    Trial trial;
    trial.config.enable_debug_command = true;
    trial.run([&] {
      trial.start_server();
      trial.world.after(200ms, [&] { trial.server.jump_wall(jump); });
      EXPECT_EQ(trial.ask({"DEBUG SLEEP 0.5"}), Answers{"OK"});
      // Longer than the client waits.
      trial.world.after(200ms, [&] { trial.server.jump_wall(jump); });
      EXPECT_EQ(trial.ask({"DEBUG SLEEP 2"}), Answers{"no answer"});
    });
  }
}

TEST(Server, RefusesMoreClientsThanItMayHave) {
  Trial trial;
  trial.config.maxclients = 1;
  trial.run([&] {
    trial.start_server();
    trial.with_client(
        [](os::Os& os) {
          auto held = os.network.connect({"server", 6379}).value();
          EXPECT_TRUE(os.clock.sleep_for(3s));
        },
        100ms);
    EXPECT_EQ(trial.ask({"PING"}), Answers{"ERR max number of clients reached"});
    trial.world.sleep(5s);
    EXPECT_EQ(trial.ask({"PING"}), Answers{"PONG"});
  });
}

TEST(Server, AClientThatNeverReadsHoldsNobodyElseUp) {
  Trial trial;
  trial.run([&] {
    trial.start_server();
    EXPECT_EQ(trial.ask({"SET big " + std::string(100'000, 'x')}), Answers{"OK"});
    trial.with_client(
        [](os::Os& os) {
          auto stream = os.network.connect({"server", 6379}).value();
          for (int i = 0; i < 1000; ++i) {
            const auto deadline = os.clock.monotonic() + 1ms;
            if (!os::write_all(*stream, "GET big\r\n", deadline)) break;
          }
          EXPECT_TRUE(os.clock.sleep_for(10s));
        },
        1s);
    EXPECT_EQ(trial.ask({"PING"}), Answers{"PONG"});
  });
}

}  // namespace
}  // namespace seatrial::kv
