#include "broker/log/partition_log.h"
#include "tests/broker/log/lives.h"

namespace seatrial::broker {
namespace {

int64_t append_flushed(PartitionLog& log, const std::string& batch) {
  const Appended appended = must(append(log, batch));
  must(log.await_flushed(appended.end_offset));
  return appended.base_offset;
}

TEST(PartitionLog, GivesBackWhatWasAppendedWithItsOffsets) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os);
    EXPECT_EQ(append_flushed(*log, batch_of({"a", "b"})), 0);
    EXPECT_EQ(append_flushed(*log, batch_of({"c"})), 2);
    EXPECT_EQ(log->end_offset(), 3);
    EXPECT_EQ(log->high_watermark(), 3);
    const Slice slice = must(log->read(0, 1000));
    EXPECT_EQ(slice.batches, as_stored(batch_of({"a", "b"}), 0) + as_stored(batch_of({"c"}), 2));
    EXPECT_EQ(slice.next_offset, 3);
    EXPECT_EQ(slice.start_offset, 0);
    EXPECT_EQ(slice.high_watermark, 3);
  });
}

TEST(PartitionLog, AnOffsetWithinABatchGetsTheWholeBatch) {
  for (const size_t tail_bytes : {0, 1 << 20}) {
    Lives().run([&](os::Os& os) {
      auto log = open_log(os, {.tail_bytes = tail_bytes});
      append_flushed(*log, batch_of({"a", "b", "c"}));
      append_flushed(*log, batch_of({"d"}));
      EXPECT_EQ(values_in(must(log->read(2, 1)).batches), "0:a 1:b 2:c");
      EXPECT_EQ(values_in(must(log->read(2, 1000)).batches), "0:a 1:b 2:c 3:d");
      EXPECT_EQ(values_in(must(log->read(3, 1)).batches), "3:d");
    });
  }
}

TEST(PartitionLog, TheFirstBatchComesWholeOnlyWhereItIsAskedFor) {
  for (const size_t tail_bytes : {0, 1 << 20}) {
    Lives().run([&](os::Os& os) {
      auto log = open_log(os, {.tail_bytes = tail_bytes});
      const std::string batch = batch_of({std::string(500, 'x')});
      append_flushed(*log, batch);
      append_flushed(*log, batch);
      EXPECT_EQ(must(log->read(0, 10)).batches.size(), batch.size());
      EXPECT_EQ(must(log->read(0, batch.size() + 70)).batches.size(), batch.size());
      EXPECT_EQ(must(log->read(0, 2 * batch.size())).batches.size(), 2 * batch.size());
      const Slice nothing = must(log->read(0, 10, false));
      EXPECT_EQ(nothing.batches, "");
      EXPECT_EQ(nothing.next_offset, 0);
      EXPECT_EQ(must(log->read(0, batch.size(), false)).batches.size(), batch.size());
    });
  }
}

TEST(PartitionLog, OffsetsOutsideAreRefused) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os);
    EXPECT_EQ(must(log->read(0, 100)).batches, "");
    append_flushed(*log, batch_of({"a"}));
    EXPECT_EQ(outcome(log->read(-1, 100)), to_string(base::Errc::kNotFound));
    EXPECT_EQ(outcome(log->read(2, 100)), to_string(base::Errc::kNotFound));
    EXPECT_EQ(must(log->read(1, 100)).batches, "");
  });
}

TEST(PartitionLog, NothingIsVisibleBeforeItsFlush) {
  Lives lives;
  lives.weather.disk.sync_min = lives.weather.disk.sync_max = 10ms;
  lives.run([](os::Os& os) {
    auto log = open_log(os);
    must(append(*log, batch_of({"a"})));
    EXPECT_EQ(log->end_offset(), 1);
    must(log->await_written(1));
    EXPECT_EQ(log->written_offset(), 1);
    // In the page cache, and the sync has begun.
    must(os.clock.sleep_for(5ms));
    EXPECT_EQ(log->high_watermark(), 0);
    EXPECT_EQ(must(log->read(0, 100)).batches, "");
    EXPECT_EQ(must(log->offset_for_time(0)), std::nullopt);
    must(os.clock.sleep_for(6ms));
    EXPECT_EQ(values_in(must(log->read(0, 100)).batches), "0:a");
  });
}

TEST(PartitionLog, WhatIsWrittenWhileASyncRunsWaitsForTheNext) {
  Lives lives;
  lives.weather.disk.sync_min = lives.weather.disk.sync_max = 10ms;
  lives.run([](os::Os& os) {
    auto log = open_log(os);
    must(append(*log, batch_of({"a"})));
    must(log->await_written(1));
    must(os.clock.sleep_for(5ms));
    must(append(*log, batch_of({"b"})));
    must(log->await_written(2));
    must(os.clock.sleep_for(6ms));
    EXPECT_EQ(log->high_watermark(), 1);
    must(os.clock.sleep_for(10ms));
    EXPECT_EQ(log->high_watermark(), 2);
  });
}

