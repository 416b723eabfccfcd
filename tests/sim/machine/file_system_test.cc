// The durability model, without time and fibers: what a power loss may take, and what it may not.
#include "sim/machine/file_system.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

constexpr size_t kSector = kSectorBytes;

std::string bytes_of(const FileData& file) {
  std::string bytes(file.size(), '?');
  EXPECT_EQ(file.read(0, bytes), bytes.size());
  return bytes;
}

void sync(FileData& file) {
  file.begin_sync();
  file.finish_sync();
}

// What a file may hold after a power loss, by many lots.
std::set<std::string> survivors(const FileData& file, const DiskWeather& weather = {}) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    FileData copy = file;
    base::RandomStream random(seed);
    copy.lose_power(random, weather);
    seen.insert(bytes_of(copy));
  }
  return seen;
}

TEST(FileData, ReadsWhatWasWrittenAndZerosInTheGap) {
  FileData file;
  file.write(3, "abc");
  EXPECT_EQ(bytes_of(file), std::string("\0\0\0abc", 6));
  char buffer[8];
  EXPECT_EQ(file.read(6, buffer), 0U);
  EXPECT_EQ(file.read(5, buffer), 1U);
}

TEST(FileData, SyncedBytesSurviveAnyNumberOfPowerLosses) {
  FileData file;
  const std::string bytes(3 * kSector + 17, 'x');
  file.write(0, bytes);
  sync(file);
  EXPECT_EQ(file.unsynced_sectors(), 0U);
  base::RandomStream random(1);
  for (int i = 0; i < 5; ++i) {
    file.lose_power(random, {});
    EXPECT_EQ(bytes_of(file), bytes);
  }
}

TEST(FileData, WhatSurvivesOnePowerLossSurvivesTheNext) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    FileData file;
    file.write(0, std::string(4 * kSector, 'a'));
    sync(file);
    file.write(100, std::string(5 * kSector, 'b'));
    base::RandomStream random(seed);
    file.lose_power(random, {});
    const std::string after = bytes_of(file);
    file.lose_power(random, {});
    EXPECT_EQ(bytes_of(file), after);
  }
}

TEST(FileData, AnUnsyncedSectorIsKeptDroppedOrTorn) {
  FileData file;
  file.write(0, std::string(kSector, 'a'));
  sync(file);
  file.write(0, std::string(kSector, 'b'));
  bool kept = false;
  bool dropped = false;
  bool torn = false;
  for (const std::string& bytes : survivors(file)) {
    ASSERT_EQ(bytes.size(), kSector);
    const size_t changes = bytes.find_first_not_of(bytes[0]);
    if (changes == std::string::npos) {
      (bytes[0] == 'a' ? dropped : kept) = true;
    } else {
      // One part old, the rest new, and nothing else.
      EXPECT_EQ(bytes.find_first_not_of(bytes[changes], changes), std::string::npos);
      torn = true;
    }
  }
  EXPECT_TRUE(kept);
  EXPECT_TRUE(dropped);
  EXPECT_TRUE(torn);
}

TEST(FileData, EachSectorGoesByItself) {
  FileData file;
  file.write(0, std::string(2 * kSector, 'a'));
  sync(file);
  file.write(0, std::string(2 * kSector, 'b'));
  const std::set<std::string> seen = survivors(file, {.sector_kept = 0.5, .sector_torn = 0});
  const std::string old_sector(kSector, 'a');
  const std::string new_sector(kSector, 'b');
  EXPECT_EQ(seen, (std::set<std::string>{old_sector + old_sector, old_sector + new_sector,
                                         new_sector + old_sector, new_sector + new_sector}));
}

TEST(FileData, TheWeatherDecidesWhatIsKept) {
  FileData file;
  file.write(0, std::string(kSector, 'a'));
  sync(file);
  file.write(0, std::string(kSector, 'b'));
  EXPECT_EQ(survivors(file, {.sector_kept = 1, .sector_torn = 0}),
            std::set<std::string>{std::string(kSector, 'b')});
  EXPECT_EQ(survivors(file, {.sector_kept = 0, .sector_torn = 0}),
            std::set<std::string>{std::string(kSector, 'a')});
}

TEST(FileData, AnUnsyncedLengthIsOldNewOrBetween) {
  FileData file;
  file.write(0, std::string(10, 'a'));
  sync(file);
  file.write(10, std::string(20, 'b'));
  std::set<size_t> lengths;
  for (const std::string& bytes : survivors(file)) {
    lengths.insert(bytes.size());
    EXPECT_EQ(bytes.substr(0, 10), std::string(10, 'a'));
    for (char c : bytes.substr(10)) EXPECT_TRUE(c == 'b' || c == '\0');
  }
  EXPECT_EQ(*lengths.begin(), 10U);
  EXPECT_EQ(*lengths.rbegin(), 30U);
  EXPECT_GT(lengths.size(), 2U);
}

