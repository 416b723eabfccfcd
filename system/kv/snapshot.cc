#include "kv/snapshot.h"

#include <utility>

namespace seatrial::kv {

struct KeyspaceSnapshot::Frozen {
  explicit Frozen(const Keyspace& original)
      : keyspace(original.count(), original.hash_seed(), effects) {
    keyspace.copy_from(original);
  }

  Effects effects;
  Keyspace keyspace;
};

KeyspaceSnapshot::KeyspaceSnapshot(const Keyspace& keyspace, rdb::Info info)
    : keyspace_(&keyspace), info_(std::move(info)) {}

KeyspaceSnapshot::KeyspaceSnapshot(std::unique_ptr<Frozen> frozen, rdb::Info info)
    : frozen_(std::move(frozen)), keyspace_(&frozen_->keyspace), info_(std::move(info)) {}

KeyspaceSnapshot::~KeyspaceSnapshot() = default;

std::unique_ptr<os::Snapshot> KeyspaceSnapshot::freeze() const {
  auto frozen = std::make_unique<Frozen>(*keyspace_);
  return std::unique_ptr<os::Snapshot>(new KeyspaceSnapshot(std::move(frozen), info_));
}

}  // namespace seatrial::kv
