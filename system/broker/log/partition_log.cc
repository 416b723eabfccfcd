#include "broker/log/partition_log.h"

#include "base/check.h"
#include "broker/log/checkpoint.h"
#include "broker/log/recovery.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Longer than anybody waits; sums of it and the time do not overflow.
constexpr std::chrono::hours kIntervalMax{24 * 365 * 10};

int64_t wall_ms(os::Clock& clock) {
  return std::chrono::duration_cast<milliseconds>(clock.wall().time_since_epoch()).count();
}

// Sizes at which a log does what it otherwise does only when it is large or slow.
LogOptions shaken(os::Os& os, LogOptions options) {
  const auto normal = [](auto value) { return static_cast<int64_t>(value); };
  options.pending_bytes_max = static_cast<size_t>(
      KNOB(os.chaos, "log: pending bytes", normal(options.pending_bytes_max), 1, 2000));
  options.tail_bytes =
      static_cast<size_t>(KNOB(os.chaos, "log: tail bytes", normal(options.tail_bytes), 0, 4096));
  options.verify_bytes = static_cast<uint64_t>(
      KNOB(os.chaos, "log: verify bytes", normal(options.verify_bytes), 0, 10000));
  options.checkpoint_bytes = static_cast<uint64_t>(
      KNOB(os.chaos, "log: checkpoint bytes", normal(options.checkpoint_bytes), 1000, 100 * 1000));
  options.checkpoint_interval =
      seconds(KNOB(os.chaos, "log: checkpoint seconds",
                   std::chrono::duration_cast<seconds>(options.checkpoint_interval).count(), 1, 5));
  return options;
}

}  // namespace

base::Result<std::unique_ptr<PartitionLog>> PartitionLog::open(os::Os& os, std::string directory,
                                                               LogOptions options) {
  CHECK(options.segment_bytes <= INT32_MAX);
  options.flush_interval = std::min<os::Duration>(options.flush_interval, kIntervalMax);
  options = shaken(os, std::move(options));
  auto segments = TRY(recover_log(os, directory, options));
  std::unique_ptr<PartitionLog> log(
      new PartitionLog(os, std::move(directory), std::move(options), std::move(segments)));
  PartitionLog* self = log.get();
  self->fibers_.spawn("log writer", [self] { self->run_writer(); });
  self->fibers_.spawn("log flusher", [self] { self->run_flusher(); });
  self->fibers_.spawn("log keeper", [self] { self->run_keeper(); });
  return log;
}

PartitionLog::PartitionLog(os::Os& os, std::string directory, LogOptions options, Segments segments)
    : os_(os),
      directory_(std::move(directory)),
      options_(std::move(options)),
      segments_(std::move(segments)),
      tail_(options_.tail_bytes),
      reader_(os_, directory_, options_, segments_),
      written_offset_(segments_.back()->end_offset),
      high_watermark_(written_offset_),
      written_segment_(segments_.back()),
      checkpoint_time_(os.clock.monotonic()),
      room_(os.fibers),
      written_(os.fibers),
      flushed_(os.fibers),
      write_work_(os.fibers),
      flush_work_(os.fibers),
      keep_work_(os.fibers),
      fibers_(os.fibers) {
  // What recovery has found is kept on record.
  keep_work_.set();
}

void PartitionLog::forget(os::Event* event) {
  const auto found = std::ranges::find(watchers_, event);
  CHECK(found != watchers_.end());
  watchers_.erase(found);
}

base::Result<void> PartitionLog::stopped() const {
  if (failure_) return base::fail(failure_->in(directory_));
  if (closing_) return base::fail(base::Errc::kClosed, directory_ + ": the log is closed");
  return {};
}

void PartitionLog::fail(const base::Error& error) {
  if (failure_) return;
  MARK("log: stopped for good");
  failure_ = base::Error(base::Errc::kIo, std::string(error.message()));
  room_.wake_all();
  written_.wake_all();
  flushed_.wake_all();
  for (os::Event* event : watchers_) event->set();
  if (options_.on_fatal) options_.on_fatal(failure_->in(directory_));
}

// ---- Appending

base::Result<void> PartitionLog::await_room(size_t bytes, os::MonotonicTime deadline) {
  while (true) {
    TRY(stopped());
    const size_t waiting = tail_.unwritten_bytes();
    // A batch larger than all the room there is goes in alone.
    if (waiting == 0 || waiting + bytes <= options_.pending_bytes_max) return {};
    MARK("log: append waits for room");
    TRY(os::to_result(room_.wait(deadline)));
  }
}

void PartitionLog::roll_if_full(size_t bytes, int32_t last_offset_delta) {
  const Segment& last = *segments_.back();
  if (last.bytes == 0) return;
  const int64_t last_offset = last.end_offset + last_offset_delta;
  if (last.bytes + bytes <= options_.segment_bytes && last_offset - last.base_offset <= INT32_MAX &&
      last.index->bytes() < options_.index_bytes_max) {
    return;
  }
  last.index->complete();
  auto next = std::make_shared<Segment>();
  next->base_offset = next->end_offset = last.end_offset;
  next->index = std::make_shared<SegmentIndex>(next->base_offset, options_.index_interval_bytes);
  segments_.push_back(std::move(next));
}

