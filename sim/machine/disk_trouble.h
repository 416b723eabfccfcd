// What is wrong with a machine's disk at the moment: faults set it, and each call looks (disk.cc).
#pragma once

#include "sim/event_queue.h"

#include <cstdint>

namespace seatrial::sim {

struct DiskTrouble {
  // Of the next calls so many meet it.
  uint32_t read_errors_due = 0;         // kIo; the same read may succeed later.
  uint32_t flipped_reads_due = 0;       // One bit of what a read returns is wrong, and only there.
  uint32_t misdirected_reads_due = 0;   // A sector of it is another one of the same file.
  uint32_t lost_writes_due = 0;         // A sync that succeeds leaves one sector out,
  uint32_t misdirected_writes_due = 0;  // or puts it in another one's place.

  VirtualTime syncs_lie_until{0};  // They return success, and nothing becomes durable.

  // Calls of processes before this incarnation never return.
  uint64_t dead_below = 0;

  // While either is not 0, calls queue one behind the other.
  uint32_t calls_per_second = 0;
  uint64_t bytes_per_second = 0;  // Of reads as they are made, of writes as they are synced.
  VirtualTime queue_ends{0};

  bool lies(VirtualTime now) const { return now < syncs_lie_until; }
  bool throttled() const { return calls_per_second > 0 || bytes_per_second > 0; }
};

}  // namespace seatrial::sim
