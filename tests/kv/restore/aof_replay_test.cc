#include "kv/restore/aof_replay.h"
#include "kv/propagate/aof_format.h"
#include "resp/writer.h"
#include "tests/kv/support/on_node.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kPath = "log.aof";

std::string command(const Words& words) {
  resp::Writer writer;
  writer.request(words);
  return std::string(writer.bytes());
}

// A log as the server writes it, and where its batches begin.
struct Log {
  std::string bytes = make_annotation({}, 0, 0);
  std::vector<uint64_t> begins = {bytes.size()};  // Of each batch, and then the end.
  std::vector<size_t> commands = {0};             // Before each batch, and at the end.

  void add(const std::vector<Words>& batch, uint64_t durable) {
    std::string text;
    for (const Words& words : batch) text += command(words);
    bytes += text;
    bytes += make_annotation(text, begins.back(), durable);
    begins.push_back(bytes.size());
    commands.push_back(commands.back() + batch.size());
  }
  size_t batches() const { return begins.size() - 1; }
  // Which batch boundary has that many commands before it.
  std::optional<size_t> boundary(size_t count) const {
    for (size_t i = 0; i < commands.size(); ++i) {
      if (commands[i] == count) return i;
    }
    return std::nullopt;
  }
};

// As under `always`: each batch is durable when the next is written.
Log small_log() {
  Log log;
  log.add({{"select", "0"}, {"SET", "a", "1"}}, log.begins.back());
  log.add({{"MULTI"}, {"INCR", "a"}, {"SET", "b", "#seatrial:1:1:"}, {"EXEC"}}, log.begins.back());
  log.add({{"SET", "c", "\r\n*1\r\n$4\r\nPING\r\n"}}, log.begins.back());
  log.add({{"DEL", "a"}, {"APPEND", "b", ""}}, log.begins.back());
  return log;
}

struct Loaded {
  std::optional<std::string> refusal;
  std::vector<Words> commands;
  std::string left;  // The file afterwards.
  uint64_t cut = 0;
};

Loaded load(const std::string& bytes, ReplayOptions options = {}) {
  Loaded loaded;
  OnNode().run([&](os::Os& os) {
    {
      auto file = os.disk.open(kPath, os::kReplace);
      ASSERT_TRUE(file);
      ASSERT_TRUE(os::pwrite_all(**file, 0, bytes));
    }
    auto file = os.disk.open(kPath, os::kReadWrite);
    ASSERT_TRUE(file);
    const auto replayed =
        replay_aof(**file, kPath, options, os.log, [&](resp::Args args) -> base::Result<void> {
          loaded.commands.emplace_back(args.begin(), args.end());
          if (args[0] == "BAD") return base::fail(base::Errc::kInvalidData, "it is bad");
          return {};
        });
    if (!replayed) {
      loaded.refusal = replayed.error().message();
      return;
    }
    loaded.left = os::read_file(os.disk, kPath, 1 << 20).value();
    loaded.cut = replayed->cut;
    EXPECT_EQ(replayed->bytes, loaded.left.size());
    EXPECT_EQ(replayed->commands, loaded.commands.size());
  });
  return loaded;
}

// What every damaged log must do: be refused, or load whole batches, at least `batches_min`.
void expect_prefix(const Log& log, const Loaded& loaded, size_t batches_min,
                   const std::string& what) {
  if (loaded.refusal) return;
  const auto boundary = log.boundary(loaded.commands.size());
  ASSERT_TRUE(boundary) << what << ": " << loaded.commands.size() << " commands";
  EXPECT_GE(*boundary, batches_min) << what;
  EXPECT_EQ(loaded.left, log.bytes.substr(0, log.begins[*boundary])) << what;
}

