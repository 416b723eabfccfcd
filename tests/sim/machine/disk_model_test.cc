// The model of sim/machine/disk.h held against references that were written apart from it: what a
// power loss leaves is permitted, whatever programs did, and all that may happen does happen.
#include "sim/machine/file_system.h"
#include "sim/machine/process.h"
#include "sim/world.h"
#include "tests/sim/programs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

std::string bytes_of(const FileData& file) {
  std::string bytes(file.size(), '?');
  EXPECT_EQ(file.read(0, bytes), bytes.size());
  return bytes;
}

// ---- Bytes: for each, what may be read after a power loss.

// Plain bookkeeping by the byte. It knows nothing of sectors: what a model of sectors permits must
// lie within what it permits.
class Reference {
 public:
  std::string seen;
  size_t length_min = 0;  // What a good sync promised.
  size_t length_max = 0;

  void write(size_t offset, const std::string& bytes) {
    const size_t old = seen.size();
    if (offset + bytes.size() > old) seen.resize(offset + bytes.size());
    for (size_t i = old; i < seen.size(); ++i) may_be(i, '\0');
    seen.replace(offset, bytes.size(), bytes);
    for (size_t i = 0; i < bytes.size(); ++i) may_be(offset + i, bytes[i]);
    for (size_t i = 0; i < bytes.size(); ++i) doubtful_.erase(offset + i);
    if (offset + bytes.size() == seen.size()) length_doubtful_ = false;
    length_max = std::max(length_max, seen.size());
    length_since_ = std::min(length_since_, seen.size());
  }

  void truncate(size_t size) {
    for (size_t i = std::min(size, seen.size()); i < std::max(size, seen.size()); ++i) {
      may_be(i, '\0');
    }
    length_min = std::min(length_min, size);
    length_max = std::max(length_max, size);
    if (size != seen.size()) length_doubtful_ = false;
    seen.resize(size);
    length_since_ = std::min(length_since_, size);
  }

  void begin_sync() {
    covered_ = seen;
    covered_doubtful_ = doubtful_;
    covered_length_doubtful_ = length_doubtful_;
    since_.clear();
    length_since_ = seen.size();
  }

  void finish_sync() {
    std::map<size_t, std::set<char>> may;
    for (const size_t i : covered_doubtful_) may[i] = may_[i];
    for (size_t i = 0; i < covered_->size(); ++i) {
      if (!covered_doubtful_.contains(i)) may[i].insert((*covered_)[i]);
    }
    for (const auto& [i, bytes] : since_) may[i].insert(bytes.begin(), bytes.end());
    may_ = std::move(may);
    if (!covered_length_doubtful_) length_min = std::min(covered_->size(), length_since_);
    covered_.reset();
  }

  // Whatever was not settled stays so until it is written again.
  void fail_sync() {
    for (const auto& [i, bytes] : may_) {
      if (bytes.size() > 1 && !since_.contains(i)) doubtful_.insert(i);
    }
    if (length_min != covered_->size() || length_max != covered_->size()) length_doubtful_ = true;
    covered_.reset();
  }

  bool syncing() const { return covered_.has_value(); }

  bool permits(const std::string& after) const {
    if (after.size() < length_min || after.size() > length_max) return false;
    for (size_t i = 0; i < after.size(); ++i) {
      const auto it = may_.find(i);
      if (it == may_.end() ? after[i] != '\0' : !it->second.contains(after[i])) return false;
    }
    return true;
  }

 private:
  void may_be(size_t i, char byte) {
    if (!may_.contains(i)) may_[i].insert('\0');
    may_[i].insert(byte);
    since_[i].insert(byte);
  }

  std::map<size_t, std::set<char>> may_;    // Of each position; no entry: zero only.
  std::map<size_t, std::set<char>> since_;  // Written since the sync began.
  std::set<size_t> doubtful_;               // A failed sync covered it.
  std::optional<std::string> covered_;      // By the sync in progress.
  std::set<size_t> covered_doubtful_;       // Those that the sync in progress does not cover.
  bool covered_length_doubtful_ = false;
  size_t length_since_ = 0;  // The least since it began.
  bool length_doubtful_ = false;
};

// One random step, done to both.
void step(base::RandomStream& random, FileData& file, Reference& model) {
  const uint64_t lot = random.below(16);
  if (lot < 8) {
    const std::string bytes(1 + random.below(700), static_cast<char>('a' + random.below(26)));
    const uint64_t offset = random.chance(0.5) ? file.size() : random.below(2000);
    file.write(offset, bytes);
    model.write(offset, bytes);
  } else if (lot < 10) {
    const uint64_t size = random.below(2500);
    file.truncate(size);
    model.truncate(size);
  } else if (!model.syncing()) {
    file.begin_sync();
    model.begin_sync();
  } else if (lot < 14) {
    file.finish_sync();
    model.finish_sync();
  } else {
    file.fail_sync(random);
    model.fail_sync();
  }
}

