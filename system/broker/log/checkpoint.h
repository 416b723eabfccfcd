// What is known to be flushed of a log, in a file of its own: replaced as a whole after a segment
// is complete, after every so many bytes or seconds of flushing, and at an orderly stop.
//
//   seatrial log checkpoint 1
//   flushed <offset> <base offset of its segment> <position in it>
//   segment <base> <end offset> <bytes> <greatest timestamp> <CRC of .index> <CRC of .timeindex>
//   crc <CRC32C of the lines above>
//
// A start takes it as a lower bound: what is below was flushed, so damage there is no torn write.
// Complete segments are listed once their indexes are durable, and so is the name of the segment
// that follows; neither needs to be read through before it is believed. It never claims what is not
// durable: it is written after.
#pragma once

#include "base/error.h"
#include "broker/log/segment_index.h"
#include "os/disk.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::broker {

inline constexpr std::string_view kCheckpointName = "checkpoint";

struct SealedSegment {
  int64_t base_offset = 0;
  int64_t end_offset = 0;
  uint32_t bytes = 0;
  int64_t max_timestamp = kNoTimestamp;
  IndexSums sums;
  friend bool operator==(const SealedSegment&, const SealedSegment&) = default;
};

struct Checkpoint {
  int64_t flushed_offset = 0;
  int64_t segment = 0;
  uint32_t position = 0;
  std::vector<SealedSegment> sealed;  // By offset.
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

std::string format_checkpoint(const Checkpoint& checkpoint);
// kInvalidData, with the line: it is none, or it is damaged.
base::Result<Checkpoint> parse_checkpoint(std::string_view text, std::string_view path);

// nullopt: there is none. Errors: kInvalidData, those of the disk.
base::Result<std::optional<Checkpoint>> read_checkpoint(os::Disk& disk, std::string_view directory);
// Replaces it; whatever happens, the old or the new one is there whole. Which of them survives is
// settled by the directory's next sync, which is the caller's.
base::Result<void> write_checkpoint(os::Disk& disk, std::string_view directory,
                                    const Checkpoint& checkpoint);

}  // namespace seatrial::broker
