// Where an RDB is read from: a file or a stream, through a window of one fixed size.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/network.h"
#include "resp/buffer.h"

#include <cstdint>
#include <string_view>

namespace seatrial::kv::rdb {

class Source {
 public:
  static constexpr size_t kWindowBytes = 64 * 1024;

  virtual ~Source() = default;

  // The next `count` bytes, at most kWindowBytes; good until the next call. kInvalidData: it ends
  // before; the message names `expected`.
  base::Result<base::Bytes> take(size_t count, std::string_view expected);
  // Whether nothing is left.
  base::Result<bool> at_end();
  // Of the next byte that take() gives, from the beginning.
  uint64_t offset() const { return offset_; }
  // What was read ahead and not taken: on a stream, the beginning of what follows the RDB.
  base::Bytes rest() const { return window_.bytes(); }

 protected:
  // Fills `into` in part or as a whole; 0: the end. Parks.
  virtual base::Result<size_t> read(base::MutableBytes into) = 0;

 private:
  base::Result<size_t> fill();

  resp::Buffer window_;
  uint64_t offset_ = 0;
};

class FileSource final : public Source {
 public:
  explicit FileSource(os::File& file) : file_(file) {}

 private:
  base::Result<size_t> read(base::MutableBytes into) override;

  os::File& file_;
  uint64_t position_ = 0;
};

// A stream whose other end must send something within each `patience`.
class StreamSource final : public Source {
 public:
  StreamSource(os::Stream& stream, const os::Clock& clock, os::Duration patience)
      : stream_(stream), clock_(clock), patience_(patience) {}

 private:
  base::Result<size_t> read(base::MutableBytes into) override;

  os::Stream& stream_;
  const os::Clock& clock_;
  os::Duration patience_;
};

}  // namespace seatrial::kv::rdb
