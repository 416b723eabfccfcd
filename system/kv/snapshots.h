// The snapshots on disk: when one is due (save points, BGSAVE, SAVE, the end of the server), who
// makes it, and what is known of the last.
//
// In the background a child writes and syncs its temporary file (rdb_file.h) and ends; nothing
// that it does can be seen. Only after reaping it with exit code 0 does the parent give the file
// its name and sync the directory, and only then does the snapshot count: LASTSAVE moves, and the
// changes in it are no longer due. So
// - an orphan, whose parent was killed, can never put an old snapshot in the place of a later
//   server's: nobody reaps it, so nobody publishes for it;
// - a name never stands for bytes that are not durable: after power loss it is the last snapshot
//   or the one before, and whole;
// - what counts as saved survives a power loss.
// A parent that dies in between leaves a temporary file, which the next start removes.
#pragma once

#include "kv/children.h"
#include "kv/rdb/encoder.h"
#include "kv/rdb/info.h"
#include "kv/rdb/reader.h"
#include "kv/snapshot_control.h"
#include "kv/state.h"
#include "os/os.h"

#include <string>

namespace seatrial::kv {

class Snapshots final : public SnapshotControl {
 public:
  Snapshots(os::Os& os, State& state, Children& children);

  // At the start: loads the file, if there is one, and makes it and its name durable.
  base::Result<void> restore();
  // Removes what earlier processes have left. Before anybody is served, and when no other server
  // can still be at work here.
  void clear_left_overs();
  // Begins a snapshot whenever one is due, until the fiber is cancelled.
  void run();
  // Settings have changed.
  void reconfigured() { wake_.set(); }

  base::Result<void> start() override;
  void schedule() override;
  void abandon() override;
  base::Result<void> save() override;
  base::Result<void> save_at_once() override;
  base::Result<void> reload() override;
  base::Result<void> prepare_stop(AtStop what, bool force) override;

 private:
  std::string path() const;
  rdb::Info describe() const;
  rdb::WriteOptions write_options() const;
  rdb::ReadOptions read_options() const;
  uint64_t changes() const { return state_.effects.count() - status_.saved_changes; }
  // Whether a failed attempt is long enough ago.
  bool may_try_again() const;
  bool due() const;
  // With everything else held: no one changes the data.
  base::Result<void> write_in_place();
  base::Result<void> settle_child();
  void ended(os::Pid child, uint64_t saved_changes, const ChildEnd& end);
  void succeeded(uint64_t saved_changes);

  os::Os& os_;
  State& state_;
  SnapshotStatus& status_;
  Children& children_;
  os::Event wake_;
};

}  // namespace seatrial::kv
