#include "broker/log/recovery.h"
#include "broker/log/checkpoint.h"
#include "tests/broker/log/lives.h"

#include <map>
#include <set>

namespace seatrial::broker {
namespace {

using Files = std::map<std::string, std::string>;

Files files_of(os::Os& os) {
  Files files;
  for (const auto& entry : must(os.disk.list(kDirectory))) {
    files[entry.name] =
        must(os::read_file(os.disk, fmt::format("{}/{}", kDirectory, entry.name), 1 << 20));
  }
  return files;
}

void restore(os::Os& os, const Files& files) {
  if (const auto entries = os.disk.list(kDirectory)) {
    for (const auto& entry : *entries) {
      must(os.disk.unlink(fmt::format("{}/{}", kDirectory, entry.name)));
    }
  } else {
    must(os.disk.make_directory(kDirectory));
  }
  for (const auto& [name, bytes] : files) {
    auto file = must(os.disk.open(fmt::format("{}/{}", kDirectory, name), os::kReplace));
    must(os::pwrite_all(*file, 0, bytes));
  }
}

const LogOptions kSmall{.segment_bytes = 450, .index_interval_bytes = 100, .tail_bytes = 0};

// Three segments of three batches each, in an orderly end.
Files three_segments(os::Os& os) {
  auto log = open_log(os, kSmall);
  for (int i = 0; i < 9; ++i) {
    must(append(*log,
                batch_of({std::string(50, static_cast<char>('a' + i)), "second"}, 1000 + 10 * i)));
  }
  must(log->close());
  Files files = files_of(os);
  EXPECT_EQ(files.size(), 10U);
  return files;
}

// The same when the process was killed before anything but the logs was written.
Files only_logs(Files files) {
  std::erase_if(files, [](const auto& file) { return !file.first.ends_with(kLogSuffix); });
  return files;
}

// ---- The last segment

TEST(Recovery, ATornTailIsCutAtEveryByte) {
  Lives lives;
  lives.run([&](os::Os& os) {
    const Files files = only_logs(three_segments(os));
    const auto& [last_name, last] = *files.rbegin();
    const size_t batch_bytes = last.size() / 3;
    for (size_t cut = 0; cut <= last.size(); ++cut) {
      Files torn = files;
      torn[last_name].resize(cut);
      restore(os, torn);
      auto log = open_log(os, kSmall);
      const auto whole = static_cast<int64_t>(cut / batch_bytes);
      ASSERT_EQ(log->high_watermark(), 12 + 2 * whole) << cut;
      ASSERT_EQ(log->end_offset(), log->high_watermark());
      ASSERT_EQ(read_all(*log), files.begin()->second + std::next(files.begin())->second +
                                    last.substr(0, static_cast<size_t>(whole) * batch_bytes));
      // It goes on where it was cut.
      EXPECT_EQ(must(append(*log, batch_of({"next"}))).base_offset, 12 + 2 * whole);
    }
  });
  EXPECT_NE(lives.logged.find("warn: logs/topic-0/00000000000000000012.log: torn tail at byte 0: "
                              "the file ends within the header of a batch; 1 bytes"),
            std::string::npos)
      << lives.logged.substr(0, 1000);
}

TEST(Recovery, AnythingButABatchEndsTheLog) {
  Lives().run([&](os::Os& os) {
    const Files files = only_logs(three_segments(os));
    const auto& [last_name, last] = *files.rbegin();
    std::string old_batch = last.substr(0, last.size() / 3);
    std::string huge = old_batch;
    huge[8] = 0x7f;  // The length.
    std::string overflowing = old_batch;
    set_base_offset(overflowing, INT64_MAX);
    for (const std::string& tail :
         {std::string(5000, '\0'), std::string(70, '\xff'), old_batch, huge, overflowing}) {
      Files torn = files;
      torn[last_name] += tail;
      restore(os, torn);
      auto log = open_log(os, kSmall);
      EXPECT_EQ(log->high_watermark(), 18);
      log = nullptr;
      EXPECT_EQ(files_of(os)[last_name], last);
    }
  });
}

// What the checkpoint does not cover may be a torn write; what it covers may not.
TEST(Recovery, EveryFlippedBitIsCutOrRefused) {
  Lives lives;
  lives.run([&](os::Os& os) {
    const Files clean = three_segments(os);
    for (const bool flushed : {false, true}) {
      const Files files = flushed ? clean : only_logs(clean);
      for (const auto& [name, bytes] : files) {
        if (!name.ends_with(kLogSuffix)) continue;
        const bool last = name == only_logs(clean).rbegin()->first;
        for (size_t at = 0; at < bytes.size(); ++at) {
          Files damaged = files;
          damaged[name][at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
          restore(os, damaged);
          auto log = PartitionLog::open(os, std::string(kDirectory), kSmall);
          const size_t batch = at / (bytes.size() / 3);
          if (last && !flushed) {
            ASSERT_EQ(outcome(log), "ok") << name << " " << at;
            ASSERT_EQ((*log)->high_watermark(), 12 + 2 * static_cast<int64_t>(batch)) << at;
            continue;
          }
          ASSERT_EQ(outcome(log), to_string(base::Errc::kInvalidData)) << name << " " << at;
          const std::string place =
              fmt::format("{}: damaged at byte {}: ", name, batch * (bytes.size() / 3));
          ASSERT_NE(log.error().message().find(place), std::string::npos)
              << log.error().message() << " at " << at;
          ASSERT_EQ(files_of(os), damaged);
        }
      }
    }
  });
}

TEST(Recovery, MissingFlushedBytesAreRefused) {
  Lives().run([&](os::Os& os) {
    const Files files = three_segments(os);
    for (const auto& [name, bytes] : files) {
      if (!name.ends_with(kLogSuffix)) continue;
      for (const size_t size : {size_t{0}, size_t{1}, bytes.size() / 3, bytes.size() - 1}) {
        Files damaged = files;
        damaged[name].resize(size);
        restore(os, damaged);
        auto log = PartitionLog::open(os, std::string(kDirectory), kSmall);
        ASSERT_EQ(outcome(log), to_string(base::Errc::kInvalidData)) << name << " " << size;
        EXPECT_EQ(files_of(os), damaged);
      }
      Files damaged = files;
      damaged.erase(name);
      restore(os, damaged);
      auto log = PartitionLog::open(os, std::string(kDirectory), kSmall);
      ASSERT_EQ(outcome(log), to_string(base::Errc::kInvalidData)) << name;
      EXPECT_NE(log.error().message().find(name + ": damaged at byte 0: the file is missing"),
                std::string::npos)
          << log.error().message();
    }
  });
}

// A complete segment is on record only when the next one has begun, which may hold flushed bytes.
TEST(Recovery, AMissingSegmentBehindACompleteOneIsRefused) {
  Lives().run([&](os::Os& os) {
    Files files = three_segments(os);
    Checkpoint checkpoint = must(parse_checkpoint(files["checkpoint"], "checkpoint"));
    ASSERT_EQ(checkpoint.sealed.size(), 2U);
    checkpoint.flushed_offset = 12;
    checkpoint.segment = 6;
    checkpoint.position = checkpoint.sealed[1].bytes;
    files["checkpoint"] = format_checkpoint(checkpoint);
    files.erase("00000000000000000012.log");
    restore(os, files);
    const auto log = PartitionLog::open(os, std::string(kDirectory), kSmall);
    ASSERT_EQ(outcome(log), to_string(base::Errc::kInvalidData));
    EXPECT_NE(log.error().message().find("00000000000000000012.log: damaged at byte 0: the file is "
                                         "missing"),
              std::string::npos)
        << log.error().message();
  });
}

TEST(Recovery, AGapBetweenSegmentsIsRefused) {
  Lives().run([&](os::Os& os) {
    Files files = only_logs(three_segments(os));
    files.erase(std::next(files.begin()));
    restore(os, files);
    auto log = PartitionLog::open(os, std::string(kDirectory), kSmall);
    ASSERT_EQ(outcome(log), to_string(base::Errc::kInvalidData));
    EXPECT_NE(log.error().message().find("it ends at offset 6, and the next segment begins at 12"),
              std::string::npos)
        << log.error().message();
    EXPECT_EQ(files_of(os), files);
  });
}

TEST(Recovery, ADamagedCheckpointIsRefused) {
  Lives().run([&](os::Os& os) {
    const Files files = three_segments(os);
    for (size_t at = 0; at < files.at("checkpoint").size(); ++at) {
      Files damaged = files;
      damaged["checkpoint"][at] ^= 1;
      restore(os, damaged);
      ASSERT_EQ(outcome(PartitionLog::open(os, std::string(kDirectory), kSmall)),
                to_string(base::Errc::kInvalidData))
          << at;
      damaged["checkpoint"] = files.at("checkpoint").substr(0, at);
      restore(os, damaged);
      ASSERT_EQ(outcome(PartitionLog::open(os, std::string(kDirectory), kSmall)),
                to_string(base::Errc::kInvalidData))
          << at;
    }
  });
}

TEST(Recovery, OtherFilesAreLeftAlone) {
  Lives().run([&](os::Os& os) {
    Files files = three_segments(os);
    files["00000000000000000099.log.bak"] = "x";
    files["leader-epoch-checkpoint"] = "0\n0\n";
    files["99.log"] = "x";
    restore(os, files);
    EXPECT_EQ(open_log(os, kSmall)->high_watermark(), 18);
    const Files after = files_of(os);
    for (const char* name : {"00000000000000000099.log.bak", "leader-epoch-checkpoint", "99.log"}) {
      EXPECT_EQ(after.at(name), files.at(name));
    }
  });
}

// ---- Indexes

std::string all_answers(PartitionLog& log) {
  std::string answers;
  for (int64_t offset = 0; offset < log.high_watermark(); ++offset) {
    answers += values_in(must(log.read(offset, 1)).batches) + "\n";
  }
  for (int64_t time = 990; time < 1100; ++time) {
    const auto found = must(log.offset_for_time(time));
    answers += fmt::format("{} ", found ? found->offset : -1);
  }
  return answers;
}

// At start, where all is read through, and later, where nothing is.
TEST(Recovery, ADamagedIndexIsMadeAnew) {
  Lives lives;
  lives.run([&](os::Os& os) {
    const Files files = three_segments(os);
    restore(os, files);
    const std::string expected = all_answers(*open_log(os, kSmall));
    int damaged_files = 0;
    for (const uint64_t verify_bytes : {0, 1 << 20}) {
      LogOptions options = kSmall;
      options.verify_bytes = verify_bytes;
      for (const auto& [name, bytes] : files) {
        if (!name.ends_with(kIndexSuffix) && !name.ends_with(kTimeIndexSuffix)) continue;
        const size_t entry = name.ends_with(kIndexSuffix) ? 8 : 12;
        ASSERT_EQ(bytes.size(), 2 * entry);
        ++damaged_files;
        std::vector<std::optional<std::string>> damages = {
            std::nullopt,
            "",
            bytes.substr(0, bytes.size() - 1),
            bytes.substr(0, bytes.size() - entry),
            std::string(bytes.size(), '\0'),
            std::string(bytes.size(), '\x7f'),
            bytes.substr(entry) + bytes.substr(0, entry),
            bytes + std::string("\0\0\0\x20\0\0\x70\0", 8)};
        for (size_t at = 0; at < bytes.size(); ++at) {
          damages.emplace_back(bytes)->at(at) ^= 1 << (at % 7);
        }
        for (const auto& damage : damages) {
          Files damaged = files;
          if (damage) {
            damaged[name] = *damage;
          } else {
            damaged.erase(name);
          }
          restore(os, damaged);
          ASSERT_EQ(all_answers(*open_log(os, options)), expected)
              << name << " " << damage.value_or("missing");
        }
      }
    }
    EXPECT_EQ(damaged_files, 12);
  });
  EXPECT_NE(lives.logged.find("are made anew"), std::string::npos);
}

TEST(Recovery, IndexesMadeAnewAreKept) {
  Lives().run([&](os::Os& os) {
    const Files files = three_segments(os);
    restore(os, only_logs(files));
    auto log = open_log(os, kSmall);
    must(os.clock.sleep_for(1s));
    Files after = files_of(os);
    for (const auto& [name, bytes] : files) {
      // The last segment's are written at an orderly end.
      if (name.starts_with("00000000000000000012.") && !name.ends_with(kLogSuffix)) continue;
      EXPECT_EQ(after[name] == bytes, true) << name;
    }
  });
}

TEST(Recovery, DamageThatAStartDidNotLookForIsFoundByReaders) {
  Lives().run([&](os::Os& os) {
    const Files files = three_segments(os);
    LogOptions options = kSmall;
    options.verify_bytes = 0;
    const std::string name = "00000000000000000000.log";
    for (size_t at = 0; at < files.at(name).size(); ++at) {
      Files damaged = files;
      damaged[name][at] ^= 1 << (at % 8);
      restore(os, damaged);
      auto log = open_log(os, options);
      const size_t batch_bytes = files.at(name).size() / 3;
      for (size_t batch = 0; batch < 3; ++batch) {
        const auto slice = log->read(2 * static_cast<int64_t>(batch), 1);
        if (batch == at / batch_bytes) {
          ASSERT_EQ(outcome(slice), to_string(base::Errc::kInvalidData)) << at;
          ASSERT_NE(slice.error().message().find(name), std::string::npos);
        } else if (slice) {
          ASSERT_EQ(slice->batches, files.at(name).substr(batch * batch_bytes, batch_bytes)) << at;
        }
      }
    }
  });
}

// A bit flips on its way from the disk as the last segment is read.
TEST(Recovery, ABitThatFlippedOnItsWayCutsNothing) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Lives lives{.seed = seed};
    lives.run([&](os::Os& os) {
      Files files;
      {
        auto log = open_log(os);
        for (int i = 0; i < 3; ++i) must(append(*log, batch_of({std::string(50, 'x')})));
        must(log->close());
        files = only_logs(files_of(os));
      }
      restore(os, files);
      lives.node->disk_trouble.flipped_reads_due = 1;
      EXPECT_EQ(open_log(os)->high_watermark(), 3) << seed;
      EXPECT_EQ(lives.node->disk_trouble.flipped_reads_due, 0U);
      EXPECT_EQ(only_logs(files_of(os)), files) << seed;
    });
    EXPECT_EQ(lives.logged.find("torn tail"), std::string::npos) << seed;
  }
}

// ---- What may stand only in the page cache

// Every batch that a life shows is there after a power loss, whatever became of the sync that
// the life before it died in.
TEST(Recovery, WhatIsKeptIsMadeDurableBeforeItIsSeen) {
  int kept = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Lives lives{.seed = seed};
    lives.weather.disk.sector_kept = 0;
    lives.weather.disk.sector_torn = 0;
    std::string seen;
    lives.run({{.body =
                    [&](os::Os& os) {
                      auto log = open_log(os);
                      must(append(*log, batch_of({"a"})));
                      must(log->await_flushed(1));
                      must(os.clock.sleep_for(100ms));  // The checkpoint is written.
                      lives.node->sync_errors_due = 1;
                      must(append(*log, batch_of({std::string(2000, 'b')})));
                      must(append(*log, batch_of({"c"})));
                      EXPECT_EQ(outcome(log->await_flushed(3)), to_string(base::Errc::kIo));
                    }},
               {.body =
                    [&](os::Os& os) {
                      auto log = open_log(os);
                      seen = read_all(*log);
                      kept += log->high_watermark() == 3;
                    },
                .power_loss = true},
               {.body = [&](os::Os& os) { EXPECT_EQ(read_all(*open_log(os)), seen) << seed; }}});
  }
  EXPECT_GT(kept, 30);
}

