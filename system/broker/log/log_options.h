// What an operator can set of a log, under Kafka's own property names.
#pragma once

#include "base/error.h"
#include "os/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace seatrial::broker {

struct LogOptions {
  uint32_t segment_bytes = 1024 * 1024 * 1024;  // log.segment.bytes; at most 2^31 - 1.
  uint32_t index_interval_bytes = 4096;         // log.index.interval.bytes
  uint32_t index_bytes_max = 10 * 1024 * 1024;  // log.index.size.max.bytes; of one segment.
  uint32_t batch_bytes_max = 1048588;           // message.max.bytes
  bool log_append_time = false;                 // message.timestamp.type=LogAppendTime
  int32_t leader_epoch = 0;                     // Set in each batch appended.
  // A flush begins when so many records wait for one, when the oldest of them has waited so long,
  // or as soon as somebody is in await_flushed().
  int64_t flush_interval_messages = 1;
  os::Duration flush_interval = std::chrono::seconds(1);
  // Memory: what waits to be written, beyond which append() parks; what was written last, so that
  // readers at the end need no file.
  size_t pending_bytes_max = 64 * 1024 * 1024;
  size_t tail_bytes = 1024 * 1024;
  // How much of what is known to be flushed a start reads through, newest first, to see that it
  // is intact; the rest is seen to be when it is read.
  uint64_t verify_bytes = 64 * 1024 * 1024;
  // A checkpoint is due after so much was flushed, or so long after the last.
  uint64_t checkpoint_bytes = 64 * 1024 * 1024;
  os::Duration checkpoint_interval = std::chrono::seconds(60);
  // The log has stopped for good, with the reason: called once, at most. Must not park.
  std::function<void(const base::Error&)> on_fatal;
};

}  // namespace seatrial::broker
