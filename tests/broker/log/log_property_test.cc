// A log under everything at once: producers, readers, small segments, slow and failing disks,
// kills and power losses, again and again. Beside it goes a model that knows what was appended and
// what anybody was shown; each answer of the log is held against it.
#include "broker/log/partition_log.h"
#include "tests/broker/log/lives.h"

#include <algorithm>
#include <map>

namespace seatrial::broker {
namespace {

class Model {
 public:
  // The log gave this batch, as it stores it, its place.
  void appended(int64_t base_offset, std::string bytes) {
    const BatchHeader header = read_batch_header(bytes);
    EXPECT_EQ(base_offset, end());
    for (int32_t i = 0; i < header.record_count; ++i) batch_of_.push_back(batches_.size());
    batches_.push_back(std::move(bytes));
  }

  int64_t end() const { return static_cast<int64_t>(batch_of_.size()); }
  // Somebody was shown all below `offset`, or told that it is kept.
  void shown(int64_t offset) { shown_ = std::max(shown_, offset); }

  // A new life begins with all below `offset`.
  void recovered(int64_t offset) {
    EXPECT_GE(offset, shown_) << "what was shown is gone";
    ASSERT_LE(offset, end());
    if (offset < end()) {
      const size_t batch = batch_of_[static_cast<size_t>(offset)];
      EXPECT_TRUE(offset == 0 || batch_of_[static_cast<size_t>(offset) - 1] < batch)
          << "half a batch is there";
      batches_.resize(batch);
      batch_of_.resize(static_cast<size_t>(offset));
    }
    shown(offset);
  }

  // Whole batches from the one that holds `offset` to the one before `next_offset`.
  std::string between(int64_t offset, int64_t next_offset) const {
    std::string bytes;
    if (offset >= next_offset) return bytes;
    const size_t first = batch_of_[static_cast<size_t>(offset)];
    const size_t last = batch_of_[static_cast<size_t>(next_offset) - 1];
    for (size_t i = first; i <= last; ++i) bytes += batches_[i];
    return bytes;
  }

  // By looking at each record below `limit`.
  std::optional<TimeOffset> find_time(int64_t timestamp, int64_t limit) const {
    for (const std::string& batch : batches_) {
      const BatchHeader header = read_batch_header(batch);
      if (header.base_offset >= limit) break;
      if (header.compressed() && header.max_timestamp >= timestamp) {
        return TimeOffset{header.max_timestamp, header.base_offset};
      }
      if (header.compressed()) continue;
      RecordCursor cursor(base::Bytes(batch).substr(kBatchHeaderBytes));
      while (const auto record = cursor.next()) {
        const int64_t at = header.base_timestamp + record->timestamp_delta;
        if (at >= timestamp) return TimeOffset{at, header.base_offset + record->offset_delta};
      }
    }
    return std::nullopt;
  }

 private:
  std::vector<std::string> batches_;
  std::vector<size_t> batch_of_;  // For each offset.
  int64_t shown_ = 0;
};

class Broker {
 public:
  Broker(os::Os& os, Model& model, LogOptions options, uint64_t seed)
      : os_(os), model_(model), random_(seed, "broker"), ended_(os.fibers) {
    options.on_fatal = [this](const base::Error&) { ended_.set(); };
    options_ = options;
  }

  void run(bool orderly) {
    auto log = PartitionLog::open(os_, std::string(kDirectory), options_);
    if (!log) {
      // The disk may fail while it recovers; damage there is none.
      EXPECT_NE(log.error().code(), base::Errc::kInvalidData) << log.error().message();
      return;
    }
    PartitionLog& it = **log;
    EXPECT_EQ(it.high_watermark(), it.end_offset());
    model_.recovered(it.high_watermark());
    if (testing::Test::HasFatalFailure()) return;
    check_all(it);
    {
      os::FiberGroup group(os_.fibers);
      for (int i = 0; i < 3; ++i) group.spawn("producer", [&] { produce(it); });
      for (int i = 0; i < 2; ++i) group.spawn("reader", [&] { read(it); });
      const os::Duration time = 1ms * random_.between(1, 50);
      static_cast<void>(ended_.wait(os_.clock.monotonic() + time));
    }
    if (orderly && it.close()) model_.shown(it.end_offset());
  }

 private:
  std::string some_batch() {
    std::vector<std::string> values(1 + random_.below(5));
    for (std::string& value : values) {
      value.assign(random_.below(120), static_cast<char>(random_.next()));
    }
    std::string batch = batch_of(values, random_.between(0, 300));
    if (random_.chance(0.2)) {
      batch[22] = 1;  // As if compressed: then its records are not looked at.
      set_max_timestamp(batch, read_batch_header(batch).max_timestamp);
    }
    return batch;
  }

  void produce(PartitionLog& log) {
    while (!ended_.is_set()) {
      const std::string batch = some_batch();
      const auto appended = append(log, batch);
      if (!appended) return;
      EXPECT_EQ(appended->base_offset, model_.end());
      model_.appended(appended->base_offset, as_stored(batch, appended->base_offset));
      EXPECT_EQ(appended->end_offset, model_.end());
      if (random_.chance(0.3)) {
        if (!log.await_flushed(appended->end_offset)) return;
        EXPECT_GE(log.high_watermark(), appended->end_offset);
        model_.shown(appended->end_offset);
      }
      if (random_.chance(0.5) && !os_.clock.sleep_for(10us * random_.between(0, 200))) return;
    }
  }

