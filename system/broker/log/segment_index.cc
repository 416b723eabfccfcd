#include "broker/log/segment_index.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "broker/log/big_endian.h"

#include <algorithm>

namespace seatrial::broker {

void SegmentIndex::add(const BatchHeader& header, uint32_t position) {
  const int64_t last = header.last_offset() - base_offset_;
  CHECK(last >= 0 && last <= INT32_MAX);
  CHECK(position <= INT32_MAX);
  if (header.max_timestamp > max_timestamp_) {
    max_timestamp_ = header.max_timestamp;
    max_timestamp_offset_ = static_cast<int32_t>(last);
  }
  if (bytes_since_entry_ > interval_bytes_) {
    CHECK(offsets_.empty() || offsets_.back().position < static_cast<int64_t>(position));
    offsets_.push_back({static_cast<int32_t>(last), static_cast<int32_t>(position)});
    add_time();
    bytes_since_entry_ = 0;
  }
  bytes_since_entry_ += header.bytes();
}

void SegmentIndex::complete() { add_time(); }

void SegmentIndex::add_time() {
  if (max_timestamp_ == kNoTimestamp) return;
  if (!times_.empty() && times_.back().timestamp >= max_timestamp_) return;
  times_.push_back({max_timestamp_, max_timestamp_offset_});
}

SegmentIndex::Landing SegmentIndex::find(int64_t offset) const {
  const auto after = std::ranges::upper_bound(
      offsets_, offset - base_offset_, {}, [](const OffsetEntry& e) { return int64_t{e.offset}; });
  if (after == offsets_.begin()) return {};
  const OffsetEntry& entry = *std::prev(after);
  return {static_cast<uint32_t>(entry.position), base_offset_ + entry.offset};
}

SegmentIndex::Landing SegmentIndex::find_time(int64_t timestamp) const {
  // An entry of the same timestamp may not be the first record that has it: only earlier ones
  // tell where to begin.
  const auto from = std::ranges::lower_bound(times_, timestamp, {}, &TimeEntry::timestamp);
  if (from == times_.begin()) return {};
  return find(base_offset_ + std::prev(from)->offset);
}

size_t SegmentIndex::bytes() const {
  return std::max(offsets_.size() * kOffsetEntryBytes, times_.size() * kTimeEntryBytes);
}

std::string SegmentIndex::offset_file() const {
  std::string bytes;
  bytes.reserve(offsets_.size() * kOffsetEntryBytes);
  for (const OffsetEntry& entry : offsets_) {
    append_big_endian(bytes, entry.offset);
    append_big_endian(bytes, entry.position);
  }
  return bytes;
}

std::string SegmentIndex::time_file() const {
  std::string bytes;
  bytes.reserve(times_.size() * kTimeEntryBytes);
  for (const TimeEntry& entry : times_) {
    append_big_endian(bytes, entry.timestamp);
    append_big_endian(bytes, entry.offset);
  }
  return bytes;
}

std::optional<SegmentIndex> SegmentIndex::parse(int64_t base_offset, uint32_t segment_bytes,
                                                base::Bytes offset_file, base::Bytes time_file) {
  if (offset_file.size() % kOffsetEntryBytes != 0) return std::nullopt;
  if (time_file.size() % kTimeEntryBytes != 0) return std::nullopt;
  SegmentIndex index(base_offset, 0);
  OffsetEntry before{-1, 0};
  for (size_t at = 0; at < offset_file.size(); at += kOffsetEntryBytes) {
    const OffsetEntry entry{load_big_endian<int32_t>(offset_file, at),
                            load_big_endian<int32_t>(offset_file, at + 4)};
    if (entry.offset <= before.offset || entry.position <= before.position) return std::nullopt;
    if (static_cast<uint32_t>(entry.position) >= segment_bytes) return std::nullopt;
    index.offsets_.push_back(entry);
    before = entry;
  }
  for (size_t at = 0; at < time_file.size(); at += kTimeEntryBytes) {
    const TimeEntry entry{load_big_endian<int64_t>(time_file, at),
                          load_big_endian<int32_t>(time_file, at + 8)};
    if (entry.timestamp <= index.max_timestamp_) return std::nullopt;
    if (entry.offset < index.max_timestamp_offset_) return std::nullopt;
    index.times_.push_back(entry);
    index.max_timestamp_ = entry.timestamp;
    index.max_timestamp_offset_ = entry.offset;
  }
  return index;
}

IndexSums sums_of(base::Bytes offset_file, base::Bytes time_file) {
  return {base::crc32c(offset_file), base::crc32c(time_file)};
}

}  // namespace seatrial::broker
