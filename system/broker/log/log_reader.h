// Reads a log's segments: what is flushed, from the files, through the indexes. An index only says
// where to begin to look; what stands there is checked, and so is every byte that is returned. An
// index that is missing or wrong is made anew.
//
// Several fibers may read at once, also while the log grows.
#pragma once

#include "broker/log/batch_scan.h"
#include "broker/log/log_options.h"
#include "broker/log/segment.h"
#include "os/os.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::broker {

struct TimeOffset {
  int64_t timestamp = 0;
  int64_t offset = 0;
  friend bool operator==(const TimeOffset&, const TimeOffset&) = default;
};

class LogReader {
 public:
  // All three outlive it. `segments` may grow meanwhile.
  LogReader(os::Os& os, const std::string& directory, const LogOptions& options,
            const Segments& segments)
      : os_(os), directory_(directory), options_(options), segments_(segments) {}

  // Batches from the one that holds `offset`, of one segment, up to `bytes_max`; the first one
  // whole in any case, if `whole_first`. All are below the high watermark, as `offset` is. Parks.
  // Errors: kInvalidData: damaged, with file and position; those of the disk.
  base::Result<BatchRun> read(int64_t offset, size_t bytes_max, bool whole_first);
  // The first record of `timestamp` or later below `limit`. Parks. Errors: as read().
  base::Result<std::optional<TimeOffset>> offset_for_time(int64_t timestamp, int64_t limit);

  // The segment's index is in memory, and may be dropped if others are used more.
  void index_loaded(const SegmentPtr& segment);

 private:
  // Where a batch begins that somebody may want next.
  struct Hint {
    int64_t offset = -1;
    SegmentPtr segment;
    uint32_t position = 0;
  };

  SegmentPtr segment_of(int64_t offset) const;
  base::Result<std::shared_ptr<os::File>> file_of(const SegmentPtr& segment) const;
  base::Result<std::shared_ptr<SegmentIndex>> index_of(const SegmentPtr& segment);
  // Makes the index of a complete segment anew, from its batches.
  base::Result<std::shared_ptr<SegmentIndex>> make_index(const SegmentPtr& segment);
  // A scan of the segment's batches that begins where the landing says, or at the front if there
  // is another batch there; then `landing` says so.
  base::Result<BatchScan> land(const SegmentPtr& segment, os::File& file,
                               SegmentIndex::Landing& landing);
  // Where the batch that holds `offset` begins.
  base::Result<uint32_t> locate(const SegmentPtr& segment, os::File& file, int64_t offset);
  std::optional<uint32_t> take_hint(const SegmentPtr& segment, int64_t offset) const;
  void leave_hint(const SegmentPtr& segment, int64_t offset, uint32_t position);
  // Reads into `run` from `position`; false: no batch that holds `offset` begins there.
  base::Result<bool> read_at(const SegmentPtr& segment, os::File& file, uint32_t position,
                             int64_t offset, size_t bytes_max, bool whole_first, BatchRun& run);
  // Cuts what was read from `position` behind the last whole batch; nothing damaged stays.
  base::Result<void> keep_intact(const SegmentPtr& segment, uint32_t position, BatchRun& run) const;
  // In the batch that the scan has come to, whose greatest timestamp is late enough.
  static base::Result<TimeOffset> first_in_batch(BatchScan& scan, int64_t timestamp);
  std::unexpected<base::Error> damaged(const Segment& segment, uint64_t position,
                                       std::string_view problem) const;

  os::Os& os_;
  const std::string& directory_;
  const LogOptions& options_;
  const Segments& segments_;
  std::vector<SegmentPtr> loaded_;  // Complete ones whose index is in memory, used last: last.
  std::array<Hint, 8> hints_;
  size_t next_hint_ = 0;
};

}  // namespace seatrial::broker
