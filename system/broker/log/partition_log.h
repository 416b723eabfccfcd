// The log of one partition: batches in segment files, in the order of their offsets, each visible
// only after its flush.
//
// Offsets: start_offset() <= high_watermark() <= written_offset() <= end_offset(). An append gets
// its offsets at once (end_offset); one fiber writes whatever has gathered (written_offset: it
// survives the end of the process); another syncs (high_watermark: it survives power loss, and
// readers see it). One sync serves everybody whose batch was written before it began (group
// commit). A third keeps indexes and checkpoint on disk.
//
// Invariants. Offsets are dense: 0, 1, 2 … without a gap. What is below the high watermark is
// there, the same, for ever. A new segment begins only when the one before is flushed to its last
// byte, and nothing in it is written before its name is durable.
//
// A failed write or sync leaves the file's state unknown: the log stops for good, on_fatal is
// called, and the process has to end; its next start recovers (recovery.h). Nothing that such a
// failure may have taken was ever visible, or known flushed to anybody.
#pragma once

#include "base/error.h"
#include "broker/log/log_options.h"
#include "broker/log/log_reader.h"
#include "broker/log/record_batch.h"
#include "broker/log/segment.h"
#include "broker/log/tail.h"
#include "os/os.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::broker {

struct Appended {
  int64_t base_offset = 0;
  int64_t end_offset = 0;        // One past the batch's last record: what to wait for.
  int64_t log_append_time = -1;  // -1 unless LogOptions::log_append_time is set.
};

// Whole batches, and the log's bounds.
struct Slice {
  std::string batches;      // The first holds the offset asked for.
  int64_t next_offset = 0;  // One past the last record in `batches`; the offset asked for if none.
  int64_t start_offset = 0;
  int64_t high_watermark = 0;
};

class PartitionLog {
 public:
  // Recovers what is in `directory`, which is made if it is not there, and starts the log's
  // fibers. Everything that it then shows is durable. Parks. Errors: kInvalidData: damage to what
  // was flushed, with file and position in words, and nothing was changed; those of the disk.
  static base::Result<std::unique_ptr<PartitionLog>> open(os::Os& os, std::string directory,
                                                          LogOptions options);
  // Ends the fibers, wherever they are. What was not flushed may survive or not. Parks.
  ~PartitionLog() = default;
  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  // Gives the batch its offsets and puts it into the queue, in order. Parks only while the queue
  // is full. The bytes are copied. Errors: kInvalidArgument: larger than a segment; kIo: the log
  // has stopped; kClosed; kDeadline, kCancelled.
  base::Result<Appended> append(const ProducedBatch& batch,
                                os::MonotonicTime deadline = os::kNever);

  // Parks until everything below `offset` is in the file (acks=1: it survives the end of the
  // process) or flushed (acks=all: it survives power loss, and can be read). Errors: kIo: it never
  // will be; kDeadline, kCancelled: it may become so later.
  base::Result<void> await_written(int64_t offset, os::MonotonicTime deadline = os::kNever);
  base::Result<void> await_flushed(int64_t offset, os::MonotonicTime deadline = os::kNever);

  // Whole batches from the one that holds `offset` on, as far as the high watermark, up to
  // `bytes_max` (but the first one comes whole even if it is larger, where
  // `at_least_one_batch`). Empty between the high watermark and the end. Every byte's checksum
  // was checked: when it was appended, or now. May park. Errors: kNotFound: `offset` is not
  // within [start_offset, end_offset]; kInvalidData: the file is damaged, with place; those of
  // the disk.
  base::Result<Slice> read(int64_t offset, size_t bytes_max, bool at_least_one_batch = true);

  // The first record below the high watermark whose timestamp is `timestamp` or later; nullopt:
  // there is none. Of a compressed batch it is the first record, with the batch's greatest
  // timestamp: never too late. Parks. Errors: as read().
  base::Result<std::optional<TimeOffset>> offset_for_time(int64_t timestamp);

  int64_t start_offset() const { return segments_.front()->base_offset; }
  int64_t high_watermark() const { return high_watermark_; }
  int64_t written_offset() const { return written_offset_; }
  int64_t end_offset() const { return segments_.back()->end_offset; }
  bool failed() const { return failure_.has_value(); }
  const std::string& directory() const { return directory_; }

  // While it lives, `event` is set whenever the high watermark moves, and when the log stops.
  class Watch {
   public:
    Watch(PartitionLog& log, os::Event& event) : log_(&log), event_(&event) {
      log_->watchers_.push_back(event_);
    }
    ~Watch() {
      if (log_ != nullptr) log_->forget(event_);
    }
    Watch(Watch&& other) noexcept
        : log_(std::exchange(other.log_, nullptr)), event_(other.event_) {}
    Watch& operator=(Watch&&) = delete;

   private:
    PartitionLog* log_;
    os::Event* event_;
  };

  // Flushes everything, leaves the indexes and the checkpoint as an orderly stop does, and ends
  // the fibers. Nothing can be appended any more. Parks. Errors: kIo: the log has stopped before.
  base::Result<void> close();

 private:
  PartitionLog(os::Os& os, std::string directory, LogOptions options, Segments segments);

  void forget(os::Event* event);
  base::Result<void> await_room(size_t bytes, os::MonotonicTime deadline);
  base::Result<void> stopped() const;
  // Begins another segment, in memory, if a batch of so many bytes and records does not fit.
  void roll_if_full(size_t bytes, int32_t last_offset_delta);

  void run_writer();
  base::Result<void> write(const Chunk& chunk);
  // Makes the file of a segment, when all before it is flushed.
  base::Result<void> begin_segment(Segment& segment);

  void run_flusher();
  // When a flush has to begin; kNever: nothing waits for one.
  os::MonotonicTime flush_due() const;
  base::Result<void> flush();
  void publish(int64_t high_watermark);

  void run_keeper();
  base::Result<void> keep();
  bool checkpoint_due() const;

  void fail(const base::Error& error);

  os::Os& os_;
  const std::string directory_;
  const LogOptions options_;
  Segments segments_;
  Tail tail_;
  LogReader reader_;

  int64_t written_offset_;
  int64_t high_watermark_;
  SegmentPtr written_segment_;  // The one that is being written and flushed.
  // The oldest append that is written but not flushed.
  std::optional<os::MonotonicTime> unflushed_since_;
  int64_t flush_wanted_ = 0;  // Somebody waits for a flush up to here.
  std::optional<base::Error> failure_;
  bool closing_ = false;

  // As of the last checkpoint.
  uint64_t flushed_bytes_ = 0;  // Since then.
  os::MonotonicTime checkpoint_time_;

  std::vector<os::Event*> watchers_;
  os::WaitQueue room_;
  os::WaitQueue written_;
  os::WaitQueue flushed_;
  os::Event write_work_;
  os::Event flush_work_;
  os::Event keep_work_;
  os::FiberGroup fibers_;
};

}  // namespace seatrial::broker