TEST(AofReplay, AWholeLogIsExecutedAndLeftAsItIs) {
  const Log log = small_log();
  const Loaded loaded = load(log.bytes);
  EXPECT_EQ(loaded.refusal, std::nullopt);
  EXPECT_EQ(loaded.commands.size(), 9U);
  EXPECT_EQ(loaded.commands[4], (Words{"SET", "b", "#seatrial:1:1:"}));
  EXPECT_EQ(loaded.left, log.bytes);
  EXPECT_EQ(loaded.cut, 0U);
}

TEST(AofReplay, EveryTruncationLoadsTheWholeBatchesBefore) {
  const Log log = small_log();
  for (size_t size = log.begins[0]; size < log.bytes.size(); ++size) {
    const Loaded loaded = load(log.bytes.substr(0, size));
    ASSERT_EQ(loaded.refusal, std::nullopt) << size;
    size_t whole = 0;
    while (log.begins[whole + 1] <= size) ++whole;
    EXPECT_EQ(loaded.commands.size(), log.commands[whole]) << size;
    EXPECT_EQ(loaded.left, log.bytes.substr(0, log.begins[whole])) << size;
    EXPECT_EQ(loaded.cut, size - log.begins[whole]) << size;
  }
}

TEST(AofReplay, EveryFlippedByteIsRefusedOrInTheLastBatch) {
  const Log log = small_log();
  for (size_t at = 0; at < log.bytes.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string damaged = log.bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const Loaded loaded = load(damaged);
      const std::string what = "byte " + std::to_string(at) + " bit " + std::to_string(bit);
      const bool last = at >= log.begins[log.batches() - 1];
      EXPECT_EQ(loaded.refusal.has_value(), !last) << what;
      expect_prefix(log, loaded, log.batches() - 1, what);
    }
  }
}

TEST(AofReplay, ARefusalNamesFileOffsetAndRemedy) {
  const Log log = small_log();
  std::string damaged = log.bytes;
  damaged[log.begins[1] + 10] ^= 1;
  const Loaded loaded = load(damaged);
  ASSERT_TRUE(loaded.refusal);
  EXPECT_NE(loaded.refusal->find("log.aof: damaged at offset " + std::to_string(log.begins[1])),
            std::string::npos)
      << *loaded.refusal;
  EXPECT_NE(loaded.refusal->find("truncate -s " + std::to_string(log.begins[1])),
            std::string::npos);
}

// A power loss: of the sectors beyond what was synced, each by itself kept, zero or torn.
RC_GTEST_PROP(AofReplayProperty, PowerLossLeavesAPrefixThatHoldsAllThatWasSynced, ()) {
  const auto count = *rc::gen::inRange<size_t>(1, 9);
  const auto synced = *rc::gen::inRange<size_t>(0, count);
  Log log;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t durable = log.begins[std::min(i, synced)];
    const auto size = *rc::gen::inRange<size_t>(0, 900);
    std::vector<Words> batch = {{"SET", "key", std::string(size, 'v')}};
    if (*rc::gen::arbitrary<bool>()) batch = {{"MULTI"}, batch[0], {"INCR", "n"}, {"EXEC"}};
    log.add(batch, durable);
  }
  const uint64_t durable = log.begins[synced];
  std::string survived = log.bytes;
  for (size_t sector = durable / 512; sector * 512 < survived.size(); ++sector) {
    const size_t begin = std::max<size_t>(sector * 512, durable);
    const size_t end = std::min(sector * 512 + 512, survived.size());
    const auto fate = *rc::gen::inRange(0, 3);
    const size_t from = fate == 2 ? *rc::gen::inRange(begin, end + 1) : begin;
    if (fate != 0) std::fill(survived.begin() + from, survived.begin() + end, '\0');
  }
  survived.resize(*rc::gen::inRange<size_t>(durable, survived.size() + 1));
  const Loaded loaded = load(survived);
  RC_ASSERT(loaded.refusal == std::nullopt);
  const auto boundary = log.boundary(loaded.commands.size());
  RC_ASSERT(boundary.has_value());
  RC_ASSERT(*boundary >= synced);
  RC_ASSERT(loaded.left == log.bytes.substr(0, log.begins[*boundary]));
  // And once repaired it stays so.
  const Loaded again = load(loaded.left);
  RC_ASSERT(again.cut == 0U);
  RC_ASSERT(again.commands == loaded.commands);
}