TEST(Recovery, ASecondCrashInRecoveryLosesNothing) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Lives lives{.seed = seed};
    int64_t flushed = 0;
    std::vector<Lives::Life> all{{.body =
                                      [&](os::Os& os) {
                                        auto log = open_log(os, kSmall);
                                        for (int i = 0;; ++i) {
                                          const auto batch = batch_of({std::string(50, 'x')});
                                          must(append(*log, batch));
                                          if (i % 3 != 0) continue;
                                          must(log->await_flushed(log->end_offset()));
                                          flushed = log->end_offset();
                                        }
                                      },
                                  .time_max = 20ms,
                                  .power_loss = seed % 2 == 0}};
    // Each of these is ended a little later in its recovery.
    for (int i = 1; i <= 12; ++i) {
      all.push_back({.body = [&](os::Os& os) { open_log(os, kSmall); },
                     .time_max = i * 200us,
                     .power_loss = true});
    }
    all.push_back({.body = [&](os::Os& os) {
      auto log = open_log(os, kSmall);
      EXPECT_GE(log->high_watermark(), flushed) << seed;
      EXPECT_EQ(read_all(*log).size() / batch_of({std::string(50, 'x')}).size(),
                static_cast<size_t>(log->high_watermark()));
    }});
    lives.run(all);
  }
}

}  // namespace
}  // namespace seatrial::broker
