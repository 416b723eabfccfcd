#include "broker/log/tail.h"

#include "base/check.h"
#include "broker/log/record_batch.h"

#include <algorithm>

namespace seatrial::broker {
namespace {

// Memory for batches that were written but are not flushed yet, as a multiple of what is kept of
// those that are: with a lazy flush they are many.
constexpr size_t kUnflushedFactor = 4;

// How many bytes of a chunk there are before the batch that holds `offset`.
size_t find_batch(const Chunk& chunk, int64_t offset) {
  const base::Bytes batches = chunk.bytes;
  size_t at = 0;
  if (chunk.segment->index != nullptr) {
    const auto landing = chunk.segment->index->find(offset);
    if (landing.position > chunk.position) at = landing.position - chunk.position;
  }
  while (true) {
    const BatchHeader header = read_batch_header(batches.substr(at));
    if (header.last_offset() >= offset) return at;
    at += header.bytes();
  }
}

// Adds as many whole batches as fit; false: not all of them did.
bool add_fitting(BatchRun& run, base::Bytes batches, size_t bytes_max) {
  size_t last = 0;
  size_t end = 0;
  while (end < batches.size()) {
    const size_t next = end + batch_bytes(batches.substr(end));
    if (run.bytes.size() + next > bytes_max) break;
    last = end;
    end = next;
  }
  if (end > 0) run.next_offset = read_batch_header(batches.substr(last)).next_offset();
  run.bytes += batches.substr(0, end);
  return end == batches.size();
}

}  // namespace

base::MutableBytes Tail::append(const SegmentPtr& segment, uint32_t position, int64_t base_offset,
                                int64_t end_offset, base::Bytes batch, os::MonotonicTime now) {
  const bool last_is_open = written_chunks_ + (taken_ ? 1 : 0) < chunks_.size();
  const bool fits = last_is_open && chunks_.back().segment == segment &&
                    chunks_.back().bytes.size() + batch.size() <= kChunkBytesMax;
  if (!fits) {
    chunks_.push_back({.segment = segment,
                       .position = position,
                       .base_offset = base_offset,
                       .end_offset = base_offset,
                       .since = now});
  }
  Chunk& chunk = chunks_.back();
  CHECK(chunk.end_offset == base_offset);
  CHECK(chunk.position + chunk.bytes.size() == position);
  const size_t at = chunk.bytes.size();
  chunk.bytes.append(batch);
  chunk.end_offset = end_offset;
  unwritten_bytes_ += batch.size();
  return base::MutableBytes(chunk.bytes).subspan(at);
}

const Chunk* Tail::take() {
  CHECK(!taken_);
  if (all_written()) return nullptr;
  taken_ = true;
  return &chunks_[written_chunks_];
}

void Tail::written() {
  CHECK(taken_);
  taken_ = false;
  const Chunk& chunk = chunks_[written_chunks_++];
  written_cost_ += cost_of(chunk);
  unwritten_bytes_ -= chunk.bytes.size();
}

std::optional<os::MonotonicTime> Tail::unwritten_since() const {
  if (all_written()) return std::nullopt;
  return chunks_[written_chunks_].since;
}

void Tail::shrink(int64_t high_watermark) {
  while (written_chunks_ > 0 && written_cost_ > bytes_max_) {
    const Chunk& oldest = chunks_.front();
    const bool visible = oldest.end_offset <= high_watermark;
    if (!visible && written_cost_ <= kUnflushedFactor * bytes_max_) return;
    written_cost_ -= cost_of(oldest);
    --written_chunks_;
    chunks_.pop_front();
  }
}

std::optional<BatchRun> Tail::read(int64_t offset, int64_t limit, size_t bytes_max,
                                   bool whole_first) const {
  if (chunks_.empty() || offset < chunks_.front().base_offset) return std::nullopt;
  auto chunk = std::prev(std::ranges::upper_bound(chunks_, offset, {}, &Chunk::base_offset));
  BatchRun run{.bytes = {}, .next_offset = offset};
  size_t from = find_batch(*chunk, offset);
  for (; chunk != chunks_.end() && chunk->base_offset < limit; ++chunk, from = 0) {
    CHECK(chunk->end_offset <= limit);
    const base::Bytes rest = base::Bytes(chunk->bytes).substr(from);
    if (run.bytes.empty() && whole_first) {
      bytes_max = std::max(bytes_max, read_batch_header(rest).bytes());
    }
    if (run.bytes.size() + rest.size() <= bytes_max) {
      run.bytes += rest;
      run.next_offset = chunk->end_offset;
    } else if (!add_fitting(run, rest, bytes_max)) {
      break;
    }
  }
  return run;
}

}  // namespace seatrial::broker
