#include "kv/expire_cycle.h"

#include "kv/session.h"
#include "os/mark.h"

namespace seatrial::kv {
namespace {

constexpr size_t kSeenMax = 400;         // Of one database at one turn.
constexpr size_t kBucketsMax = 200;      // Looked into at one turn, mostly empty ones.
constexpr size_t kResizeBuckets = 1000;  // Moved at one turn.
constexpr std::chrono::milliseconds kSoon{1};

}  // namespace

void ExpireCycle::run() {
  while (true) {
    const bool soon = turn(wall_ms(clock_));
    const os::Duration pause =
        soon ? os::Duration(kSoon) : os::Duration(std::chrono::seconds(1)) / state_.config.hz;
    if (!clock_.sleep_for(pause)) return;
  }
}

bool ExpireCycle::turn(WallMs now) {
  bool soon = false;
  cursors_.resize(state_.keyspace.count());
  for (size_t i = 0; i < state_.keyspace.count(); ++i) {
    Database& database = state_.keyspace.at(static_cast<int>(i));
    soon |= database.advance_resizing(kResizeBuckets);
    // What expires on a replica is its primary's to decide.
    if (!state_.active_expire || state_.replication.replica || database.timed() == 0) continue;
    size_t seen = 0;
    const size_t removed = sweep(static_cast<int>(i), now, seen);
    // More than a tenth of what was seen had expired: there is probably more.
    soon |= removed * 10 > seen;
  }
  if (!state_.effects.empty()) state_.hooks.log_effects();
  return soon;
}

size_t ExpireCycle::sweep(int index, WallMs now, size_t& seen) {
  Database& database = state_.keyspace.at(index);
  uint64_t& cursor = cursors_[static_cast<size_t>(index)];
  due_.clear();
  for (size_t buckets = 0; buckets < kBucketsMax && seen < kSeenMax; ++buckets) {
    cursor = database.timed_entries().scan(cursor, [&](const Entry* entry) {
      ++seen;
      if (Keyspace::expired(*entry, now)) due_.emplace_back(entry->key());
    });
    if (cursor == 0) break;
  }
  for (const std::string& key : due_) {
    MARK("expire: removed unasked");
    state_.keyspace.expire(index, key);
  }
  return due_.size();
}

}  // namespace seatrial::kv
