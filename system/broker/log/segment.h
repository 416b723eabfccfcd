// One segment of a log: a file of batches, named by the offset of its first record, and what is
// known of it. A list of them, by offset, is a log; the last is the one that grows.
#pragma once

#include "broker/log/segment_index.h"
#include "os/disk.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::broker {

struct Segment {
  int64_t base_offset = 0;
  int64_t end_offset = 0;  // One past its last record, whether that is written or not.
  uint32_t bytes = 0;      // Up to there.
  uint32_t written = 0;    // As much of it is in the file,
  uint32_t flushed = 0;    // and as much is durable.
  int64_t max_timestamp = kNoTimestamp;
  std::shared_ptr<os::File> file;       // Null: not made yet, or not opened.
  std::shared_ptr<SegmentIndex> index;  // Null: only in its files. Never of the last segment.
  // It is complete and its index files, with these sums, are durable.
  std::optional<IndexSums> sealed;
};

using SegmentPtr = std::shared_ptr<Segment>;
using Segments = std::vector<SegmentPtr>;

inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kIndexSuffix = ".index";
inline constexpr std::string_view kTimeIndexSuffix = ".timeindex";

// "directory/00000000000000001234.log"
std::string segment_path(std::string_view directory, int64_t base_offset, std::string_view suffix);
// The base offset in the name of a segment's log; nullopt: it is another file.
std::optional<int64_t> parse_segment_name(std::string_view name);

// Writes both index files of a complete segment and makes them durable (not their names).
base::Result<IndexSums> write_index_files(os::Disk& disk, std::string_view directory,
                                          const Segment& segment);
struct IndexFiles {
  std::string offsets;
  std::string times;
};
// What is there; a file that is missing or too large to be one reads as empty.
base::Result<IndexFiles> read_index_files(os::Disk& disk, std::string_view directory,
                                          int64_t base_offset);

}  // namespace seatrial::broker
