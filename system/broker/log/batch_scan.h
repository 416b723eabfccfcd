// Goes through the batches of a segment's file, one after the other, through a window of fixed
// size. Nothing that the file says is believed before it was checked: a batch comes only if its
// header makes sense, its offsets follow those before, and it ends within the file.
#pragma once

#include "base/error.h"
#include "broker/log/record_batch.h"
#include "os/disk.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace seatrial::broker {

class BatchScan {
 public:
  static constexpr int64_t kAnyOffset = -1;

  // Begins at `position`, where a batch whose base offset is `offset` has to stand, and ends at
  // `end`. The file outlives the scan.
  BatchScan(os::File& file, uint64_t position, uint64_t end, int64_t offset = kAnyOffset);

  enum class Step : unsigned char {
    kBatch,    // header() and position() tell of it.
    kEnd,      // The last one ended just at `end`.
    kInvalid,  // problem() says what is wrong with what stands at position().
  };
  // Goes to the next batch. Parks. Errors: those of the disk.
  base::Result<Step> next();

  // The next step comes to the batch at hand once more.
  void again();

  const BatchHeader& header() const { return header_; }
  // Of the batch, or of what is invalid.
  uint64_t position() const { return position_; }
  // The base offset that has to stand at the end of the batch.
  int64_t next_offset() const { return header_.next_offset(); }
  std::string_view problem() const { return problem_; }

  // Of the batch at hand. Both park.
  base::Result<bool> crc_matches();
  // All of it, in memory: only for one that was checked before it was stored.
  base::Result<std::string> bytes();

 private:
  // A view of [position, position + count), or of as much as the file and the window hold.
  base::Result<base::Bytes> look(uint64_t position, size_t count);

  os::File& file_;
  const uint64_t end_;
  uint64_t position_;
  uint64_t next_position_;
  int64_t expected_offset_;
  BatchHeader header_;
  std::string_view problem_;
  std::string window_;
  uint64_t window_at_ = 0;
};

}  // namespace seatrial::broker