RC_GTEST_PROP(DiskModel, WhatSurvivesOfAFileIsPermitted, ()) {
  FileData file;
  Reference model;
  base::RandomStream random(*rc::gen::arbitrary<uint64_t>());
  const auto steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    step(random, file, model);
    RC_ASSERT(bytes_of(file) == model.seen);
  }
  RC_ASSERT(model.permits(bytes_of(file.durable_copy())));
  for (int lots = 0; lots < 10; ++lots) {
    FileData copy = file;
    copy.lose_power(random, {});
    RC_ASSERT(model.permits(bytes_of(copy)));
  }
}

// The reference is worth something only if it rejects: a model that forgets a good sync, or one
// that knows of no failed one, is caught by it.
TEST(DiskModel, TheReferenceRejectsWhatAGoodSyncRulesOut) {
  Reference model;
  model.write(0, "aaaa");
  model.begin_sync();
  model.finish_sync();
  EXPECT_FALSE(model.permits("aaa"));
  EXPECT_FALSE(model.permits(std::string(4, '\0')));
  model.write(1, "b");
  EXPECT_TRUE(model.permits("abaa") && model.permits("aaaa"));
  EXPECT_FALSE(model.permits("acaa"));
  model.begin_sync();
  model.fail_sync();
  model.begin_sync();
  model.finish_sync();
  EXPECT_TRUE(model.permits("aaaa")) << "the second sync wrote nothing";
}

// ---- Names: the permitted survivors are the replays of a part of the operations, in which each
// finds what it had found when it was called, and those on one name are the first of them.

constexpr int kNone = -1;

struct NameOp {
  enum class Kind : unsigned char { kCreate, kMakeDirectory, kRename, kUnlink, kRemoveDirectory };
  Kind kind;
  std::string from;  // The name that it works on.
  std::string to;
};

// Names by path, to the number of the file or directory; plain on purpose.
class Tree {
 public:
  // The same in the directory of that number, wherever it is.
  std::optional<std::vector<int>> apply_in(int parent, NameOp op, int fresh) {
    const std::string name = op.from.substr(op.from.rfind('/') + 1);
    for (const auto& [path, number] : names_) {
      if (number == parent) op.from = path + "/" + name;
    }
    if (parent == 0) op.from = name;
    return apply(op, fresh);
  }

  // What the operation finds, so that a replay can be held to it; nothing: it fails.
  using Found = std::vector<int>;
  std::optional<Found> apply(const NameOp& op, int fresh) {
    const int parent = at(directory_of(op.from));
    if (parent == kNone || is_file(parent)) return std::nullopt;
    const int old = at(op.from);
    switch (op.kind) {
      case NameOp::Kind::kCreate:
      case NameOp::Kind::kMakeDirectory:
        if (old != kNone) return std::nullopt;
        names_[op.from] = fresh;
        if (op.kind == NameOp::Kind::kMakeDirectory) directories_.insert(fresh);
        return Found{parent};
      case NameOp::Kind::kUnlink:
        if (old == kNone || !is_file(old)) return std::nullopt;
        names_.erase(op.from);
        return Found{parent, old};
      case NameOp::Kind::kRemoveDirectory:
        if (old == kNone || is_file(old) || has_below(op.from)) return std::nullopt;
        names_.erase(op.from);
        return Found{parent, old};
      case NameOp::Kind::kRename: return rename(op, parent, old);
    }
    return std::nullopt;
  }

  const std::map<std::string, int>& names() const { return names_; }

 private:
  static std::string directory_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
  }
  int at(const std::string& path) const {
    if (path.empty()) return 0;
    auto it = names_.find(path);
    return it == names_.end() ? kNone : it->second;
  }
  bool is_file(int number) const { return !directories_.contains(number); }
  bool has_below(const std::string& path) const {
    auto it = names_.lower_bound(path + "/");
    return it != names_.end() && it->first.starts_with(path + "/");
  }

  std::optional<Found> rename(const NameOp& op, int parent, int moved) {
    const int target = at(directory_of(op.to));
    const int replaced = at(op.to);
    if (moved == kNone || target == kNone || is_file(target) || moved == replaced)
      return std::nullopt;
    if ((op.to + "/").starts_with(op.from + "/")) return std::nullopt;
    if (replaced != kNone && (is_file(replaced) != is_file(moved) || has_below(op.to))) {
      return std::nullopt;
    }
    std::map<std::string, int> after;
    for (const auto& [path, number] : names_) {
      if (path == op.to) continue;
      const bool below = path == op.from || path.starts_with(op.from + "/");
      after[below ? op.to + path.substr(op.from.size()) : path] = number;
    }
    names_ = std::move(after);
    return Found{parent, moved, target, replaced};
  }

  std::map<std::string, int> names_;
  std::set<int> directories_{0};
};

