// The base of an append-only log: all data at one instant. As an RDB, or as RESP commands in the
// form of aof_format.h, so that damage to it is found like damage to an increment.
#pragma once

#include "base/error.h"
#include "kv/keyspace.h"
#include "kv/rdb/encoder.h"
#include "kv/rdb/info.h"
#include "os/disk.h"

#include <string>

namespace seatrial::kv {

struct BaseOptions {
  bool rdb = true;               // aof-use-rdb-preamble
  bool incremental_sync = true;  // aof-rewrite-incremental-fsync
  rdb::WriteOptions rdb_options{};
};

// Writes `path` anew and syncs it; its name is not durable yet. Parks; the keyspace must not
// change meanwhile. After an error the file is of no use.
base::Result<void> write_base(os::Disk& disk, const std::string& path, const Keyspace& keyspace,
                              rdb::Info info, const BaseOptions& options);

}  // namespace seatrial::kv
