// Reads frames off a stream: a length of four bytes, then as many bytes as it says. Requests and
// replies travel in these.
//
// The length is believed only up to `frame_bytes_max`, and memory grows with what has arrived,
// not with what was announced.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "os/network.h"

#include <cstdint>
#include <optional>

namespace seatrial::broker {

class FrameReader {
 public:
  FrameReader(os::Stream& stream, size_t frame_bytes_max)
      : stream_(stream), frame_bytes_max_(frame_bytes_max) {}

  // Parks until a whole frame is there, and gives it without its length; the view is valid until
  // the next call. None: the peer has ended its side between two frames. Errors: kInvalidData
  // (a length out of bounds, or the end in the middle of a frame), and those of Stream::read();
  // after kDeadline what has arrived is kept.
  base::Result<std::optional<base::Bytes>> next(os::MonotonicTime deadline = os::kNever);

  // A whole frame is there already: next() will not park.
  bool ready() const;
  // Bytes behind the last frame given.
  size_t buffered() const { return input_.size() - given_; }
  uint64_t bytes_read() const { return bytes_read_; }
  // Gives the memory of large frames back, between two frames.
  void release();

 private:
  // Of the frame that begins at the front; none: not known yet.
  std::optional<int32_t> length() const;

  os::Stream& stream_;
  size_t frame_bytes_max_;
  base::Buffer input_;
  size_t given_ = 0;  // Of the input's front: the frame that the caller has.
  size_t read_bytes_ = 4 * 1024;
  uint64_t bytes_read_ = 0;
};

}  // namespace seatrial::broker