TEST(FileData, TruncationIsDurableWithItsSyncOnly) {
  FileData file;
  file.write(0, std::string(2 * kSector, 'a'));
  sync(file);
  file.truncate(5);
  EXPECT_EQ(bytes_of(file), "aaaaa");
  std::set<size_t> lengths;
  for (const std::string& bytes : survivors(file)) lengths.insert(bytes.size());
  EXPECT_TRUE(lengths.contains(5));
  EXPECT_TRUE(lengths.contains(2 * kSector));
  sync(file);
  EXPECT_EQ(survivors(file), std::set<std::string>{"aaaaa"});
}

TEST(FileData, TruncatedAndGrownAgainReadsZeros) {
  FileData file;
  file.write(0, std::string(2 * kSector, 'a'));
  sync(file);
  file.truncate(3);
  file.truncate(kSector);
  const std::string zeros = "aaa" + std::string(kSector - 3, '\0');
  EXPECT_EQ(bytes_of(file), zeros);
  sync(file);
  EXPECT_EQ(survivors(file), std::set<std::string>{zeros});
}

TEST(FileData, AWriteDuringASyncIsNotCoveredByIt) {
  FileData file;
  file.write(0, std::string(kSector, 'a'));
  file.begin_sync();
  file.write(0, std::string(kSector, 'b'));
  file.write(kSector, "tail");
  file.finish_sync();
  EXPECT_GT(file.unsynced_sectors(), 0U);
  const std::set<std::string> seen = survivors(file, {.sector_kept = 0, .sector_torn = 0});
  EXPECT_TRUE(seen.contains(std::string(kSector, 'a')));
  for (const std::string& bytes : seen)
    EXPECT_EQ(bytes.substr(0, kSector), std::string(kSector, 'a'));
  sync(file);
  EXPECT_EQ(survivors(file), std::set<std::string>{std::string(kSector, 'b') + "tail"});
}

TEST(FileData, AnAbandonedSyncPromisesNothing) {
  FileData file;
  file.write(0, "abc");
  file.begin_sync();
  EXPECT_TRUE(file.syncing());
  file.abandon_sync();
  EXPECT_FALSE(file.syncing());
  EXPECT_TRUE(survivors(file).contains(""));
  // Nor does it lose anything: the next one covers it.
  sync(file);
  EXPECT_EQ(survivors(file), std::set<std::string>{"abc"});
}

TEST(FileData, AVersionBetweenTwoSyncsMaySurviveToo) {
  std::set<std::string> seen;
  for (int overwrites = 2; overwrites < 6; ++overwrites) {
    FileData file;
    file.write(0, std::string(kSector, '0'));
    sync(file);
    for (int i = 1; i <= overwrites; ++i)
      file.write(0, std::string(kSector, static_cast<char>('0' + i)));
    for (const std::string& bytes : survivors(file, {.sector_kept = 1, .sector_torn = 0})) {
      EXPECT_TRUE(bytes > std::string(kSector, '0') && bytes.size() == kSector);
      if (bytes[0] < '0' + overwrites) seen.insert(bytes);
    }
    sync(file);
    EXPECT_EQ(survivors(file).size(), 1U);
  }
  EXPECT_FALSE(seen.empty());
}

TEST(FileData, WhereTheLengthSurvivesAndASectorDoesNotZerosAreRead) {
  FileData file;
  file.write(0, "durable");
  sync(file);
  file.write(7, std::string(600, 'n'));
  bool zeros = false;
  for (const std::string& bytes : survivors(file, {.sector_kept = 0, .sector_torn = 0})) {
    EXPECT_EQ(bytes, "durable" + std::string(bytes.size() - 7, '\0'));
    zeros = zeros || bytes.size() == 607;
  }
  EXPECT_TRUE(zeros);
}

TEST(FileData, GarbageHitsOnlyWhatWasBeingWritten) {
  FileData file;
  file.write(0, std::string(kSector, 'a'));
  sync(file);
  file.write(100, std::string(200, 'b'));
  bool garbage = false;
  const DiskWeather weather{.sector_kept = 0, .sector_torn = 1, .garbage_chance = 1};
  for (const std::string& bytes : survivors(file, weather)) {
    EXPECT_EQ(bytes.substr(0, 100), std::string(100, 'a'));
    EXPECT_EQ(bytes.substr(300), std::string(kSector - 300, 'a'));
    garbage = garbage || bytes.find_first_not_of("ab") != std::string::npos;
  }
  EXPECT_TRUE(garbage);
}

