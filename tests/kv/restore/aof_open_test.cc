// What a start makes of the files that it finds: logs whole and damaged, of this server and of
// Redis, and what crashes and people have left.
#include "kv/restore/aof_open.h"
#include "kv/propagate/aof_format.h"
#include "resp/writer.h"
#include "tests/kv/rdb/memory.h"
#include "tests/kv/support/on_node.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

using Words = std::vector<std::string>;
using Files = std::map<std::string, std::string>;  // By name in the log's directory.

const std::string kDirectory = "./appendonlydir/";
const std::string kManifest = "appendonly.aof.manifest";

std::string command(const Words& words) {
  resp::Writer writer;
  writer.request(words);
  return std::string(writer.bytes());
}

// A file of ours; `closed`: with the line that a file gets which is not written to any more.
std::string ours(const std::vector<Words>& commands, bool closed) {
  std::string bytes = make_annotation({}, 0, 0);
  for (const Words& words : commands) {
    const std::string batch = command(words);
    const size_t begin = bytes.size();
    bytes += batch;
    bytes += make_annotation(batch, begin, begin);
  }
  if (closed) bytes += make_annotation({}, bytes.size(), bytes.size());
  return bytes;
}

std::string snapshot_of(const Words& keys) {
  const auto data = std::make_unique<rdb::Data>();
  for (const std::string& key : keys) data->keyspace.at(0).insert(key, "of the base", std::nullopt);
  return rdb::written(data->keyspace);
}

struct Opened {
  std::optional<std::string> refusal;
  std::string loaded;  // Keys of the snapshot, then the second word of each command.
  Files files;         // Afterwards.
  std::string log;
};

void put(os::Os& os, const std::string& path, const std::string& bytes) {
  auto file = os.disk.open(path, os::kReplace);
  ASSERT_TRUE(file);
  ASSERT_TRUE(os::pwrite_all(**file, 0, bytes));
}

Opened open(const Files& files, const std::string& single = "", Config config = {}) {
  Opened opened;
  OnNode node;
  node.run([&](os::Os& os) {
    if (!files.empty()) {
      ASSERT_TRUE(os.disk.make_directory("./appendonlydir"));
    }
    for (const auto& [name, bytes] : files) put(os, kDirectory + name, bytes);
    if (!single.empty()) put(os, "./appendonly.aof", single);
    AofFiles log(os.disk, os.fibers, config);
    const auto data = std::make_unique<rdb::Data>();
    std::string commands;
    const auto result =
        open_aof(os, config, log, data->keyspace, [&](resp::Args args) -> base::Result<void> {
          commands += (args.size() > 1 ? args[1] : args[0]);
          commands += " ";
          return {};
        });
    if (!result) opened.refusal = result.error().message();
    data->keyspace.at(0).entries().for_each(
        [&](const Entry* entry) { opened.loaded += std::string(entry->key()) + " "; });
    opened.loaded += commands;
    const auto entries = os.disk.list(kDirectory);
    if (!entries) return;
    for (const auto& entry : *entries) {
      opened.files[entry.name] = os::read_file(os.disk, kDirectory + entry.name, 1 << 20).value();
    }
  });
  opened.log = node.logged;
  return opened;
}

std::string names(const Files& files) {
  std::string text;
  for (const auto& [name, bytes] : files) text += name + " ";
  return text;
}

Files whole_log() {
  return {{kManifest,
           "file appendonly.aof.3.base.rdb seq 3 type b\n"
           "file appendonly.aof.5.incr.aof seq 5 type i\n"
           "file appendonly.aof.6.incr.aof seq 6 type i\n"},
          {"appendonly.aof.3.base.rdb", snapshot_of({"k"})},
          {"appendonly.aof.5.incr.aof", ours({{"SET", "a", "1"}, {"SET", "b", "2"}}, true)},
          {"appendonly.aof.6.incr.aof", ours({{"SET", "c", "3"}, {"SET", "d", "4"}}, false)}};
}

TEST(AofOpen, LoadsBaseAndIncrementsInOrder) {
  const Opened opened = open(whole_log());
  EXPECT_EQ(opened.refusal, std::nullopt);
  EXPECT_EQ(opened.loaded, "k a b c d ");
  EXPECT_EQ(opened.files, whole_log());
}

// The manifest has no checksum: one bit of it may name another file that is there as well.
TEST(AofOpen, AManifestThatIsReadInTwoWaysIsRefused) {
  Files files = whole_log();
  files["appendonly.aof.7.incr.aof"] = ours({{"SET", "older", "1"}}, false);
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    sim::World world({.seed = seed});
    sim::Node& node = world.add_node("node");
    node.start("server", [&](os::Os& os) {
      EXPECT_TRUE(os.disk.make_directory("./appendonlydir"));
      for (const auto& [name, bytes] : files) put(os, kDirectory + name, bytes);
      const Config config;
      AofFiles log(os.disk, os.fibers, config);
      node.disk_trouble.flipped_reads_due = 1;
      EXPECT_FALSE(read_aof_manifest(os, config, log)) << seed;
      EXPECT_TRUE(read_aof_manifest(os, config, log)) << "the next start";
      world.stop();
      return 0;
    });
    EXPECT_EQ(world.run(), sim::Outcome::kStopped);
  }
}