using Names = std::set<std::pair<std::string, std::string>>;  // Paths, and what a file holds.

bool apply(FileSystem& files, const NameOp& op, int fresh) {
  switch (op.kind) {
    case NameOp::Kind::kCreate: {
      auto inode = files.open(op.from, os::kCreateNew);
      if (!inode) return false;
      (*inode)->file.write(0, std::to_string(fresh));
      (*inode)->file.begin_sync();
      (*inode)->file.finish_sync();
      return true;
    }
    case NameOp::Kind::kMakeDirectory: return files.make_directory(op.from).has_value();
    case NameOp::Kind::kRename: return files.rename(op.from, op.to).has_value();
    case NameOp::Kind::kUnlink: return files.unlink(op.from).has_value();
    case NameOp::Kind::kRemoveDirectory: return files.remove_directory(op.from).has_value();
  }
  return false;
}

void collect(FileSystem& files, const std::string& path, Names& names) {
  const std::vector<os::DirectoryEntry> entries = *files.list(path);
  for (const os::DirectoryEntry& entry : entries) {
    const std::string below = path.empty() ? entry.name : path + "/" + entry.name;
    if (entry.kind == os::EntryKind::kDirectory) {
      names.insert({below, "directory"});
      collect(files, below, names);
    } else {
      names.insert({below, bytes_of((*files.open(below, os::kReadOnly))->file)});
    }
  }
}

struct Done {
  NameOp op;
  int fresh;
  Tree::Found found;
};

// Replays the operations whose bit is set; nothing: one of them finds something else.
std::optional<Names> replay(const std::vector<Done>& done, uint64_t part) {
  Tree tree;
  std::set<int> directories;
  std::set<std::pair<int, std::string>> left_out;
  for (size_t i = 0; i < done.size(); ++i) {
    const auto [op, fresh, was] = done[i];
    const bool rename = op.kind == NameOp::Kind::kRename;
    std::set<std::pair<int, std::string>> names{{was[0], op.from.substr(op.from.rfind('/') + 1)}};
    if (rename) names.insert({was[2], op.to.substr(op.to.rfind('/') + 1)});
    if ((part >> i & 1) == 0) {
      left_out.merge(names);
      continue;
    }
    for (const auto& name : names) {
      if (left_out.contains(name)) return std::nullopt;
    }
    const auto found = rename ? tree.apply(op, fresh) : tree.apply_in(was[0], op, fresh);
    if (!found || *found != was) return std::nullopt;
    if (done[i].op.kind == NameOp::Kind::kMakeDirectory) directories.insert(done[i].fresh);
  }
  Names names;
  for (const auto& [path, number] : tree.names()) {
    names.insert({path, directories.contains(number) ? "directory" : std::to_string(number)});
  }
  return names;
}

std::set<Names> permitted(const std::vector<Done>& done) {
  std::set<Names> all;
  for (uint64_t part = 0; part < uint64_t{1} << done.size(); ++part) {
    if (auto names = replay(done, part)) all.insert(*std::move(names));
  }
  return all;
}

Names survivors_of(const std::vector<NameOp>& ops, uint64_t seed) {
  FileSystem files;
  int fresh = 1;
  for (const NameOp& op : ops) (void)apply(files, op, fresh++);
  base::RandomStream random(seed);
  files.lose_power(random, {});
  Names names;
  collect(files, "", names);
  return names;
}

std::vector<Done> done_by(const std::vector<NameOp>& ops) {
  std::vector<Done> done;
  Tree tree;
  int fresh = 1;
  for (const NameOp& op : ops) {
    if (auto found = tree.apply(op, fresh)) done.push_back({op, fresh, *found});
    ++fresh;
  }
  return done;
}