TEST(FileData, ALostWriteLeavesTheOldSectorForGood) {
  FileData file;
  file.write(0, std::string(3 * kSector, 'a'));
  sync(file);
  file.write(0, std::string(3 * kSector, 'b'));
  base::RandomStream random(1);
  file.begin_sync();
  EXPECT_TRUE(file.lose_a_write(random));
  file.finish_sync();
  const std::string after = bytes_of(file);
  EXPECT_EQ(std::ranges::count(after, 'a'), kSector);
  EXPECT_EQ(std::ranges::count(after, 'b'), 2 * kSector);
  EXPECT_EQ(survivors(file), std::set<std::string>{after});
  file.begin_sync();
  EXPECT_FALSE(file.lose_a_write(random)) << "nothing to write";
  file.finish_sync();
}

TEST(FileData, AMisdirectedWriteTakesAnothersPlace) {
  FileData file;
  file.write(0, std::string(3 * kSector, 'a'));
  sync(file);
  file.write(kSector, std::string(kSector, 'b'));
  base::RandomStream random(1);
  file.begin_sync();
  EXPECT_TRUE(file.misdirect_a_write(random));
  file.finish_sync();
  const std::string after = bytes_of(file);
  EXPECT_EQ(after.substr(kSector, kSector), std::string(kSector, 'a'));
  EXPECT_EQ(std::ranges::count(after, 'b'), kSector);
  EXPECT_EQ(survivors(file), std::set<std::string>{after});
}

TEST(FileData, RotFlipsOneBitOfWhatIsDurable) {
  FileData file;
  base::RandomStream random(1);
  EXPECT_FALSE(file.rot(random)) << "there is nothing";
  file.write(0, std::string(2 * kSector, 'a'));
  EXPECT_FALSE(file.rot(random)) << "nothing is durable";
  sync(file);
  file.write(0, std::string(kSector, 'a'));
  for (int i = 0; i < 20; ++i) {
    FileData copy = file;
    EXPECT_TRUE(copy.rot(random));
    const std::string after = bytes_of(copy);
    EXPECT_EQ(std::ranges::count(after, 'a'), 2 * kSector - 1);
    EXPECT_LT(after.find_last_not_of('a'), 2 * kSector);
    EXPECT_GE(after.find_first_not_of('a'), kSector) << "the first is still to be written";
  }
}

// A failed sync that reached the disk with nothing, found by trying seeds.
FileData after_failed_sync_that_lost(const FileData& before) {
  for (uint64_t seed = 0;; ++seed) {
    FileData file = before;
    base::RandomStream random(seed);
    file.begin_sync();
    file.fail_sync(random);
    FileData copy = file;
    copy.lose_power(random, {.sector_kept = 1, .sector_torn = 0});
    if (copy.size() == 0) return file;
  }
}

TEST(FileData, WhatAFailedSyncLostStaysReadableAndNeverComesBack) {
  FileData file;
  file.write(0, std::string(kSector, 'a'));
  sync(file);
  file.write(0, std::string(kSector, 'b'));
  bool lost = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FileData copy = file;
    base::RandomStream random(seed);
    copy.begin_sync();
    copy.fail_sync(random);
    EXPECT_EQ(bytes_of(copy), std::string(kSector, 'b')) << "lost pages stay readable";
    sync(copy);
    const std::set<std::string> seen = survivors(copy, {.sector_kept = 1, .sector_torn = 0});
    ASSERT_EQ(seen.size(), 1U) << "its fate was sealed by the failure";
    if (*seen.begin() != std::string(kSector, 'a')) continue;
    lost = true;
    copy.write(0, std::string(kSector, 'b'));
    sync(copy);
    EXPECT_EQ(survivors(copy), std::set<std::string>{std::string(kSector, 'b')});
  }
  EXPECT_TRUE(lost);
}

TEST(FileData, RewrittenAfterAFailedSyncBytesAndLengthAreDurable) {
  FileData file;
  file.write(0, "acknowledged");
  file = after_failed_sync_that_lost(file);
  file.write(0, "acknowledged");
  sync(file);
  EXPECT_EQ(survivors(file), std::set<std::string>{"acknowledged"});
}

TEST(FileData, RewritingPartOfWhatAFailedSyncLostMakesThatPartDurable) {
  FileData file;
  file.write(0, "first second");
  file = after_failed_sync_that_lost(file);
  file.write(0, "first");
  sync(file);
  for (const std::string& bytes : survivors(file)) EXPECT_TRUE(bytes.starts_with("first")) << bytes;
}

