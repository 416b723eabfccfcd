// Writes a whole keyspace as an RDB of version 10, as Redis 7.0 does. Keys past their deadline
// are written like all others.
#pragma once

#include "base/error.h"
#include "kv/keyspace.h"
#include "kv/rdb/encoder.h"
#include "kv/rdb/info.h"
#include "kv/rdb/sink.h"

namespace seatrial::kv::rdb {

// Parks in `sink`; the keyspace must not change meanwhile, nor be looked up in (a look-up may
// move entries between tables). Errors: the sink's. Syncs nothing.
base::Result<void> write(const Keyspace& keyspace, const Info& info, Sink& sink,
                         const WriteOptions& options = {});

}  // namespace seatrial::kv::rdb
