// Where an RDB is written to: a file or a stream.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/network.h"

#include <cstdint>

namespace seatrial::kv::rdb {

class Sink {
 public:
  virtual ~Sink() = default;
  // Takes all of it, and parks meanwhile. After an error nothing more is put. Whoever calls
  // gathers bytes first: it gets tens of KiB at a time.
  virtual base::Result<void> put(base::Bytes bytes) = 0;
};

// The bytes of a file from its beginning; syncs nothing.
class FileSink final : public Sink {
 public:
  explicit FileSink(os::File& file) : file_(file) {}
  base::Result<void> put(base::Bytes bytes) override;
  uint64_t size() const { return size_; }

 private:
  os::File& file_;
  uint64_t size_ = 0;
};

// A stream whose other end must take each piece within `patience`.
class StreamSink final : public Sink {
 public:
  StreamSink(os::Stream& stream, const os::Clock& clock, os::Duration patience)
      : stream_(stream), clock_(clock), patience_(patience) {}
  base::Result<void> put(base::Bytes bytes) override;

 private:
  os::Stream& stream_;
  const os::Clock& clock_;
  os::Duration patience_;
};

}  // namespace seatrial::kv::rdb