TEST(AofOpen, ANewLogIsABaseAndAnIncrement) {
  const Opened opened = open({});
  EXPECT_EQ(opened.refusal, std::nullopt);
  EXPECT_EQ(names(opened.files),
            "appendonly.aof.1.base.rdb appendonly.aof.1.incr.aof appendonly.aof.manifest ");
  Config config;
  config.aof_use_rdb_preamble = false;
  config.appendfilename = "my log";
  const Opened other = open({}, "", config);
  EXPECT_EQ(names(other.files), "my log.1.base.aof my log.1.incr.aof my log.manifest ");
  EXPECT_EQ(open(other.files, "", config).refusal, std::nullopt);
}

TEST(AofOpen, OnlyTheLastFileMayEndTorn) {
  for (const char* name : {"appendonly.aof.5.incr.aof", "appendonly.aof.6.incr.aof"}) {
    const bool last = std::string(name).find(".6.") != std::string::npos;
    const Files files = whole_log();
    const std::string& bytes = files.at(name);
    for (size_t size = make_annotation({}, 0, 0).size(); size < bytes.size(); ++size) {
      Files torn = files;
      torn[name].resize(size);
      const Opened opened = open(torn);
      ASSERT_EQ(opened.refusal.has_value(), !last) << name << " cut to " << size;
      if (last) continue;
      EXPECT_NE(opened.refusal->find(name), std::string::npos) << *opened.refusal;
      EXPECT_NE(opened.refusal->find("offset"), std::string::npos) << *opened.refusal;
    }
  }
}

TEST(AofOpen, ABaseOfCommandsMustBeWhole) {
  Files files = whole_log();
  files.erase("appendonly.aof.3.base.rdb");
  files[kManifest].replace(files[kManifest].find("rdb"), 3, "aof");
  const std::string base = ours({{"SET", "x", "1"}, {"SET", "y", "2"}}, true);
  files["appendonly.aof.3.base.aof"] = base;
  EXPECT_EQ(open(files).loaded, "x y a b c d ");
  for (size_t size = 1; size < base.size(); ++size) {
    files["appendonly.aof.3.base.aof"] = base.substr(0, size);
    const Opened opened = open(files);
    // An end within the first line looks like another server's file, and no command.
    ASSERT_TRUE(opened.refusal) << size;
    EXPECT_NE(opened.refusal->find("3.base.aof"), std::string::npos) << *opened.refusal;
  }
}

TEST(AofOpen, WhatIsMissingIsNamed) {
  for (const char* name : {"appendonly.aof.3.base.rdb", "appendonly.aof.5.incr.aof"}) {
    Files files = whole_log();
    files.erase(name);
    const Opened opened = open(files);
    ASSERT_TRUE(opened.refusal);
    EXPECT_NE(opened.refusal->find(name), std::string::npos) << *opened.refusal;
  }
  for (const char* name : {"appendonly.aof.3.base.rdb", "appendonly.aof.6.incr.aof"}) {
    Files files = whole_log();
    const std::string big = files[name] + std::string(300, '#');
    const Opened opened = open({{name, big}});
    ASSERT_TRUE(opened.refusal) << "data without a manifest";
    EXPECT_NE(opened.refusal->find("manifest"), std::string::npos) << *opened.refusal;
    EXPECT_EQ(opened.files.at(name), big);
  }
}

TEST(AofOpen, WhatCrashesLeaveIsDeletedAndWhatMayHoldDataIsNot) {
  Files files = whole_log();
  files[kManifest] += "file appendonly.aof.4.incr.aof seq 4 type h\n";
  files["appendonly.aof.4.incr.aof"] = ours({{"SET", "old", "1"}}, true);
  files["temp-rewriteaof-bg-77.aof"] = "REDIS0010 half";
  files["temp_appendonly.aof.manifest"] = "file half";
  files["appendonly.aof.4.base.rdb"] = snapshot_of({"not taken"});
  files["appendonly.aof.7.incr.aof"] = make_annotation({}, 0, 0);
  files["appendonly.aof.8.incr.aof"] = ours({{"SET", "strange", "1"}, {"SET", "s", "2"}}, false);
  files["appendonly.aof.2.base.rdb"] = std::string(1000, 'x');
  files["notes"] = "of the operator";
  const Opened opened = open(files);
  EXPECT_EQ(opened.refusal, std::nullopt);
  EXPECT_EQ(opened.loaded, "k a b c d ");
  EXPECT_EQ(names(opened.files),
            "appendonly.aof.2.base.rdb appendonly.aof.3.base.rdb appendonly.aof.5.incr.aof "
            "appendonly.aof.6.incr.aof appendonly.aof.8.incr.aof appendonly.aof.manifest notes ");
  EXPECT_EQ(opened.files.at(kManifest), whole_log().at(kManifest));
  EXPECT_NE(opened.log.find("appendonly.aof.8.incr.aof: the manifest does not name it"),
            std::string::npos);
}

