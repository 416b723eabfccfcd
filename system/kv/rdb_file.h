// Snapshots as files: written under a temporary name, then published under the one that a start
// looks for.
//
//   <dir>/temp-<pid>.rdb   being written, by the process of that number; never loaded
//   <dir>/<dbfilename>     complete and durable
//
// Whoever writes makes the bytes durable before anybody can give them their name. A process that
// finds its temporary name taken removes the file instead of writing into it: its maker may be an
// orphan that still writes, which then goes on into a file without a name.
#pragma once

#include "base/error.h"
#include "kv/keyspace.h"
#include "kv/rdb/info.h"
#include "kv/rdb/reader.h"
#include "kv/rdb/writer.h"
#include "os/os.h"

#include <string>
#include <string_view>

namespace seatrial::kv {

// "temp-<digits>.rdb", or a file of a full synchronisation ("temp-sync-", "temp-recv-"); nothing
// else that somebody may call his own.
bool is_temporary_rdb(std::string_view name);
std::string temporary_rdb_path(std::string_view directory, os::Pid writer);

// Writes this process's temporary file and syncs it. After an error it is removed.
base::Result<void> write_temporary_rdb(os::Os& os, std::string_view directory,
                                       const Keyspace& keyspace, const rdb::Info& info,
                                       const rdb::WriteOptions& options);

// Gives the file of `writer`, which is complete and durable, its name, and makes that durable.
// After an error either name may be there.
base::Result<void> publish_rdb(os::Os& os, std::string_view directory, os::Pid writer,
                               std::string_view name);

// Removes the file of `writer`, if there is one.
void remove_temporary_rdb(os::Os& os, std::string_view directory, os::Pid writer);
// Removes what writers have left that are no more. Call it when nobody writes there.
base::Result<void> remove_left_over_rdbs(os::Os& os, std::string_view directory);

// Adds what the file holds to `into`, and makes the file durable: it may be anybody's copy, whose
// bytes stand in the page cache only, and what is served must not be lost with them. (Our own was
// synced before it got its name.) kNotFound: there is none. kInvalidData: the message names the
// file, the offset and what was expected; the file is left as it is.
base::Result<rdb::Info> load_rdb_file(os::Os& os, const std::string& path, Keyspace& into,
                                      const rdb::ReadOptions& options);

}  // namespace seatrial::kv