// ---- Directories

constexpr DiskWeather kAllLost{.sector_kept = 0, .sector_torn = 0, .name_kept = 0};

using List = std::vector<std::string>;

List names_in(const FileSystem& files, std::string_view path) {
  List names;
  const auto entries = files.list(path);
  EXPECT_TRUE(entries);
  for (const os::DirectoryEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

class Names : public testing::Test {
 protected:
  std::shared_ptr<Inode> create(std::string_view path) {
    auto inode = files.open(path, os::kCreateNew);
    EXPECT_TRUE(inode) << path;
    return inode ? *inode : nullptr;
  }
  void sync_names(std::string_view path) {
    files.sync_directory(*files.directory(path), files.changes());
  }
  List list(std::string_view path) { return names_in(files, path); }

  FileSystem files;
  base::RandomStream random{7};
};

TEST_F(Names, WithoutTheirSyncNamesAreKeptOrNot) {
  create("a");
  std::set<List> seen;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    FileSystem other;
    EXPECT_TRUE(other.open("a", os::kCreateNew));
    EXPECT_TRUE(other.open("b", os::kCreateNew));
    base::RandomStream lots(seed);
    other.lose_power(lots, {});
    seen.insert(names_in(other, ""));
  }
  EXPECT_EQ(seen, (std::set<List>{{}, {"a"}, {"b"}, {"a", "b"}}));
}

TEST_F(Names, SyncedNamesSurvive) {
  create("a");
  create("b");
  EXPECT_TRUE(files.unlink("b"));
  sync_names("");
  files.lose_power(random, kAllLost);
  EXPECT_EQ(list(""), List{"a"});
}

TEST_F(Names, AFilesSyncDoesNotMakeItsNameDurable) {
  auto inode = create("a");
  inode->file.write(0, "x");
  sync(inode->file);
  files.lose_power(random, kAllLost);
  EXPECT_EQ(list(""), List{});
}

TEST_F(Names, RemovalIsUndoneWithoutItsSync) {
  auto inode = create("a");
  inode->file.write(0, "x");
  sync(inode->file);
  sync_names("");
  EXPECT_TRUE(files.unlink("a"));
  EXPECT_EQ(list(""), List{});
  files.lose_power(random, kAllLost);
  EXPECT_EQ(list(""), List{"a"});
  EXPECT_EQ(bytes_of((*files.open("a", os::kReadOnly))->file), "x");
}

TEST_F(Names, ARenameIsOneOrTheOther) {
  std::set<std::pair<List, std::string>> seen;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FileSystem other;
    for (const auto& [name, text] : {std::pair{"a", "new"}, std::pair{"b", "old"}}) {
      auto inode = *other.open(name, os::kCreateNew);
      inode->file.write(0, text);
      sync(inode->file);
    }
    other.sync_directory(*other.directory(""), other.changes());
    EXPECT_TRUE(other.rename("a", "b"));
    base::RandomStream lots(seed);
    other.lose_power(lots, {});
    seen.insert({names_in(other, ""), bytes_of((*other.open("b", os::kReadOnly))->file)});
  }
  EXPECT_EQ(seen, (std::set<std::pair<List, std::string>>{{{"a", "b"}, "old"}, {{"b"}, "new"}}));
}

TEST_F(Names, AFileNeverHasTwoNames) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FileSystem other;
    EXPECT_TRUE(other.make_directory("d"));
    EXPECT_TRUE(other.open("a", os::kCreateNew));
    other.sync_directory(*other.directory(""), other.changes());
    EXPECT_TRUE(other.rename("a", "d/b"));
    EXPECT_TRUE(other.rename("d/b", "c"));
    base::RandomStream lots(seed);
    other.lose_power(lots, {});
    // The root also holds the directory.
    EXPECT_EQ(names_in(other, "d").size() + names_in(other, "").size() - 1, 1U) << seed;
  }
}

TEST_F(Names, ASyncOfOneDirectoryBringsNothingBackInAnother) {
  EXPECT_TRUE(files.make_directory("from"));
  EXPECT_TRUE(files.make_directory("to"));
  sync_names("");
  create("from/a");
  EXPECT_TRUE(files.rename("from/a", "to/a"));
  sync_names("to");
  sync_names("from");
  files.lose_power(random, {.name_kept = 1});
  EXPECT_EQ(list("from"), List{});
  EXPECT_EQ(list("to"), List{"a"});
}

