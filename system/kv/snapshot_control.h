// What commands may ask of the snapshots on disk.
#pragma once

#include "base/error.h"

#include <cstdint>

namespace seatrial::kv {

class SnapshotControl {
 public:
  virtual ~SnapshotControl() = default;

  // Begins one in a child. Does not park. Errors: kBusy, kExhausted.
  virtual base::Result<void> start() = 0;
  // As start(), as soon as no other child runs.
  virtual void schedule() = 0;
  // Gives up the one that a child is writing. Does not park.
  virtual void abandon() = 0;
  // Parks until one of the data as it is when the writing begins is on disk; nothing else of this
  // server runs meanwhile. kBusy: a child is writing one.
  virtual base::Result<void> save() = 0;
  // As save(), in the place of one that a child is writing.
  virtual base::Result<void> save_at_once() = 0;
  // Replaces all data by what the file holds. Parks as save() does. After an error the data is
  // what it was.
  virtual base::Result<void> reload() = 0;

  enum class AtStop : uint8_t {
    kAsConfigured,  // Saves if there are save points.
    kSave,
    kNoSave,
  };
  // Before the server ends: parks until what is to be saved is on disk. From then on no request is
  // executed any more. After an error the server goes on, unless `force`.
  virtual base::Result<void> prepare_stop(AtStop what, bool force) = 0;
};

}  // namespace seatrial::kv
