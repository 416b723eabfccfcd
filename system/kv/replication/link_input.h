// What comes from a primary, read in pieces: lines while they shake hands, then a snapshot, then
// the stream. Each piece must come within repl-timeout.
#pragma once

#include "kv/config.h"
#include "os/clock.h"
#include "os/network.h"
#include "resp/buffer.h"

#include <cstdint>
#include <string>

namespace seatrial::kv {

class LinkInput {
 public:
  static constexpr size_t kLineBytesMax = 1024;

  LinkInput(os::Stream& stream, const os::Clock& clock, const Config& config)
      : stream_(stream), clock_(clock), config_(config), heard_(clock.monotonic()) {}

  // Reads some more, at least one byte. Parks. kReset: the primary has ended the connection;
  // kDeadline: nothing came for too long.
  base::Result<void> fill();
  // The next line without its end; empty lines, which only keep the link alive, are passed over.
  base::Result<std::string> line();
  // Some of the next bytes, at least one and at most into.size(). Parks.
  base::Result<size_t> read(base::MutableBytes into);

  resp::Buffer& buffer() { return buffer_; }
  os::MonotonicTime heard() const { return heard_; }

 private:
  os::Stream& stream_;
  const os::Clock& clock_;
  const Config& config_;
  resp::Buffer buffer_;
  os::MonotonicTime heard_;
};

}  // namespace seatrial::kv