RC_GTEST_PROP(AofReplayProperty, DamageOfWhatWasSyncedIsRefused, ()) {
  const Log log = small_log();
  const uint64_t durable = log.begins[log.batches() - 1];
  std::string damaged = log.bytes;
  const auto at = *rc::gen::inRange<uint64_t>(0, durable);
  const auto length = *rc::gen::inRange<uint64_t>(1, durable - at + 1);
  const auto fill = *rc::gen::element('\0', 'x', '\xff');
  for (uint64_t i = at; i < at + length; ++i) damaged[i] = fill;
  RC_PRE(damaged != log.bytes);
  RC_ASSERT(load(damaged).refusal.has_value());
}

TEST(AofReplay, OurFirstLineBeyondRecognitionIsNoComment) {
  const Log log = small_log();
  std::string damaged = log.bytes;
  for (uint64_t i = 2; i < log.begins[log.batches() - 1]; ++i) damaged[i] = 'x';
  EXPECT_TRUE(load(damaged).refusal.has_value());
}

TEST(AofReplay, AForeignLogFollowsRedissRule) {
  const std::string whole = command({"SELECT", "0"}) + "#TS:1700000000\r\n" +
                            command({"SET", "a", "1"}) + command({"MULTI"}) +
                            command({"SET", "b", "2"}) + command({"SET", "c", "3"}) +
                            command({"EXEC"});
  const Loaded loaded = load(whole);
  ASSERT_EQ(loaded.refusal, std::nullopt);
  EXPECT_EQ(loaded.commands.size(), 6U);
  EXPECT_EQ(loaded.left, whole + make_annotation({}, whole.size(), whole.size()));
  // From then on it is ours, and its foreign part is known to be durable.
  EXPECT_EQ(load(loaded.left).left, loaded.left);
  std::string damaged = loaded.left;
  damaged[1] = 'x';
  EXPECT_TRUE(load(damaged).refusal.has_value());

  const size_t multi = whole.find("*1\r\n$5\r\nMULTI");
  for (size_t size = multi + 1; size < whole.size(); ++size) {
    const Loaded cut = load(whole.substr(0, size));
    ASSERT_EQ(cut.refusal, std::nullopt) << size;
    EXPECT_EQ(cut.commands.size(), 2U) << "a transaction is never executed by half";
    EXPECT_TRUE(load(whole.substr(0, size), {.cut_truncated = false}).refusal.has_value());
  }
  std::string malformed = whole;
  malformed[malformed.find("$1")] = '%';
  EXPECT_TRUE(load(malformed).refusal.has_value());
}

TEST(AofReplay, AnEmptyFileBecomesOurs) {
  const Loaded loaded = load("");
  EXPECT_EQ(loaded.refusal, std::nullopt);
  EXPECT_EQ(loaded.left, make_annotation({}, 0, 0));
}

TEST(AofReplay, ASnapshotInFrontIsNamed) {
  const Loaded loaded = load("REDIS0010....");
  ASSERT_TRUE(loaded.refusal);
  EXPECT_NE(loaded.refusal->find("RDB"), std::string::npos);
}

TEST(AofReplay, ACommandThatFailsStopsTheStart) {
  Log log;
  log.add({{"SET", "a", "1"}, {"BAD"}}, log.begins.back());
  const Loaded loaded = load(log.bytes);
  ASSERT_TRUE(loaded.refusal);
  EXPECT_NE(loaded.refusal->find("it is bad"), std::string::npos);
  EXPECT_NE(loaded.refusal->find("offset " + std::to_string(log.bytes.find("*1\r\n$3\r\nBAD"))),
            std::string::npos)
      << *loaded.refusal;
}

