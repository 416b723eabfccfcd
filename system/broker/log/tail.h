// The end of a log in memory: the batches that wait to be written, and behind them the last ones
// that were, so that readers at the end need no file.
//
// They lie in chunks, each a run of batches of one segment. The last chunk grows until the writer
// takes it, so whatever gathers while a write or a sync runs goes out in one piece.
#pragma once

#include "broker/log/segment.h"
#include "os/time.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace seatrial::broker {

struct Chunk {
  SegmentPtr segment;
  uint32_t position = 0;  // In its segment's file.
  int64_t base_offset = 0;
  int64_t end_offset = 0;
  os::MonotonicTime since{};  // When its first batch came.
  std::string bytes{};
};

class Tail {
 public:
  // `bytes_max`: of written batches kept for readers.
  explicit Tail(size_t bytes_max) : bytes_max_(bytes_max) {}

  // A copy of `batch` at the end, to be changed in place by the caller. It stands at `position` of
  // `segment` and holds the offsets from `base_offset` to `end_offset`.
  base::MutableBytes append(const SegmentPtr& segment, uint32_t position, int64_t base_offset,
                            int64_t end_offset, base::Bytes batch, os::MonotonicTime now);

  // What is to be written next; nothing is added to it any more. nullptr: there is nothing. Stays
  // where it is until written() says that it is.
  const Chunk* take();
  void written();

  size_t unwritten_bytes() const { return unwritten_bytes_; }
  bool all_written() const { return written_chunks_ == chunks_.size(); }
  // When the oldest batch came that is not written.
  std::optional<os::MonotonicTime> unwritten_since() const;
  // Records below `high_watermark` are visible: the oldest of them are dropped, if memory is full.
  void shrink(int64_t high_watermark);

  // Batches from the one that holds `offset` on, as far as `limit`, an end of a chunk; the first
  // also where it exceeds `bytes_max`, if `whole_first`. nullopt: `offset` is not in memory.
  std::optional<BatchRun> read(int64_t offset, int64_t limit, size_t bytes_max,
                               bool whole_first) const;

 private:
  static constexpr size_t kChunkBytesMax = 1024 * 1024;
  static size_t cost_of(const Chunk& chunk) { return sizeof chunk + chunk.bytes.capacity(); }

  std::deque<Chunk> chunks_;
  size_t written_chunks_ = 0;  // The first so many of chunks_,
  size_t written_cost_ = 0;    // and their memory.
  size_t unwritten_bytes_ = 0;
  bool taken_ = false;  // The first that is not written.
  const size_t bytes_max_;
};

}  // namespace seatrial::broker
