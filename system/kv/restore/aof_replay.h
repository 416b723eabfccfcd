// The way back: an append-only file is read, judged and executed at start.
//
// Which damage is which. A power loss may keep any sectors of what was written but not synced, in
// any order, with zeros in the gaps; what was synced stays. Let D be the greatest durable length
// that any intact annotation claims, wherever in the file it stands: a later batch may have
// survived where an earlier one did not. Batches are verified one by one. The first that is not
// whole and intact, at offset s:
//   s >= D: a torn tail. Nobody was ever told of it. It is cut off, with a warning.
//   s < D: the middle is damaged. Data that was promised is gone: the start is refused.
// A batch is executed only if all of it is intact, so no MULTI is ever executed by half. A batch
// that is not intact is read once more before anything is judged: a bit may have flipped on its
// way from the disk, and what is cut does not come back.
//
// Why bytes are written again. What is read here may stand only in the page cache: its sync may
// have failed, or never been called, when the last process died. Serving it would promise what
// the next power loss takes away, and a sync alone proves nothing after one that failed, because
// the system may have marked those pages clean. So the start writes [D, end) again in place and
// syncs, and only then may anybody be served.
//
// Only the last increment of a log may end torn. All other files were brought to their end and
// synced before a manifest said so: they must be whole, and what this server wrote of them must
// end with the line that claims it all.
//
// A file that does not begin with our annotation is another server's. Redis's own rule holds for
// it: an unfinished end is cut (aof-load-truncated), anything else is refused. Once it was loaded
// and made durable, an annotation of ours marks where our part begins. So it is with what Redis
// has appended to a file of ours: it begins with SELECT, in capitals, which none of our batches
// does. A file may begin with an RDB snapshot, if nothing was loaded before it.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "kv/restore/aof_reader.h"
#include "os/disk.h"
#include "resp/request.h"

#include <cstdint>
#include <functional>
#include <string>

namespace seatrial::kv {

struct ReplayOptions {
  bool cut_truncated = true;  // aof-load-truncated, for another server's file.
  bool last_file = true;      // Only the last file of a log may have a torn tail.
  bool base = false;          // Written in one go, and never appended to.
  // Reads the RDB that the file begins with; returns where it ends. Empty: none is expected.
  std::function<base::Result<uint64_t>(os::File& file)> read_snapshot{};
};

struct Replayed {
  uint64_t bytes = 0;  // The file's length now: all of it is intact and durable.
  uint64_t cut = 0;    // How many bytes of a torn tail were cut off.
  uint64_t commands = 0;
  bool closed = false;  // It ends with a line of ours that claims all of it.
};

// Executes one request of the log; an error says why it cannot be.
using ReplayCommand = std::function<base::Result<void>(resp::Args args)>;

// Reads `file`, executes what it holds, repairs its end, and makes it durable. Errors: kIo and
// the like from the disk; kInvalidData: damaged, with place and remedy in words.
base::Result<Replayed> replay_aof(os::File& file, const std::string& path,
                                  const ReplayOptions& options, base::Log& log,
                                  const ReplayCommand& execute);

}  // namespace seatrial::kv