TEST(PartitionLog, OneSyncServesAllThatWereWrittenBefore) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os);
    os::FiberGroup group(os.fibers);
    const os::MonotonicTime begun = os.clock.monotonic();
    for (int i = 0; i < 200; ++i) {
      group.spawn("producer", [&] { append_flushed(*log, batch_of({"x"})); });
    }
    EXPECT_EQ(outcome(group.join()), "ok");
    // Each by itself would take 200 syncs of 100 us at least.
    EXPECT_LT(os.clock.monotonic() - begun, 10ms);
    EXPECT_EQ(log->high_watermark(), 200);
  });
}

TEST(PartitionLog, FlushesByCount) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os, {.flush_interval_messages = 5, .flush_interval = 1h});
    must(append(*log, batch_of({"a", "b"})));
    must(append(*log, batch_of({"c", "d"})));
    must(os.clock.sleep_for(1s));
    EXPECT_EQ(log->written_offset(), 4);
    EXPECT_EQ(log->high_watermark(), 0);
    must(append(*log, batch_of({"e"})));
    must(os.clock.sleep_for(10ms));
    EXPECT_EQ(log->high_watermark(), 5);
  });
}

TEST(PartitionLog, FlushesByTimeSinceTheOldestAppend) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os, {.flush_interval_messages = 1000, .flush_interval = 100ms});
    must(os.clock.sleep_for(1s));
    for (int round = 0; round < 3; ++round) {
      const int64_t before = log->high_watermark();
      must(append(*log, batch_of({"a"})));
      must(os.clock.sleep_for(60ms));
      must(append(*log, batch_of({"b"})));
      must(os.clock.sleep_for(35ms));
      EXPECT_EQ(log->high_watermark(), before);
      must(os.clock.sleep_for(15ms));
      EXPECT_EQ(log->high_watermark(), before + 2);
    }
  });
}

TEST(PartitionLog, FlushesAtOnceWhereSomebodyWaits) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os, {.flush_interval_messages = 1000, .flush_interval = 1h});
    const os::MonotonicTime begun = os.clock.monotonic();
    append_flushed(*log, batch_of({"a"}));
    EXPECT_LT(os.clock.monotonic() - begun, 10ms);
    must(append(*log, batch_of({"b"})));
    EXPECT_EQ(outcome(log->await_flushed(3, os.clock.monotonic() + 1s)),
              to_string(base::Errc::kDeadline));
  });
}

TEST(PartitionLog, TheLogAppendTimeIsTheBrokers) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os, {.log_append_time = true});
    const Appended appended = must(append(*log, batch_of({"a"}, 7)));
    EXPECT_GT(appended.log_append_time, 1'000'000);
    must(log->await_flushed(1));
    const Slice slice = must(log->read(0, 100));
    const BatchHeader header = read_batch_header(slice.batches);
    EXPECT_TRUE(header.log_append_time());
    EXPECT_EQ(header.max_timestamp, appended.log_append_time);
    EXPECT_TRUE(batch_crc_matches(slice.batches, header));
    EXPECT_EQ(must(log->offset_for_time(8)), (TimeOffset{appended.log_append_time, 0}));
  });
}

TEST(PartitionLog, AWrongGreatestTimestampIsPutRight) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os);
    std::string batch = batch_of({"a", "b"}, 500);
    set_max_timestamp(batch, 9'999);
    append_flushed(*log, batch);
    const Slice slice = must(log->read(0, 1000));
    EXPECT_EQ(slice.batches, as_stored(batch_of({"a", "b"}, 500), 0));
    EXPECT_EQ(must(log->offset_for_time(502)), std::nullopt);
    EXPECT_EQ(must(log->offset_for_time(501)), (TimeOffset{501, 1}));
  });
}

TEST(PartitionLog, SegmentsRollBySize) {
  Lives().run([](os::Os& os) {
    const std::string batch = batch_of({std::string(300, 'x')});
    auto log = open_log(os, {.segment_bytes = 1000, .tail_bytes = 0});
    std::string all;
    for (int i = 0; i < 8; ++i) all += as_stored(batch, append_flushed(*log, batch));
    EXPECT_EQ(read_all(*log), all);
    must(log->close());
    const auto entries = must(os.disk.list(kDirectory));
    std::string names;
    for (const auto& entry : entries) names += entry.name + " ";
    EXPECT_EQ(names,
              "00000000000000000000.index 00000000000000000000.log 00000000000000000000.timeindex "
              "00000000000000000002.index 00000000000000000002.log 00000000000000000002.timeindex "
              "00000000000000000004.index 00000000000000000004.log 00000000000000000004.timeindex "
              "00000000000000000006.index 00000000000000000006.log 00000000000000000006.timeindex "
              "checkpoint ");
  });
}

