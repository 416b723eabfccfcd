// Reads an RDB of versions 1 to 10 into a keyspace, as far as this server has the types. Every
// damage that its structure or checksum shows is an error (kInvalidData) that says at which offset
// what was expected; nothing is skipped that would be missed.
#pragma once

#include "base/error.h"
#include "kv/keyspace.h"
#include "kv/rdb/info.h"
#include "kv/rdb/source.h"

#include <optional>

namespace seatrial::kv::rdb {

struct ReadOptions {
  // Keys whose deadline lies before this are left out: for a primary. A replica keeps them, as
  // its primary will tell of their end.
  std::optional<WallMs> expire_at;
};

// Adds to `into`, up to and with the checksum; what follows is the caller's (Source::rest()).
// After an error `into` holds a part. No effects, no watchers touched. Parks in `source`.
base::Result<Info> read(Source& source, Keyspace& into, const ReadOptions& options = {});

}  // namespace seatrial::kv::rdb
