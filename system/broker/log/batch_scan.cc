#include "broker/log/batch_scan.h"

#include "base/check.h"
#include "base/crc32c.h"

#include <algorithm>

namespace seatrial::broker {
namespace {

constexpr size_t kWindowBytes = 64 * 1024;
constexpr size_t kCrcBegin = 21;
constexpr int64_t kBaseOffsetMax = INT64_MAX - INT32_MAX - 1;

}  // namespace

BatchScan::BatchScan(os::File& file, uint64_t position, uint64_t end, int64_t offset)
    : file_(file),
      end_(end),
      position_(position),
      next_position_(position),
      expected_offset_(offset) {}

base::Result<base::Bytes> BatchScan::look(uint64_t position, size_t count) {
  count = static_cast<size_t>(std::min<uint64_t>({count, kWindowBytes, end_ - position}));
  const bool inside = position >= window_at_ && position + count <= window_at_ + window_.size();
  if (!inside) {
    window_.resize(static_cast<size_t>(std::min<uint64_t>(kWindowBytes, end_ - position)));
    window_at_ = position;
    window_.resize(TRY(os::pread_full(file_, position, window_)));
  }
  return base::Bytes(window_).substr(static_cast<size_t>(position - window_at_), count);
}

base::Result<BatchScan::Step> BatchScan::next() {
  position_ = next_position_;
  CHECK(position_ <= end_);
  if (position_ == end_) return Step::kEnd;
  const base::Bytes head = TRY(look(position_, kBatchHeaderBytes));
  if (head.size() < kBatchHeaderBytes) {
    problem_ = "the file ends within the header of a batch";
    return Step::kInvalid;
  }
  header_ = read_batch_header(head);
  problem_ = batch_header_problem(header_);
  if (problem_.empty() && expected_offset_ != kAnyOffset &&
      header_.base_offset != expected_offset_) {
    problem_ = "the base offset does not follow the batch before";
  }
  if (problem_.empty() && (header_.base_offset < 0 || header_.base_offset > kBaseOffsetMax)) {
    problem_ = "the base offset is out of range";
  }
  if (problem_.empty() && header_.bytes() > end_ - position_) {
    problem_ = "the file ends within a batch";
  }
  if (!problem_.empty()) return Step::kInvalid;
  expected_offset_ = header_.next_offset();
  next_position_ = position_ + header_.bytes();
  return Step::kBatch;
}

void BatchScan::again() {
  next_position_ = position_;
  expected_offset_ = header_.base_offset;
}

base::Result<bool> BatchScan::crc_matches() {
  uint32_t crc = 0;
  for (uint64_t at = position_ + kCrcBegin; at < next_position_;) {
    const base::Bytes piece = TRY(look(at, static_cast<size_t>(next_position_ - at)));
    if (piece.empty()) return false;
    crc = base::crc32c(piece, crc);
    at += piece.size();
  }
  return crc == header_.crc;
}

base::Result<std::string> BatchScan::bytes() {
  std::string bytes(header_.bytes(), '\0');
  bytes.resize(TRY(os::pread_full(file_, position_, bytes)));
  return bytes;
}

}  // namespace seatrial::broker