TEST(PartitionLog, ABatchLargerThanASegmentIsRefused) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os, {.segment_bytes = 1000});
    EXPECT_EQ(outcome(append(*log, batch_of({std::string(1000, 'x')}))),
              to_string(base::Errc::kInvalidArgument));
    EXPECT_EQ(append_flushed(*log, batch_of({"small"})), 0);
  });
}

TEST(PartitionLog, AppendsWaitForRoomInTheQueue) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os, {.pending_bytes_max = 1000});
    const std::string batch = batch_of({std::string(600, 'x')});
    must(append(*log, batch));
    const ProducedBatch checked = *ProducedBatch::check(batch, SIZE_MAX);
    EXPECT_EQ(outcome(log->append(checked, os.clock.monotonic())),
              to_string(base::Errc::kDeadline));
    EXPECT_EQ(must(log->append(checked)).base_offset, 1);
    EXPECT_GE(log->written_offset(), 1);
    // Larger than all the room there is: alone.
    EXPECT_EQ(append_flushed(*log, batch_of({std::string(5000, 'y')})), 2);
  });
}

TEST(PartitionLog, WatchesAreToldOfEachMove) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os);
    os::Event event(os.fibers);
    {
      const PartitionLog::Watch watch(*log, event);
      must(append(*log, batch_of({"a"})));
      must(event.wait());
      EXPECT_EQ(log->high_watermark(), 1);
    }
    event.reset();
    append_flushed(*log, batch_of({"b"}));
    EXPECT_FALSE(event.is_set());
  });
}

TEST(PartitionLog, AFailedSyncStopsItForGood) {
  Lives lives;
  lives.run([&](os::Os& os) {
    std::string fatal;
    LogOptions options;
    options.on_fatal = [&](const base::Error& error) { fatal += std::string(error.message()); };
    auto log = open_log(os, options);
    append_flushed(*log, batch_of({"kept"}));
    os::Event event(os.fibers);
    const PartitionLog::Watch watch(*log, event);
    must(append(*log, batch_of({"lost"})));
    must(log->await_written(2));
    must(os.clock.sleep_for(100ms));  // The checkpoint is written.
    lives.node->sync_errors_due = 1;
    must(append(*log, batch_of({"lost too"})));
    EXPECT_EQ(outcome(log->await_flushed(3)), to_string(base::Errc::kIo));
    EXPECT_TRUE(log->failed());
    EXPECT_TRUE(event.is_set());
    EXPECT_NE(fatal.find("sync"), std::string::npos) << fatal;
    EXPECT_EQ(outcome(append(*log, batch_of({"more"}))), to_string(base::Errc::kIo));
    EXPECT_EQ(outcome(log->close()), to_string(base::Errc::kIo));
    EXPECT_LT(log->high_watermark(), 3);
  });
}

TEST(PartitionLog, TimesAreFoundAsByLookingAtEachRecord) {
  Lives().run([](os::Os& os) {
    auto log = open_log(os, {.segment_bytes = 700, .index_interval_bytes = 100});
    // Out of order, repeated, none at all.
    const std::vector<int64_t> times = {50, 40, 40, 60, -1, 60, 10, 90, 90, 80, 100, 95, 100, 3};
    for (const int64_t time : times) append_flushed(*log, batch_of({"v", "w"}, time));
    for (int64_t wanted = -1; wanted <= 103; ++wanted) {
      std::optional<TimeOffset> expected;
      for (size_t i = 0; i < 2 * times.size() && !expected; ++i) {
        const int64_t at = times[i / 2] + static_cast<int64_t>(i % 2);
        if (at >= wanted) expected = TimeOffset{at, static_cast<int64_t>(i)};
      }
      EXPECT_EQ(must(log->offset_for_time(wanted)), expected) << wanted;
    }
  });
}

TEST(PartitionLog, OrderlyEndKeepsEverything) {
  Lives lives;
  const LogOptions lazy{.flush_interval_messages = 1000, .flush_interval = 1h};
  lives.run({{.body =
                  [&](os::Os& os) {
                    auto log = open_log(os, lazy);
                    for (int i = 0; i < 5; ++i) must(append(*log, batch_of({"x"})));
                    must(log->close());
                    EXPECT_EQ(outcome(append(*log, batch_of({"y"}))),
                              to_string(base::Errc::kClosed));
                  },
              .power_loss = true},
             {.body = [&](os::Os& os) { EXPECT_EQ(open_log(os, lazy)->high_watermark(), 5); }}});
}

}  // namespace
}  // namespace seatrial::broker
