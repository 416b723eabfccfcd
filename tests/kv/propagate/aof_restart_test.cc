// The log after a full resync: the old data's log or the new data's, whole, at every step.
#include "kv/children.h"
#include "kv/propagate/aof.h"
#include "kv/propagate/aof_rewriter.h"
#include "kv/rdb/writer.h"
#include "kv/restore/aof_open.h"
#include "kv/session.h"
#include "resp/parser.h"
#include "sim/world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

using namespace std::chrono_literals;

// A server's data and log without a network.
class LogNode {
 public:
  explicit LogNode(os::Os& os)
      : os_(os),
        state_(settings(), os.log, os.random.stream("test")),
        gate_(os.fibers),
        files_(os.disk, os.fibers, state_.config),
        aof_(os, state_, gate_, files_, [](const base::Error&) {}),
        children_(os, state_.child),
        rewriter_(os, state_, children_, aof_, files_),
        session_(std::make_unique<Session>(state_, nullptr, nullptr, Peer{}, SessionKind::kLog)),
        fibers_(os.fibers) {
    state_.hooks.log_effects = [this] {
      aof_.append(state_.effects);
      state_.effects.clear();
    };
  }

  base::Result<void> open() {
    OpenedAof opened = TRY(open_aof(os_, state_.config, files_, state_.keyspace,
                                    [this](resp::Args args) -> base::Result<void> {
                                      resp::Writer reply;
                                      session_->execute(args, reply);
                                      return {};
                                    }));
    aof_.open(std::move(opened.file), std::move(opened.path), opened.bytes, opened.closed);
    rewriter_.opened();
    fibers_.spawn("flusher", [this] { aof_.run_flusher(); });
    fibers_.spawn("syncer", [this] { aof_.run_syncer(); });
    fibers_.spawn("reaper", [this] { children_.run(); });
    fibers_.spawn("rewriter", [this] { rewriter_.run(); });
    return {};
  }

  void execute(const std::string& line) {
    std::vector<std::string> words;
    resp::split_words(line, words);
    const std::vector<std::string_view> args(words.begin(), words.end());
    resp::Writer reply;
    session_->execute(args, reply);
    EXPECT_EQ(reply.errors(), 0U) << line;
  }
  void await_kept() { EXPECT_TRUE(gate_.wait({.seen = gate_.end(), .wrote = gate_.end()})); }

  // As a replica does: all data at once; `snapshot`: and it lies in a file.
  void replace(const std::vector<std::string>& lines, bool snapshot) {
    Effects effects;
    Keyspace fresh(state_.keyspace.count(), state_.keyspace.hash_seed(), effects);
    for (const std::string& name : lines) fresh.at(0).insert(name, "new", std::nullopt);
    std::optional<std::string> path;
    if (snapshot) {
      path = "./temp-received.rdb";
      auto file = os_.disk.open(*path, os::kReplace).value();
      rdb::FileSink sink(*file);
      EXPECT_TRUE(rdb::write(fresh, {}, sink));
      EXPECT_TRUE(file->sync_data());
    }
    state_.keyspace.replace(fresh);
    rewriter_.restart_with(path);
  }

  std::string show() {
    std::string text;
    for (const char* name : {"a", "b", "c", "n"}) {
      NumberText digits;
      const Entry* const entry = state_.keyspace.at(0).find(name);
      text += entry == nullptr ? "-" : std::string(entry->text(digits));
      text += " ";
    }
    return text;
  }
  bool settled() const { return state_.log_status.enabled && !state_.log_status.awaiting_base; }
  AofFiles& files() { return files_; }

 private:
  static Config settings() {
    Config config;
    config.appendonly = true;
    config.appendfsync = FsyncPolicy::kAlways;
    return config;
  }

  os::Os& os_;
  State state_;
  ReplyGate gate_;
  AofFiles files_;
  Aof aof_;
  Children children_;
  AofRewriter rewriter_;
  std::unique_ptr<Session> session_;
  os::FiberGroup fibers_;
};

struct Outcome {
  std::string found;  // After the crash.
  bool settled = false;
};

Outcome crash_at(uint64_t seed, bool snapshot, bool power_loss, int step) {
  sim::World world({.seed = seed});
  sim::Node& node = world.add_node("node");
  Outcome outcome;
  bool replaced = false;
  world.administer("story", [&] {
    node.start("kv", [&](os::Os& os) {
      const auto log = std::make_unique<LogNode>(os);
      EXPECT_TRUE(log->open());
      for (const char* line : {"SET a old", "SET b old", "SET n 5"}) log->execute(line);
      log->await_kept();
      // Still unwritten when the data is replaced: it belongs to the old log.
      log->execute("INCR n");
      log->replace({"a", "c"}, snapshot);
      replaced = true;
      // And these to the new.
      log->execute("SET n 100");
      for (int i = 0; i < 2000; ++i) {
        log->execute("INCR n");
        outcome.settled |= log->settled();
        if (!os.clock.sleep_for(20us)) return 1;
      }
      return 0;
    });
    while (!replaced) world.sleep(1us);
    for (int i = 0; i < step; ++i) {
      const auto deadline = os::MonotonicTime(world.now_virtual() + 10ms);
      static_cast<void>(node.disk_steps.wait(deadline));
    }
    if (power_loss) {
      node.power_off();
      node.power_on();
    } else {
      node.kill();
    }
    world.sleep(100ms);
    node.start("kv", [&](os::Os& os) {
      const auto log = std::make_unique<LogNode>(os);
      const auto opened = log->open();
      EXPECT_TRUE(opened) << opened.error().message();
      outcome.found = log->show();
      EXPECT_TRUE(log->files().manifest().history.empty());
      return 0;
    });
    world.sleep(100ms);
    world.stop();
  });
  EXPECT_EQ(world.run(), sim::Outcome::kStopped);
  return outcome;
}

TEST(AofRestart, AFullResyncIsFoundWholeOrNotAtAll) {
  for (const bool snapshot : {true, false}) {
    for (const bool power_loss : {true, false}) {
      bool seen_old = false;
      bool seen_new = false;
      for (int step = 0; step < 80; ++step) {
        const Outcome outcome =
            crash_at(static_cast<uint64_t>(step) + 1, snapshot, power_loss, step);
        const std::string what = fmt::format("{} {} at step {}: {}", snapshot ? "file" : "fork",
                                             power_loss ? "power" : "kill", step, outcome.found);
        const bool old = outcome.found.starts_with("old old - ");
        const bool fresh = outcome.found.starts_with("new - new ");
        EXPECT_TRUE(old != fresh) << what;
        const std::string n = outcome.found.substr(10);
        if (old) {
          EXPECT_TRUE(n == "5 " || n == "6 ") << what;
        }
        if (fresh) {
          EXPECT_TRUE(n == "- " || std::stoi(n) >= 100) << what;
        }
        EXPECT_TRUE(fresh || !outcome.settled) << what;
        seen_old |= old;
        seen_new |= fresh;
      }
      EXPECT_TRUE(seen_old);
      EXPECT_TRUE(seen_new);
    }
  }
}

}  // namespace
}  // namespace seatrial::kv