TEST(AofOpen, ABaseAloneGetsAnIncrement) {
  Files files = {{kManifest, "file appendonly.aof.3.base.rdb seq 3 type b\n"},
                 {"appendonly.aof.3.base.rdb", snapshot_of({"k"})},
                 {"appendonly.aof.9.incr.aof", ours({{"SET", "strange", "1"}}, false)}};
  const Opened opened = open(files);
  EXPECT_EQ(opened.refusal, std::nullopt);
  EXPECT_EQ(opened.loaded, "k ");
  EXPECT_EQ(opened.files.at(kManifest),
            "file appendonly.aof.3.base.rdb seq 3 type b\n"
            "file appendonly.aof.10.incr.aof seq 10 type i\n");
}

TEST(AofOpen, AManifestOfHistoryOnlyIsNoLog) {
  const Opened opened = open({{kManifest, "file appendonly.aof.1.incr.aof seq 1 type h\n"},
                              {"appendonly.aof.1.incr.aof", ours({{"SET", "x", "1"}}, false)}});
  EXPECT_EQ(opened.refusal, std::nullopt);
  EXPECT_EQ(opened.loaded, "");
  EXPECT_EQ(names(opened.files),
            "appendonly.aof.1.base.rdb appendonly.aof.2.incr.aof appendonly.aof.manifest ");
}

TEST(AofOpen, ASingleFileOfOldBecomesTheBase) {
  const std::string commands = command({"SELECT", "0"}) + command({"SET", "a", "1"});
  for (const std::string& single : {commands, snapshot_of({"k"}) + commands}) {
    const std::string expected = single == commands ? "0 a " : "k 0 a ";
    const Opened opened = open({}, single);
    EXPECT_EQ(opened.refusal, std::nullopt);
    EXPECT_EQ(opened.loaded, expected);
    EXPECT_EQ(names(opened.files),
              "appendonly.aof appendonly.aof.1.incr.aof appendonly.aof.manifest ");
    EXPECT_EQ(open(opened.files).loaded, expected);
    // A crash came between the manifest and the move.
    const Opened later = open({{kManifest, "file appendonly.aof seq 1 type b\n"}}, single);
    EXPECT_EQ(later.loaded, expected);
    // A log is there already: the file beside it is not its business.
    EXPECT_EQ(open(whole_log(), single).loaded, "k a b c d ");
  }
}

// Redis has run on our log for a while, and appended to our file.
TEST(AofOpen, WhatRedisAppendedToOurFileIsKept) {
  Files files = whole_log();
  std::string& last = files["appendonly.aof.6.incr.aof"];
  const size_t before = last.size();
  last += command({"SELECT", "0"}) + command({"SET", "r", "1"}) + command({"SET", "s", "1"});
  const Opened opened = open(files);
  EXPECT_EQ(opened.refusal, std::nullopt);
  EXPECT_EQ(opened.loaded, "k a b c d 0 r s ");
  EXPECT_EQ(open(opened.files).loaded, opened.loaded);
  EXPECT_EQ(open(opened.files).files, opened.files);
  // From then on damage to that part is refused.
  Files damaged = opened.files;
  damaged["appendonly.aof.6.incr.aof"][before + 3] = 'x';
  EXPECT_TRUE(open(damaged).refusal.has_value());
  // Its unfinished end is cut, by Redis's rule.
  files["appendonly.aof.6.incr.aof"].resize(last.size() - 3);
  EXPECT_EQ(open(files).loaded, "k a b c d 0 r ");
}

TEST(AofOpen, EmptyFilesOfRedisAreIncrementsLikeOthers) {
  Files files = whole_log();
  files["appendonly.aof.5.incr.aof"] = "";
  files["appendonly.aof.6.incr.aof"] = "";
  const Opened opened = open(files);
  EXPECT_EQ(opened.refusal, std::nullopt);
  EXPECT_EQ(opened.files.at("appendonly.aof.6.incr.aof"), make_annotation({}, 0, 0));
  const Opened again = open(opened.files);
  EXPECT_EQ(again.refusal, std::nullopt);
  EXPECT_EQ(again.files, opened.files);
}

TEST(AofOpen, ASnapshotInTheMiddleIsRefused) {
  Files files = whole_log();
  files["appendonly.aof.5.incr.aof"] = snapshot_of({"m"});
  const Opened opened = open(files);
  ASSERT_TRUE(opened.refusal);
  EXPECT_NE(opened.refusal->find("appendonly.aof.5.incr.aof: damaged at offset 0"),
            std::string::npos)
      << *opened.refusal;
}

TEST(AofOpen, EveryFlippedByteOfABaseIsRefused) {
  const Files files = whole_log();
  const std::string name = "appendonly.aof.3.base.rdb";
  for (size_t at = 0; at < files.at(name).size(); ++at) {
    Files damaged = files;
    damaged[name][at] ^= 0x11;
    const Opened opened = open(damaged);
    ASSERT_TRUE(opened.refusal) << at;
    EXPECT_NE(opened.refusal->find(name), std::string::npos) << *opened.refusal;
    EXPECT_NE(opened.refusal->find("offset"), std::string::npos) << *opened.refusal;
  }
}

}  // namespace
}  // namespace seatrial::kv