TEST_F(Names, ASyncCoversWhatStoodWhenItBegan) {
  create("a");
  const uint64_t seen = files.changes();
  create("b");
  files.sync_directory(*files.directory(""), seen);
  files.lose_power(random, kAllLost);
  EXPECT_EQ(list(""), List{"a"});
}

TEST_F(Names, ADirectoryDoesNotMoveIntoItself) {
  EXPECT_TRUE(files.make_directory("d"));
  EXPECT_TRUE(files.make_directory("d/e"));
  auto moved = files.rename("d", "d/e/f");
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code(), base::Errc::kInvalidArgument);
  EXPECT_EQ(list(""), List{"d"});
}

TEST_F(Names, RoomIsWhatTheCapacityLeaves) {
  files.capacity_bytes = 10;
  create("a")->file.write(0, "1234");
  EXPECT_EQ(files.room(3), 3U);
  EXPECT_EQ(files.room(100), 6U);
  create("b")->file.write(0, "123456");
  EXPECT_EQ(files.room(1), 0U);
}

TEST_F(Names, AnUnlinkedFileTakesUpRoomUntilItIsClosed) {
  files.capacity_bytes = 10;
  auto inode = create("a");
  inode->file.write(0, "12345678");
  ++inode->open;
  EXPECT_TRUE(files.unlink("a"));
  EXPECT_EQ(files.room(100), 2U);
  --inode->open;
  EXPECT_EQ(files.room(100), 10U);
}

TEST_F(Names, AFullDiskTakesNoNewFileOrDirectory) {
  create("there");
  files.capacity_bytes = 0;
  EXPECT_EQ(files.open("new", os::kOpenOrCreate).error().code(), base::Errc::kNoSpace);
  EXPECT_EQ(files.make_directory("new").error().code(), base::Errc::kNoSpace);
  EXPECT_TRUE(files.open("there", os::kOpenOrCreate));
  EXPECT_TRUE(files.unlink("there"));
}

TEST_F(Names, AFailedSyncOfADirectoryKeepsSomeAndALaterOneCoversTheRest) {
  std::set<List> seen;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    for (const bool again : {false, true}) {
      FileSystem other;
      EXPECT_TRUE(other.open("a", os::kCreateNew));
      EXPECT_TRUE(other.open("b", os::kCreateNew));
      base::RandomStream lots(seed);
      other.fail_sync_directory(*other.directory(""), other.changes(), lots);
      if (again) other.sync_directory(*other.directory(""), other.changes());
      other.lose_power(lots, kAllLost);
      if (again) {
        EXPECT_EQ(names_in(other, ""), (List{"a", "b"}));
      } else {
        seen.insert(names_in(other, ""));
      }
    }
  }
  EXPECT_EQ(seen, (std::set<List>{{}, {"a"}, {"b"}, {"a", "b"}}));
}

TEST_F(Names, WhatOneFileLosesDoesNotDependOnAnother) {
  const auto text_after = [](bool with_other) {
    FileSystem other;
    if (with_other) (*other.open("another", os::kCreateNew))->file.write(0, std::string(5000, 'z'));
    auto inode = *other.open("file", os::kCreateNew);
    other.sync_directory(*other.directory(""), other.changes());
    inode->file.write(0, std::string(5000, 'a'));
    sync(inode->file);
    inode->file.write(0, std::string(5000, 'b'));
    base::RandomStream lots(5);
    other.lose_power(lots, {});
    return bytes_of(inode->file);
  };
  EXPECT_EQ(text_after(false), text_after(true));
}

TEST_F(Names, ACopyIsWhatIsDurableAndGoesItsOwnWay) {
  EXPECT_TRUE(files.make_directory("d"));
  auto kept = create("d/kept");
  kept->file.write(0, std::string(600, 'a'));
  sync(kept->file);
  sync_names("");
  sync_names("d");
  kept->file.write(500, std::string(600, 'b'));
  create("d/unsynced");
  FileSystem copy = files.copy();
  EXPECT_EQ(names_in(copy, "d"), List{"kept"});
  auto there = *copy.open("d/kept", os::kReadWrite);
  EXPECT_EQ(bytes_of(there->file), std::string(600, 'a'));
  there->file.write(0, "x");
  EXPECT_EQ(bytes_of(kept->file), std::string(500, 'a') + std::string(600, 'b'));
  files.replace(std::move(copy));
  EXPECT_EQ(bytes_of((*files.open("d/kept", os::kReadOnly))->file)[0], 'x');
  files.lose_power(random, kAllLost);
  EXPECT_EQ(bytes_of((*files.open("d/kept", os::kReadOnly))->file), std::string(600, 'a'));
}

}  // namespace
}  // namespace seatrial::sim