base::Result<Appended> PartitionLog::append(const ProducedBatch& batch,
                                            os::MonotonicTime deadline) {
  const base::Bytes bytes = batch.bytes();
  if (bytes.size() > options_.segment_bytes) {
    return base::fail(base::Errc::kInvalidArgument,
                      fmt::format("a batch of {} bytes, larger than a segment of {}", bytes.size(),
                                  options_.segment_bytes));
  }
  TRY(await_room(bytes.size(), deadline));
  // From here on nothing parks.
  roll_if_full(bytes.size(), batch.header().last_offset_delta);
  const SegmentPtr& segment = segments_.back();
  Appended appended;
  appended.base_offset = segment->end_offset;
  appended.end_offset = appended.base_offset + batch.header().record_count;
  const base::MutableBytes stored = tail_.append(segment, segment->bytes, appended.base_offset,
                                                 appended.end_offset, bytes, os_.clock.monotonic());
  set_base_offset(stored, appended.base_offset);
  set_leader_epoch(stored, options_.leader_epoch);
  if (options_.log_append_time) {
    appended.log_append_time = wall_ms(os_.clock);
    set_log_append_time(stored, appended.log_append_time);
  } else if (batch.max_timestamp() != batch.header().max_timestamp) {
    // The time index relies on it.
    set_max_timestamp(stored, batch.max_timestamp());
  }
  const BatchHeader header = read_batch_header({stored.data(), stored.size()});
  segment->index->add(header, segment->bytes);
  segment->bytes += static_cast<uint32_t>(bytes.size());
  segment->end_offset = appended.end_offset;
  segment->max_timestamp = segment->index->max_timestamp();
  write_work_.set();
  return appended;
}

base::Result<void> PartitionLog::await_written(int64_t offset, os::MonotonicTime deadline) {
  while (written_offset_ < offset) {
    if (failure_) return stopped();
    TRY(os::to_result(written_.wait(deadline)));
  }
  return {};
}

base::Result<void> PartitionLog::await_flushed(int64_t offset, os::MonotonicTime deadline) {
  while (high_watermark_ < offset) {
    if (failure_) return stopped();
    if (offset > flush_wanted_) {
      flush_wanted_ = offset;
      flush_work_.set();
    }
    TRY(os::to_result(flushed_.wait(deadline)));
  }
  return {};
}

// ---- Writing

void PartitionLog::run_writer() {
  while (!failure_) {
    if (tail_.all_written()) write_work_.reset();
    if (!write_work_.wait()) return;
    if (CHANCE(os_.chaos, "log: late write")) {
      MARK("log: write delayed");
      if (!os_.clock.sleep_for(milliseconds(2))) return;
    }
    const Chunk* chunk = tail_.take();
    CHECK(chunk != nullptr);
    if (auto written = write(*chunk); !written) {
      if (written.error() != base::Errc::kCancelled) fail(written.error());
      return;
    }
  }
}

base::Result<void> PartitionLog::write(const Chunk& chunk) {
  Segment& segment = *chunk.segment;
  if (segment.file == nullptr) TRY(begin_segment(segment));
  TRY(os::pwrite_all(*segment.file, chunk.position, chunk.bytes));
  segment.written = chunk.position + static_cast<uint32_t>(chunk.bytes.size());
  written_offset_ = chunk.end_offset;
  written_segment_ = chunk.segment;
  if (!unflushed_since_) unflushed_since_ = chunk.since;
  tail_.written();
  tail_.shrink(high_watermark_);
  room_.wake_all();
  written_.wake_all();
  flush_work_.set();
  return {};
}

base::Result<void> PartitionLog::begin_segment(Segment& segment) {
  MARK("log: segment rolled");
  TRY(await_flushed(segment.base_offset));
  auto file =
      TRY(os_.disk.open(segment_path(directory_, segment.base_offset, kLogSuffix), os::kCreateNew));
  TRY(os_.disk.sync_directory(directory_));
  segment.file = std::move(file);
  keep_work_.set();
  return {};
}

// ---- Flushing

os::MonotonicTime PartitionLog::flush_due() const {
  if (written_offset_ == high_watermark_) return os::kNever;
  const bool now = written_offset_ - high_watermark_ >= options_.flush_interval_messages ||
                   flush_wanted_ > high_watermark_;
  CHECK(unflushed_since_);
  return now ? os::MonotonicTime::min() : *unflushed_since_ + options_.flush_interval;
}

void PartitionLog::run_flusher() {
  while (!failure_) {
    const os::MonotonicTime due = flush_due();
    if (due > os_.clock.monotonic()) {
      flush_work_.reset();
      const auto waited = flush_work_.wait(due);
      if (!waited && waited.error() != base::Errc::kDeadline) return;
      continue;
    }
    if (CHANCE(os_.chaos, "log: late flush")) {
      MARK("log: flush delayed");
      if (!os_.clock.sleep_for(milliseconds(3))) return;
    }
    if (auto flushed = flush(); !flushed) {
      if (flushed.error() != base::Errc::kCancelled) fail(flushed.error());
      return;
    }
  }
}

