// Finds the append-only log at start and loads it, or makes a new one. The files and what must be
// durable before what: propagate/aof_files.h. Nobody is served before this has ended well.
//
// A new log is a base of no data and an increment. It is made in an order that leaves either
// nothing or a whole log behind: the files, their sync, their names, and then the manifest.
//
// Before anything is built on a manifest that was found, its name is synced: it may have come
// from a rename that only the page cache knows. What it calls history, and what a crash has left
// behind, is deleted only then. Files that no manifest names and that may hold data are left
// alone, with a warning.
//
// A single file of Redis before 7, <dir>/<appendfilename>, becomes the base: first the manifest
// says so, then the file moves into the log's directory. A start in between goes on there.
#pragma once

#include "base/error.h"
#include "kv/config.h"
#include "kv/keyspace.h"
#include "kv/propagate/aof_files.h"
#include "kv/restore/aof_replay.h"
#include "os/os.h"

#include <memory>
#include <string>

namespace seatrial::kv {

struct OpenedAof {
  std::unique_ptr<os::File> file;  // The last increment.
  std::string path;
  uint64_t bytes = 0;          // Of that file.
  bool closed = false;         // It ends with a line that claims all of it.
  uint64_t commands = 0;       // Replayed.
  uint64_t snapshot_keys = 0;  // Read from an RDB.
  uint64_t base_bytes = 0;
  uint64_t earlier_bytes = 0;  // Of all files before the last.
};

// `keyspace` is empty, and filled; `execute` runs the log's commands on it. `files` is given the
// manifest.
base::Result<OpenedAof> open_aof(os::Os& os, const Config& config, AofFiles& files,
                                 Keyspace& keyspace, const ReplayCommand& execute);

// For a start with the log switched off: `files` learns what is there, so that nothing of it is
// taken for new or overwritten when the log is switched on.
base::Result<void> read_aof_manifest(os::Os& os, const Config& config, AofFiles& files);

}  // namespace seatrial::kv
