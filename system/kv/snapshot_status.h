// How the snapshots on disk are doing, for INFO, for LASTSAVE and for refusing writes.
#pragma once

#include "kv/data/entry.h"
#include "os/time.h"

#include <cstdint>
#include <optional>

namespace seatrial::kv {

struct SnapshotStatus {
  // Of the last complete one, or of the start.
  WallMs last_save = 0;
  os::MonotonicTime last_save_time{};
  // How many changes, counted as Effects does, are in it.
  uint64_t saved_changes = 0;
  uint64_t saves = 0;  // Complete ones since the start.
  // Of BGSAVE and of save points; a complete SAVE makes it good again.
  bool last_background_good = true;
  std::optional<int64_t> last_background_seconds;
  std::optional<os::MonotonicTime> last_attempt;
  WallMs background_begun = 0;  // Of the one that runs.
  bool scheduled = false;       // One begins as soon as no other child runs.
  // What the last load has found.
  uint64_t keys_loaded = 0;
  uint64_t keys_expired = 0;
};

}  // namespace seatrial::kv
