// The two sparse indexes of one segment, in memory and as Kafka's files have them:
//
//   .index      relative offset (int32), position (int32)    of a batch's last record and first
//   byte .timeindex  timestamp (int64), relative offset (int32)   the greatest so far, and whose it
//   is
//
// Entries come in order, one for each `interval_bytes` of batches; the first batch has none. The
// last time entry, made when the segment is complete, tells its greatest timestamp.
#pragma once

#include "base/bytes.h"
#include "broker/log/record_batch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::broker {

inline constexpr size_t kOffsetEntryBytes = 8;
inline constexpr size_t kTimeEntryBytes = 12;
inline constexpr int64_t kNoTimestamp = -1;

// Checksums of the two files.
struct IndexSums {
  uint32_t offsets = 0;
  uint32_t times = 0;
  friend bool operator==(const IndexSums&, const IndexSums&) = default;
};

class SegmentIndex {
 public:
  SegmentIndex(int64_t base_offset, uint32_t interval_bytes)
      : base_offset_(base_offset), interval_bytes_(interval_bytes) {}

  // The segment's next batch, which stands at `position`.
  void add(const BatchHeader& header, uint32_t position);
  // There are no more batches.
  void complete();

  struct Landing {
    uint32_t position = 0;
    int64_t last_offset = -1;  // Of the batch that stands there; -1: nothing is known of it.
  };
  // Where to begin to look for the batch that holds `offset`: it is there or behind.
  Landing find(int64_t offset) const;
  // From where to look for the first batch with `timestamp` or later: all before it is earlier.
  Landing find_time(int64_t timestamp) const;

  // kNoTimestamp when there is none.
  int64_t max_timestamp() const { return max_timestamp_; }
  // Of the larger of the two files.
  size_t bytes() const;
  std::string offset_file() const;
  std::string time_file() const;

  // From the files of a complete segment of `segment_bytes`; nullopt when they cannot be its:
  // unsorted, of a wrong length, or pointing past its end.
  static std::optional<SegmentIndex> parse(int64_t base_offset, uint32_t segment_bytes,
                                           base::Bytes offset_file, base::Bytes time_file);

 private:
  struct OffsetEntry {
    int32_t offset;  // Relative to the base offset, as in the other.
    int32_t position;
  };
  struct TimeEntry {
    int64_t timestamp;
    int32_t offset;
  };
  void add_time();

  int64_t base_offset_;
  uint32_t interval_bytes_;
  std::vector<OffsetEntry> offsets_;
  std::vector<TimeEntry> times_;
  uint64_t bytes_since_entry_ = 0;
  int64_t max_timestamp_ = kNoTimestamp;
  int32_t max_timestamp_offset_ = 0;
};

IndexSums sums_of(base::Bytes offset_file, base::Bytes time_file);

}  // namespace seatrial::broker
