// The log of one partition: batches in segment files, in the order of their offsets, each visible
// only after its flush.
//
// Offsets: start_offset() <= high_watermark() <= written_offset() <= end_offset(). An append gets
// its offsets at once (end_offset); one fiber writes whatever has gathered (written_offset: it
// survives the end of the process); another syncs (high_watermark: it survives power loss, and
// readers see it). One sync serves everybody who appended before it began (group commit).
//
// Invariants. Offsets are dense: 0, 1, 2 … without a gap. What is below the high watermark is
// there, the same, for ever. A new segment begins only when the one before is flushed to its last
// byte, and nothing in it counts as flushed before its name is durable.
//
// A failed write or sync leaves the file's state unknown: the log stops for good, on_fatal is
// called, and the process has to end; its next start recovers (recovery.h). Nothing that such a
// failure may have taken was ever visible, or known flushed to anybody.
#pragma once

#include "base/error.h"
#include "broker/log/record_batch.h"
#include "os/os.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace seatrial::broker {

struct LogOptions {
  uint32_t segment_bytes = 1024 * 1024 * 1024;  // log.segment.bytes; at most 2^31 - 1.
  uint32_t index_interval_bytes = 4096;         // log.index.interval.bytes
  uint32_t index_bytes_max = 10 * 1024 * 1024;  // log.index.size.max.bytes; of one segment.
  uint32_t batch_bytes_max = 1048588;           // message.max.bytes
  bool log_append_time = false;                 // message.timestamp.type=LogAppendTime
  int32_t leader_epoch = 0;                     // Set in each batch appended.
  // A flush begins when so many records wait for one, when the oldest of them has waited so long,
  // or as soon as somebody is in await_flushed().
  int64_t flush_interval_messages = 1;
  os::Duration flush_interval = std::chrono::seconds(1);
  // Memory: what waits to be written, beyond which append() parks; what was written last, so that
  // readers at the end need no file.
  size_t pending_bytes_max = 64 * 1024 * 1024;
  size_t tail_bytes = 1024 * 1024;
  // How much of what is known to be flushed a start reads through, newest first, to see that it
  // is intact; the rest is seen to be when it is read.
  uint64_t verify_bytes = 64 * 1024 * 1024;
  // The log has stopped for good, with the reason: called once, at most. Must not park.
  std::function<void(const base::Error&)> on_fatal;
};

struct Appended {
  int64_t base_offset = 0;
  int64_t end_offset = 0;        // One past the batch's last record: what to wait for.
  int64_t log_append_time = -1;  // -1 unless log_append_time is set.
};

// Whole batches, and the bounds as they were when they were read.
struct Slice {
  std::string batches;      // The first holds the offset asked for, or all that follow it do.
  int64_t next_offset = 0;  // One past the last record in `batches`; the offset asked for if none.
  int64_t start_offset = 0;
  int64_t high_watermark = 0;
};

struct TimeOffset {
  int64_t timestamp = 0;
  int64_t offset = 0;
};

class PartitionLog {
 public:
  // Recovers what is in `directory`, which is made if it is not there, and starts the log's
  // fibers. Everything that it then shows is durable. Parks. Errors: kInvalidData: damage to what
  // was flushed, with file and position in words, and nothing was changed; those of the disk.
  static base::Result<std::unique_ptr<PartitionLog>> open(os::Os& os, std::string directory,
                                                          LogOptions options);
  // Ends the fibers; writes nothing more. What was not flushed may survive or not.
  virtual ~PartitionLog() = default;

  // Gives the batch its offsets and puts it into the queue, in order. Parks only while the queue
  // is full. The bytes are copied. Errors: kIo: the log has stopped; kDeadline, kCancelled.
  virtual base::Result<Appended> append(const ProducedBatch& batch,
                                        os::MonotonicTime deadline = os::kNever) = 0;

  // Parks until everything below `offset` is in the file (acks=1: it survives the end of the
  // process) or flushed (acks=all: it survives power loss, and can be read). Errors: kIo: it never
  // will be; kDeadline, kCancelled: it may become so later.
  virtual base::Result<void> await_written(int64_t offset,
                                           os::MonotonicTime deadline = os::kNever) = 0;
  virtual base::Result<void> await_flushed(int64_t offset,
                                           os::MonotonicTime deadline = os::kNever) = 0;

  // Whole batches from the one that holds `offset` on, as far as the high watermark, up to
  // `bytes_max` (but the first one comes whole even if it is larger, where
  // `at_least_one_batch`). Empty between the high watermark and the end. Every byte's checksum
  // was checked: when it was appended, or now. May park. Errors: kNotFound: `offset` is not
  // within [start_offset, end_offset]; kInvalidData: the file is damaged, with place; those of
  // the disk.
  virtual base::Result<Slice> read(int64_t offset, size_t bytes_max,
                                   bool at_least_one_batch = true) = 0;

  // The first record below the high watermark whose timestamp is `timestamp` or later; nullopt:
  // there is none. Of a compressed batch it is the first record, with the batch's greatest
  // timestamp: never too late. Parks. Errors: as read().
  virtual base::Result<std::optional<TimeOffset>> offset_for_time(int64_t timestamp) = 0;

  virtual int64_t start_offset() const = 0;
  virtual int64_t high_watermark() const = 0;
  virtual int64_t written_offset() const = 0;
  virtual int64_t end_offset() const = 0;
  virtual bool failed() const = 0;
  virtual const std::string& directory() const = 0;

  // While it lives, `event` is set whenever the high watermark moves, and when the log stops.
  class Watch {
   public:
    Watch(PartitionLog& log, os::Event& event) : log_(&log), event_(&event) {
      log_->add_watch(*event_);
    }
    ~Watch() {
      if (log_ != nullptr) log_->remove_watch(*event_);
    }
    Watch(Watch&& other) noexcept
        : log_(std::exchange(other.log_, nullptr)), event_(other.event_) {}
    Watch& operator=(Watch&&) = delete;

   private:
    PartitionLog* log_;
    os::Event* event_;
  };

  // Flushes everything, leaves the indexes and the checkpoint as an orderly stop does, and ends
  // the fibers. Nothing may be appended any more. Errors: those of the disk.
  virtual base::Result<void> close() = 0;

 private:
  friend class Watch;
  virtual void add_watch(os::Event& event) = 0;
  virtual void remove_watch(os::Event& event) = 0;
};

}  // namespace seatrial::broker