base::Result<void> PartitionLog::flush() {
  // What is written while the sync runs is not covered by it.
  const SegmentPtr segment = written_segment_;
  const uint32_t written = segment->written;
  const int64_t target = written_offset_;
  unflushed_since_.reset();
  TRY(segment->file->sync_data());
  CHECK(segment->flushed <= written);
  flushed_bytes_ += written - segment->flushed;
  segment->flushed = written;
  publish(target);
  return {};
}

void PartitionLog::publish(int64_t high_watermark) {
  CHECK(high_watermark_ <= high_watermark);
  CHECK(high_watermark <= written_offset_);
  high_watermark_ = high_watermark;
  tail_.shrink(high_watermark_);
  flushed_.wake_all();
  for (os::Event* event : watchers_) event->set();
  if (checkpoint_due()) keep_work_.set();
}

// ---- Reading

base::Result<Slice> PartitionLog::read(int64_t offset, size_t bytes_max, bool at_least_one_batch) {
  if (offset < start_offset() || offset > end_offset()) {
    return base::fail(base::Errc::kNotFound,
                      fmt::format("{}: offset {} is not within {} to {}", directory_, offset,
                                  start_offset(), end_offset()));
  }
  Slice slice{.batches = {},
              .next_offset = offset,
              .start_offset = start_offset(),
              .high_watermark = high_watermark_};
  if (offset >= high_watermark_) return slice;
  auto run = tail_.read(offset, high_watermark_, bytes_max, at_least_one_batch);
  if (!run) run = TRY(reader_.read(offset, bytes_max, at_least_one_batch));
  slice.batches = std::move(run->bytes);
  slice.next_offset = run->next_offset;
  // It may have moved while the file was read, and what was read with it.
  slice.high_watermark = high_watermark_;
  CHECK(slice.next_offset <= high_watermark_);
  return slice;
}

base::Result<std::optional<TimeOffset>> PartitionLog::offset_for_time(int64_t timestamp) {
  return reader_.offset_for_time(timestamp, high_watermark_);
}

// ---- Indexes and checkpoint

bool PartitionLog::checkpoint_due() const {
  return flushed_bytes_ >= options_.checkpoint_bytes ||
         os_.clock.monotonic() - checkpoint_time_ >= options_.checkpoint_interval;
}

void PartitionLog::run_keeper() {
  while (keep_work_.wait()) {
    keep_work_.reset();
    if (auto kept = keep(); !kept) {
      if (kept.error() == base::Errc::kCancelled) return;
      MARK("log: checkpoint not written");
      // The old one, or none, is as true as it was; the next one comes in time.
      os_.log.warn("{}: the checkpoint could not be written: {}", directory_,
                   kept.error().message());
    }
  }
}

base::Result<void> PartitionLog::keep() {
  flushed_bytes_ = 0;
  checkpoint_time_ = os_.clock.monotonic();
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    const SegmentPtr segment = segments_[i];
    const Segment& next = *segments_[i + 1];
    const bool next_has_begun = next.file != nullptr || next.sealed;
    if (segment->sealed || segment->flushed < segment->bytes || !next_has_begun) continue;
    segment->sealed = TRY(write_index_files(os_.disk, directory_, *segment));
    reader_.index_loaded(segment);
  }
  Checkpoint checkpoint;
  for (const SegmentPtr& segment : segments_) {
    if (!segment->sealed) break;
    checkpoint.sealed.push_back({.base_offset = segment->base_offset,
                                 .end_offset = segment->end_offset,
                                 .bytes = segment->bytes,
                                 .max_timestamp = segment->max_timestamp,
                                 .sums = *segment->sealed});
  }
  checkpoint.flushed_offset = high_watermark_;
  checkpoint.segment = written_segment_->base_offset;
  checkpoint.position = written_segment_->flushed;
  TRY(write_checkpoint(os_.disk, directory_, checkpoint));
  // After a failed sync nobody knows which names a later one makes durable, and among them may be
  // that of a new segment.
  auto synced = os_.disk.sync_directory(directory_);
  if (!synced && synced.error() != base::Errc::kCancelled) fail(synced.error());
  return synced;
}

base::Result<void> PartitionLog::close() {
  closing_ = true;
  TRY(await_flushed(end_offset()));
  fibers_.cancel();
  TRY(fibers_.join());
  // The last segment's indexes are of no use to a start, but to who looks at the files.
  auto kept = keep();
  if (kept) {
    if (auto written = write_index_files(os_.disk, directory_, *segments_.back()); !written) {
      kept = base::fail(std::move(written).error());
    }
  }
  if (!kept) {
    os_.log.warn("{}: the checkpoint could not be written: {}", directory_, kept.error().message());
  }
  return {};
}

}  // namespace seatrial::broker