  void read(PartitionLog& log) {
    int64_t next = 0;
    while (!ended_.is_set()) {
      if (!os_.clock.sleep_for(10us * random_.between(1, 100))) return;
      // On from where it was, or somewhere.
      const int64_t offset = random_.chance(0.5) ? next : random_.between(0, log.end_offset());
      next = check_read(log, offset, random_.below(1000)).value_or(next);
      check_time(log, random_.between(-1, 310));
    }
  }

  std::optional<int64_t> check_read(PartitionLog& log, int64_t offset, size_t bytes_max) {
    const int64_t visible = log.high_watermark();
    const auto slice = log.read(offset, bytes_max);
    if (!slice) {
      EXPECT_NE(slice.error().code(), base::Errc::kInvalidData) << slice.error().message();
      EXPECT_NE(slice.error().code(), base::Errc::kNotFound) << slice.error().message();
      return std::nullopt;
    }
    EXPECT_LE(slice->high_watermark, log.high_watermark());
    EXPECT_GE(slice->high_watermark, visible);
    if (offset < visible) {
      EXPECT_GT(slice->next_offset, offset);
    }
    if (slice->batches.empty()) {
      EXPECT_EQ(slice->next_offset, offset);
      return slice->next_offset;
    }
    EXPECT_LE(slice->next_offset, slice->high_watermark);
    const bool same = slice->batches == model_.between(offset, slice->next_offset);
    EXPECT_TRUE(same) << "offset " << offset << " to " << slice->next_offset;
    model_.shown(slice->next_offset);
    return slice->next_offset;
  }

  void check_time(PartitionLog& log, int64_t timestamp) {
    const int64_t visible = log.high_watermark();
    const auto found = log.offset_for_time(timestamp);
    if (!found) {
      EXPECT_NE(found.error().code(), base::Errc::kInvalidData) << found.error().message();
      return;
    }
    EXPECT_EQ(*found, model_.find_time(timestamp, visible)) << timestamp;
  }

  void check_all(PartitionLog& log) {
    for (int64_t offset = 0; offset < log.high_watermark(); ++offset) {
      check_read(log, offset, random_.below(300));
    }
    for (int64_t timestamp = -1; timestamp < 310; timestamp += random_.between(1, 30)) {
      check_time(log, timestamp);
    }
  }

  os::Os& os_;
  Model& model_;
  LogOptions options_;
  base::RandomStream random_;
  os::Event ended_;
};

LogOptions some_options(base::RandomStream& random) {
  LogOptions options;
  options.segment_bytes = static_cast<uint32_t>(random.between(1000, 8000));
  options.index_interval_bytes = static_cast<uint32_t>(random.between(0, 500));
  options.tail_bytes = random.chance(0.5) ? 0 : 4000;
  options.verify_bytes = random.chance(0.5) ? 0 : 1 << 20;
  options.pending_bytes_max = random.chance(0.3) ? 500 : 1 << 20;
  if (random.chance(0.3)) {
    options.flush_interval_messages = random.between(2, 20);
    options.flush_interval = 1ms * random.between(1, 20);
  }
  return options;
}

void run_seed(uint64_t seed) {
  base::RandomStream random(seed, "property");
  Lives lives{.seed = seed};
  sim::Weather& weather = lives.weather;
  if (random.chance(0.5)) weather.disk.sync_error_chance = 0.01;
  if (random.chance(0.3)) weather.disk.write_error_chance = 0.01;
  if (random.chance(0.5)) weather.disk.short_write_chance = 0.2;
  if (random.chance(0.3)) weather.disk.stall_chance = 0.01;
  weather.disk.stall_max = 20ms;
  weather.disk.sector_kept = random.unit() * 0.6;
  weather.chaos = {.site_armed = 0.5, .site_fires = 0.2, .knob_shaken = 0.2};
  Model model;
  std::vector<Lives::Life> all;
  const int count = static_cast<int>(random.between(3, 8));
  for (int i = 0; i < count; ++i) {
    const LogOptions options = some_options(random);
    const uint64_t life_seed = random.next();
    const bool orderly = random.chance(0.3);
    // On the heap: a fiber's stack is small.
    all.push_back({.body =
                       [&model, options, life_seed, orderly](os::Os& os) {
                         const auto broker =
                             std::make_unique<Broker>(os, model, options, life_seed);
                         broker->run(orderly);
                       },
                   .time_max = random.chance(0.5) ? 1h : 100us * random.between(1, 600),
                   .power_loss = random.chance(0.6)});
  }
  lives.run(all);
}

TEST(LogProperty, HoldsWhatItShowsThroughAllLives) {
  for (uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    run_seed(seed);
  }
  // And the rare things did happen.
  for (const os::Mark& mark : os::all_marks()) {
    const std::string_view name = mark.name;
    const bool damage = name.starts_with("log: damage ") || name.starts_with("log: damaged ");
    // That takes a disk whose reads lie: see Recovery.ABitThatFlippedOnItsWayCutsNothing.
    const bool flipped = name.ends_with("when it was read again");
    if (name.starts_with("log: ") && !damage && !flipped) {
      EXPECT_GT(mark.hits, 0U) << name;
    }
  }
}

}  // namespace
}  // namespace seatrial::broker
