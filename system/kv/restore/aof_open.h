// Finds the append-only files at start, or makes them. Layout as in Redis 7:
//
//   <dir>/<appenddirname>/<appendfilename>.manifest      which files make up the log
//   <dir>/<appenddirname>/<appendfilename>.1.incr.aof    the one that is written
//
// A new log is made in an order that leaves either nothing or a whole log behind: the file, its
// sync, the manifest under a temporary name, its sync, its rename, and the directory's sync.
// Nobody is served before.
#pragma once

#include "base/error.h"
#include "kv/config.h"
#include "kv/restore/aof_replay.h"
#include "os/os.h"

#include <memory>
#include <string>

namespace seatrial::kv {

struct OpenedAof {
  std::unique_ptr<os::File> file;
  std::string path;
  uint64_t bytes = 0;
  uint64_t commands = 0;  // Replayed.
};

base::Result<OpenedAof> open_aof(os::Os& os, const Config& config, const ReplayCommand& execute);

}  // namespace seatrial::kv