RC_GTEST_PROP(DiskModel, WhatSurvivesOfNamesIsAReplayOfAPart, ()) {
  static const std::vector<std::string> kPaths{"a", "b", "d", "e", "d/a", "d/e", "e/a", "d/e/a"};
  base::RandomStream random(*rc::gen::arbitrary<uint64_t>());
  std::vector<NameOp> ops;
  FileSystem files;
  Tree tree;
  const auto steps = *rc::gen::inRange(1, 12);
  for (int i = 1; i <= steps; ++i) {
    const NameOp op{static_cast<NameOp::Kind>(random.below(5)), kPaths[random.below(kPaths.size())],
                    kPaths[random.below(kPaths.size())]};
    if (op.from == op.to) continue;  // Nothing happens.
    ops.push_back(op);
    RC_ASSERT(apply(files, op, i) == tree.apply(op, i).has_value());
  }
  const std::set<Names> all = permitted(done_by(ops));
  for (uint64_t lots = 0; lots < 20; ++lots) RC_ASSERT(all.contains(survivors_of(ops, lots)));
}

TEST(DiskModel, EveryPermittedOrderOfNamesIsSeen) {
  using enum NameOp::Kind;
  const std::vector<std::vector<NameOp>> cases{
      {{kCreate, "a", ""}, {kCreate, "b", ""}, {kCreate, "c", ""}},
      // A draft takes the place of what was there, and something else is made afterwards.
      {{kCreate, "draft", ""}, {kRename, "draft", "data"}, {kCreate, "next", ""}},
      {{kCreate, "a", ""}, {kUnlink, "a", ""}, {kCreate, "b", ""}, {kUnlink, "b", ""}},
      // Rotation: the log's old file is never lost for the new one.
      {{kCreate, "log", ""}, {kRename, "log", "log.1"}, {kCreate, "log", ""}},
      {{kMakeDirectory, "d", ""}, {kCreate, "a", ""}, {kRename, "a", "d/a"}, {kRename, "d", "e"}},
      // Directories that change places: never one within the other, out of sight.
      {{kMakeDirectory, "d", ""},
       {kMakeDirectory, "d/e", ""},
       {kRename, "d/e", "e"},
       {kRename, "d", "e/d"}},
      {{kMakeDirectory, "d", ""},
       {kCreate, "d/a", ""},
       {kRename, "d/a", "a"},
       {kRemoveDirectory, "d", ""},
       {kMakeDirectory, "d", ""}},
  };
  for (const std::vector<NameOp>& ops : cases) {
    std::set<Names> seen;
    for (uint64_t seed = 0; seed < 500; ++seed) seen.insert(survivors_of(ops, seed));
    EXPECT_EQ(seen, permitted(done_by(ops))) << ops[0].from << " ... " << ops.back().from;
    EXPECT_GT(seen.size(), 2U);
  }
}

// A later operation without an earlier one.
TEST(DiskModel, NamesSurviveInAnotherOrder) {
  using enum NameOp::Kind;
  const Names later{{"b", "2"}};
  bool seen = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    seen = seen || survivors_of({{kCreate, "a", ""}, {kCreate, "b", ""}}, seed) == later;
  }
  EXPECT_TRUE(seen);
}

// ---- fsyncgate: a program that syncs again after a failure, and trusts it.

enum class AfterFailure : unsigned char { kSyncsAgain, kWritesAgain };

// What stands on the disk, after a power loss, of a record that the program promised to keep.
std::string promised_and_kept(uint64_t seed, AfterFailure after) {
  World world({.seed = seed});
  Node& node = world.add_node("node");
  const std::string record(600, 'r');
  bool promised = false;
  node.start("program", [&](os::Os& os) {
    auto file = *os.disk.open("data", os::kCreateNew);
    EXPECT_TRUE(os.disk.sync_directory("."));
    node.sync_errors_due = 1;
    EXPECT_TRUE(os::pwrite_all(*file, 0, record));
    while (!file->sync_data()) {
      if (after == AfterFailure::kSyncsAgain) continue;
      EXPECT_TRUE(os::pwrite_all(*file, 0, record));
    }
    promised = true;
    EXPECT_EQ(file_text(os, "data"), record) << "it looks fine as long as there is power";
    world.stop();
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
  EXPECT_TRUE(promised);
  node.power_off();
  const std::string kept = bytes_of((*node.files().open("data", os::kReadOnly))->file);
  return kept == record ? "kept" : "lost";
}

TEST(Fsyncgate, WhoSyncsAgainAndTrustsItLosesDataInSomeSeeds) {
  std::map<std::string, int> outcomes;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    ++outcomes[promised_and_kept(seed, AfterFailure::kSyncsAgain)];
  }
  EXPECT_GT(outcomes["lost"], 5);
  EXPECT_GT(outcomes["kept"], 2) << "some of it may have been written";
}

TEST(Fsyncgate, WhoWritesAgainBeforeItSyncsAgainLosesNothing) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    EXPECT_EQ(promised_and_kept(seed, AfterFailure::kWritesAgain), "kept") << seed;
  }
}

}  // namespace
}  // namespace seatrial::sim
