// The data as a forked child sees it: all databases as they were at the fork, and what an RDB says
// of itself. Where children read their parent's pages this is but a reference; where a machine
// copies, freeze() does, deeply, so that no later write is seen.
#pragma once

#include "kv/keyspace.h"
#include "kv/rdb/info.h"
#include "os/process.h"

#include <memory>

namespace seatrial::kv {

class KeyspaceSnapshot final : public os::Snapshot {
 public:
  // `keyspace` outlives the call of fork(), which is all that this is made for.
  KeyspaceSnapshot(const Keyspace& keyspace, rdb::Info info);
  ~KeyspaceSnapshot() override;

  std::unique_ptr<os::Snapshot> freeze() const override;
  uint64_t bytes() const override { return keyspace_->bytes(); }

  const Keyspace& keyspace() const { return *keyspace_; }
  const rdb::Info& info() const { return info_; }

 private:
  struct Frozen;

  KeyspaceSnapshot(std::unique_ptr<Frozen> frozen, rdb::Info info);

  std::unique_ptr<Frozen> frozen_;
  const Keyspace* keyspace_;
  rdb::Info info_;
};

}  // namespace seatrial::kv
