// Files and directories: what os/disk.h promises to a running program, and (on a machine that can
// lose its power) what survives.
#include "tests/contract/machine.h"

#include <fmt/format.h>

namespace seatrial::contract {
namespace {

CONTRACT_SUITE(DiskContract);

using os::EntryKind;
using os::File;

void put(Os& os, std::string_view path, std::string_view text) {
  auto file = must(os.disk.open(path, os::kReplace));
  must(os::append_all(*file, text));
}

std::string get(Os& os, std::string_view path) {
  return must(os::read_file(os.disk, path, 1 << 20));
}

// ---- Files

TEST_P(DiskContract, OpenCreatesOnlyWhenAsked) {
  run([](Os& os) {
    EXPECT_FAILS(os.disk.open("f", os::kReadOnly), kNotFound);
    EXPECT_FAILS(os.disk.open("f", os::kReadWrite), kNotFound);
    EXPECT_EQ(must(os::exists(os.disk, "f")), false);
    EXPECT_OK(os.disk.open("f", os::kOpenOrCreate));
    EXPECT_EQ(must(os::exists(os.disk, "f")), true);
    EXPECT_OK(os.disk.open("f", os::kOpenOrCreate));
    EXPECT_FAILS(os.disk.open("f", os::kCreateNew), kExists);
    EXPECT_OK(os.disk.open("g", os::kCreateNew));
    EXPECT_FAILS(os.disk.open("no/such/directory/f", os::kOpenOrCreate), kNotFound);
    EXPECT_FAILS(os.disk.open("f/below", os::kOpenOrCreate), kNotDirectory);
  });
}

TEST_P(DiskContract, ErrorsNameThePath) {
  run([](Os& os) {
    const auto file = os.disk.open("missing.aof", os::kReadOnly);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message().find("missing.aof"), std::string::npos)
        << file.error().message();
  });
}

TEST_P(DiskContract, TruncateOnOpenEmptiesTheFile) {
  run([](Os& os) {
    put(os, "f", "something");
    EXPECT_EQ(get(os, "f"), "something");
    must(os.disk.open("f", os::kOpenOrCreate));
    EXPECT_EQ(get(os, "f"), "something");
    must(os.disk.open("f", os::kReplace));
    EXPECT_EQ(get(os, "f"), "");
  });
}

TEST_P(DiskContract, ReadsAreShortAtTheEnd) {
  run([](Os& os) {
    put(os, "f", "0123456789");
    auto file = must(os.disk.open("f", os::kReadOnly));
    char buffer[8];
    EXPECT_EQ(must(os::pread_full(*file, 0, buffer)), 8u);
    EXPECT_EQ(must(os::pread_full(*file, 6, buffer)), 4u);
    EXPECT_EQ(std::string_view(buffer, 4), "6789");
    EXPECT_EQ(must(file->pread(10, buffer)), 0u);
    EXPECT_EQ(must(file->pread(1'000'000, buffer)), 0u);
    EXPECT_EQ(must(file->size()), 10u);
  });
}

TEST_P(DiskContract, WritesBeyondTheEndLeaveZeros) {
  run([](Os& os) {
    auto file = must(os.disk.open("f", os::kReplace));
    must(os::pwrite_all(*file, 5, "end"));
    EXPECT_EQ(must(file->size()), 8u);
    EXPECT_EQ(get(os, "f"), std::string(5, '\0') + "end");
    must(os::pwrite_all(*file, 1, "ab"));
    EXPECT_EQ(get(os, "f"), std::string("\0ab\0\0end", 8));
    EXPECT_EQ(must(file->pwrite(100, "")), 0u);
    EXPECT_EQ(must(file->size()), 8u);
  });
}

TEST_P(DiskContract, AppendWritesAtTheEndAsItIsThen) {
  run([](Os& os) {
    auto one = must(os.disk.open("f", os::kReplace));
    auto two = must(os.disk.open("f", os::kReadWrite));
    must(os::append_all(*one, "a"));
    must(os::append_all(*two, "b"));
    must(os::append_all(*one, "c"));
    must(os::pwrite_all(*two, 0, "A"));
    must(os::append_all(*two, "d"));
    EXPECT_EQ(get(os, "f"), "Abcd");
  });
}

TEST_P(DiskContract, TruncateCutsAndGrows) {
  run([](Os& os) {
    put(os, "f", "0123456789");
    auto file = must(os.disk.open("f", os::kReadWrite));
    must(file->truncate(4));
    EXPECT_EQ(get(os, "f"), "0123");
    must(file->truncate(6));
    EXPECT_EQ(get(os, "f"), std::string("0123\0\0", 6));
    must(os::append_all(*file, "x"));
    EXPECT_EQ(get(os, "f"), std::string("0123\0\0x", 7));
  });
}

TEST_P(DiskContract, AFileOpenedForReadingTakesNoWrites) {
  run([](Os& os) {
    put(os, "f", "fixed");
    auto file = must(os.disk.open("f", os::kReadOnly));
    EXPECT_FAILS(file->pwrite(0, "x"), kReadOnly);
    EXPECT_FAILS(file->append("x"), kReadOnly);
    EXPECT_FAILS(file->truncate(0), kReadOnly);
    EXPECT_FAILS(file->sync_data(), kReadOnly);
    EXPECT_EQ(get(os, "f"), "fixed");
  });
}

TEST_P(DiskContract, LargeFilesComeBackAsWritten) {
  run([](Os& os) {
    const std::string bytes = pattern(300'001);
    put(os, "f", bytes);
    EXPECT_TRUE(get(os, "f") == bytes);
    EXPECT_FAILS(os::read_file(os.disk, "f", 300'000), kExhausted);
  });
}

TEST_P(DiskContract, FibersShareTheDisk) {
  run([](Os& os) {
    auto file = must(os.disk.open("f", os::kReplace));
    os::FiberGroup group(os.fibers);
    for (int i = 0; i < 10; ++i) {
      group.spawn("writer", [&] {
        for (int j = 0; j < 10; ++j) must(os::append_all(*file, "0123456789"));
      });
    }
    EXPECT_OK(group.join(in(os, 30s)));
    std::string expected;
    for (int i = 0; i < 100; ++i) expected += "0123456789";
    EXPECT_EQ(get(os, "f"), expected);
  });
}

TEST_P(DiskContract, CallsKeepNobodyElseWaiting) {
  run([](Os& os) {
    auto file = must(os.disk.open("f", os::kReplace));
    bool done = false;
    int turns = 0;
    os::FiberGroup group(os.fibers);
    group.spawn("writer", [&] {
      for (int i = 0; i < 5; ++i) {
        must(os::append_all(*file, std::string(10'000, 'x')));
        must(file->sync_data());
      }
      done = true;
    });
    while (!done) {
      must(os.clock.sleep_for(10us));
      ++turns;
    }
    EXPECT_GT(turns, 1);
  });
}

TEST_P(DiskContract, ACancelledFiberStillFinishesItsFiles) {
  run([](Os& os) {
    os::Fiber fiber = os.fibers.spawn("last words", [&] {
      EXPECT_FAILS(os.clock.sleep_for(1h), kCancelled);
      put(os, "f", "kept");
      auto file = must(os.disk.open("f", os::kReadWrite));
      EXPECT_OK(file->sync_data());
    });
    must(os.clock.sleep_for(1ms));
    fiber.cancel();
    EXPECT_OK(fiber.join(in(os, 30s)));
    EXPECT_EQ(get(os, "f"), "kept");
  });
}

TEST_P(DiskContract, CancelDoesNotCutACallUnderWay) {
  run([](Os& os) {
    auto file = must(os.disk.open("f", os::kReplace));
    std::string appended;
    os::Fiber fiber = os.fibers.spawn(
        "writer", [&] { appended = outcome(os::append_all(*file, std::string(100'000, 'x'))); });
    must(os.fibers.yield());
    fiber.cancel();
    EXPECT_OK(fiber.join(in(os, 30s)));
    EXPECT_EQ(appended, "ok");
    EXPECT_EQ(must(file->size()), 100'000u);
  });
}

// ---- Names

TEST_P(DiskContract, RenameReplacesItsTarget) {
  run([](Os& os) {
    put(os, "old", "old bytes");
    put(os, "new", "new bytes");
    auto opened_before = must(os.disk.open("old", os::kReadOnly));
    EXPECT_OK(os.disk.rename("new", "old"));
    EXPECT_EQ(get(os, "old"), "new bytes");
    EXPECT_EQ(must(os::exists(os.disk, "new")), false);
    // Who had the replaced file open keeps it.
    char buffer[16];
    EXPECT_EQ(std::string_view(buffer, must(opened_before->pread(0, buffer))), "old bytes");
    EXPECT_FAILS(os.disk.rename("new", "old"), kNotFound);
  });
}

TEST_P(DiskContract, RenameMovesBetweenDirectories) {
  run([](Os& os) {
    must(os.disk.make_directory("a"));
    must(os.disk.make_directory("b"));
    put(os, "a/f", "bytes");
    EXPECT_OK(os.disk.rename("a/f", "b/g"));
    EXPECT_EQ(get(os, "b/g"), "bytes");
    EXPECT_EQ(must(os.disk.list("a")).size(), 0u);
    EXPECT_FAILS(os.disk.rename("b/g", "c/g"), kNotFound);
  });
}

TEST_P(DiskContract, UnlinkTakesTheNameAndLeavesTheOpenFile) {
  run([](Os& os) {
    put(os, "f", "bytes");
    auto file = must(os.disk.open("f", os::kReadWrite));
    EXPECT_OK(os.disk.unlink("f"));
    EXPECT_EQ(must(os::exists(os.disk, "f")), false);
    EXPECT_FAILS(os.disk.unlink("f"), kNotFound);
    must(os::append_all(*file, " more"));
    char buffer[32];
    EXPECT_EQ(std::string_view(buffer, must(file->pread(0, buffer))), "bytes more");
    // A new file of that name is another file.
    put(os, "f", "new");
    EXPECT_EQ(must(file->size()), 10u);
  });
}

TEST_P(DiskContract, DirectoriesAndTheirErrors) {
  run([](Os& os) {
    EXPECT_OK(os.disk.make_directory("d"));
    EXPECT_FAILS(os.disk.make_directory("d"), kExists);
    EXPECT_FAILS(os.disk.make_directory("x/y"), kNotFound);
    put(os, "d/f", "bytes");
    EXPECT_EQ(must(os::exists(os.disk, "d")), true);
    EXPECT_FAILS(os.disk.open("d", os::kReadOnly), kIsDirectory);
    EXPECT_FAILS(os.disk.open("d", os::kReadWrite), kIsDirectory);
    EXPECT_FAILS(os.disk.unlink("d"), kIsDirectory);
    EXPECT_FAILS(os.disk.remove_directory("d"), kNotEmpty);
    EXPECT_FAILS(os.disk.remove_directory("d/f"), kNotDirectory);
    EXPECT_FAILS(os.disk.remove_directory("x"), kNotFound);
    EXPECT_FAILS(os.disk.list("x"), kNotFound);
    EXPECT_FAILS(os.disk.list("d/f"), kNotDirectory);
    EXPECT_FAILS(os.disk.sync_directory("x"), kNotFound);
    EXPECT_OK(os.disk.unlink("d/f"));
    EXPECT_OK(os.disk.remove_directory("d"));
    EXPECT_FAILS(os.disk.list("d"), kNotFound);
  });
}

TEST_P(DiskContract, ListIsSortedByName) {
  run([](Os& os) {
    must(os.disk.make_directory("d"));
    for (const char* name : {"d/b", "d/10", "d/a", "d/B", "d/2"}) put(os, name, "");
    must(os.disk.make_directory("d/c"));
    const std::vector<os::DirectoryEntry> expected = {
        {"10", EntryKind::kFile}, {"2", EntryKind::kFile}, {"B", EntryKind::kFile},
        {"a", EntryKind::kFile},  {"b", EntryKind::kFile}, {"c", EntryKind::kDirectory}};
    EXPECT_TRUE(must(os.disk.list("d")) == expected);
    EXPECT_TRUE(must(os.disk.list("d/")) == expected);
    EXPECT_EQ(must(os.disk.list(".")).size(), 1u);
  });
}

// ---- Durability

TEST_P(DiskContract, SyncsSucceed) {
  run([](Os& os) {
    auto file = must(os.disk.open("f", os::kReplace));
    EXPECT_OK(file->sync_data());
    must(os::append_all(*file, "bytes"));
    EXPECT_OK(file->sync_data());
    EXPECT_OK(os.disk.sync_directory("."));
    must(os.disk.make_directory("d"));
    EXPECT_OK(os.disk.sync_directory("d"));
  });
}

TEST_P(DiskContract, TheDiskOutlivesTheProcess) {
  run_lives({[](Os& os) { put(os, "f", "never synced"); },
             [](Os& os) { EXPECT_EQ(get(os, "f"), "never synced"); }});
}

TEST_P(DiskContract, WhatWasSyncedSurvivesPowerLoss) {
  const std::string bytes = pattern(5000);
  const auto before = [&](Os& os) {
    auto file = must(os.disk.open("f", os::kReplace));
    must(os::append_all(*file, bytes));
    must(file->sync_data());
    must(os.disk.sync_directory("."));
  };
  const auto after = [&](Os& os) { EXPECT_TRUE(get(os, "f") == bytes); };
  run_lives({before, after}, Between::kPowerLoss);
}

TEST_P(DiskContract, UnsyncedBytesAndNamesMayGoWithThePower) {
  constexpr int kFiles = 40;
  const auto before = [&](Os& os) {
    for (int i = 0; i < kFiles; ++i) {
      auto file = must(os.disk.open(fmt::format("synced{}", i), os::kReplace));
      must(os::append_all(*file, std::string(512, 'a')));
      must(file->sync_data());
    }
    must(os.disk.sync_directory("."));
    for (int i = 0; i < kFiles; ++i) {
      auto file = must(os.disk.open(fmt::format("synced{}", i), os::kReadWrite));
      must(os::append_all(*file, std::string(512, 'b')));
      // Its bytes are durable, its name is not.
      auto nameless = must(os.disk.open(fmt::format("unsynced{}", i), os::kReplace));
      must(os::append_all(*nameless, "x"));
      must(nameless->sync_data());
    }
  };
  const auto after = [&](Os& os) {
    int tails_lost = 0;
    int names_lost = 0;
    for (int i = 0; i < kFiles; ++i) {
      const std::string bytes = get(os, fmt::format("synced{}", i));
      ASSERT_GE(bytes.size(), 512u);
      EXPECT_EQ(bytes.substr(0, 512), std::string(512, 'a')) << "what was synced is there";
      tails_lost += bytes != std::string(512, 'a') + std::string(512, 'b');
      names_lost += !must(os::exists(os.disk, fmt::format("unsynced{}", i)));
    }
    EXPECT_GT(tails_lost, 0);
    EXPECT_GT(names_lost, 0);
    EXPECT_LT(names_lost, kFiles);
  };
  run_lives({before, after}, Between::kPowerLoss);
}

TEST_P(DiskContract, ARenameIsOneOrTheOtherAfterPowerLoss) {
  int kept = 0;
  const auto rename = [](Os& os) {
    put(os, "f", "old");
    must(must(os.disk.open("f", os::kReadWrite))->sync_data());
    must(os.disk.sync_directory("."));
    put(os, "f.tmp", "new");
    must(must(os.disk.open("f.tmp", os::kReadWrite))->sync_data());
    must(os.disk.rename("f.tmp", "f"));
  };
  const auto look = [&](Os& os) {
    const std::string bytes = get(os, "f");
    EXPECT_TRUE(bytes == "old" || bytes == "new") << bytes;
    kept += bytes == "new" ? 1 : 0;
  };
  std::vector<Body> lives;
  for (int i = 0; i < 20; ++i) {
    lives.push_back(rename);
    lives.push_back(look);
  }
  run_lives(lives, Between::kPowerLoss);
  if (IsSkipped()) return;
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, 20);
}

}  // namespace
}  // namespace seatrial::contract