TEST(AofReplay, OnlyTheLastFileMayEndTorn) {
  const Log log = small_log();
  const std::string torn = log.bytes.substr(0, log.bytes.size() - 1);
  EXPECT_FALSE(load(torn, {.last_file = true}).refusal.has_value());
  EXPECT_TRUE(load(torn, {.last_file = false}).refusal.has_value());
}

// After a sync that failed, the bytes can be read although they are not on disk. The start must
// not serve them before they are.
TEST(AofReplay, WhatWasReadIsDurableAfterwards) {
  const Log log = small_log();
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    sim::World world({.seed = seed});
    sim::Node& node = world.add_node("node");
    size_t before = 0;
    size_t after = 0;
    const auto count = [](os::Os& os, size_t& commands) {
      auto file = os.disk.open(kPath, os::kReadWrite);
      ASSERT_TRUE(file);
      const auto replayed = replay_aof(**file, kPath, {}, os.log,
                                       [](resp::Args) -> base::Result<void> { return {}; });
      ASSERT_TRUE(replayed) << replayed.error().message();
      commands = replayed->commands;
    };
    world.administer("story", [&] {
      node.start("writer", [&](os::Os& os) {
        auto file = os.disk.open(kPath, os::kReplace).value();
        EXPECT_TRUE(os::pwrite_all(*file, 0, log.bytes.substr(0, log.begins[0])));
        EXPECT_TRUE(file->sync_data());
        EXPECT_TRUE(os.disk.sync_directory("."));
        EXPECT_TRUE(os::pwrite_all(*file, 0, log.bytes));
        node.sync_errors_due = 1;
        EXPECT_FALSE(file->sync_data());
        return 1;
      });
      world.sleep(std::chrono::seconds(1));
      node.start("first start", [&](os::Os& os) { return count(os, before), 0; });
      world.sleep(std::chrono::seconds(1));
      node.power_off();
      node.power_on();
      node.start("second start", [&](os::Os& os) { return count(os, after), 0; });
      world.sleep(std::chrono::seconds(1));
      world.stop();
    });
    EXPECT_EQ(world.run(), sim::Outcome::kStopped);
    EXPECT_EQ(before, 9U);
    EXPECT_EQ(after, 9U) << "seed " << seed;
  }
}

// A bit flips on its way from the disk, at the first read or (once all was executed) at the one
// whose bytes are written again. Then nothing is cut, and nothing wrong is written down.
TEST(AofReplay, ABitThatFlippedOnItsWayDestroysNothing) {
  const Log log = small_log();
  int loaded = 0;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    sim::World world({.seed = seed});
    sim::Node& node = world.add_node("node");
    const bool late = seed % 2 == 0;
    node.start("server", [&](os::Os& os) {
      auto file = os.disk.open(kPath, os::kReplace).value();
      EXPECT_TRUE(os::pwrite_all(*file, 0, log.bytes));
      size_t commands = 0;
      if (!late) node.disk_trouble.flipped_reads_due = 1;
      const auto replayed =
          replay_aof(*file, kPath, {}, os.log, [&](resp::Args) -> base::Result<void> {
            if (++commands == log.commands.back() && late) node.disk_trouble.flipped_reads_due = 1;
            return {};
          });
      if (replayed) {
        EXPECT_EQ(commands, log.commands.back()) << seed;
        EXPECT_EQ(replayed->cut, 0U) << seed;
        ++loaded;
      }
      EXPECT_EQ(node.disk_trouble.flipped_reads_due, 0U);
      EXPECT_EQ(os::read_file(os.disk, kPath, 1 << 20).value(), log.bytes) << seed;
      world.stop();
      return 0;
    });
    EXPECT_EQ(world.run(), sim::Outcome::kStopped);
  }
  EXPECT_GT(loaded, 20) << "only in the file's first line it is not read again";
}

}  // namespace
}  // namespace seatrial::kv
