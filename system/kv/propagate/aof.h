// Step 6: the append-only file. Effects gather in memory; one fiber takes all that is there,
// writes it as a batch, syncs it where the policy is `always`, and then lets the replies through
// the gate that wait for it: one sync serves everybody who wrote meanwhile (group commit).
//
// Invariants. Bytes are written in order and at known offsets, so a short write is completed in
// place. A batch ends between two units: what one request or one EXEC did is in one batch.
// durable_ never exceeds what a successful sync covered.
//
// When the disk fails:
// - `always`: a failed write or sync ends the process (on_fatal). Nothing that was not kept is
//   acknowledged, and nothing is served any more.
// - `everysec`, `no`, a failed write: writes are refused with MISCONF, and the batch is written
//   again every second until it works; the replies that wait for it keep waiting.
// - `everysec`, a failed sync: ends the process as well. What the system has dropped cannot be
//   told from here, and the start makes what it finds durable before serving (aof_replay.h).
// Under `everysec` no batch is written while the oldest byte not yet synced is older than two
// seconds: that is how much a power loss may take.
#pragma once

#include "kv/config.h"
#include "kv/propagate/effect.h"
#include "kv/propagate/gate.h"
#include "kv/propagate/unit.h"
#include "kv/state.h"
#include "os/os.h"
#include "resp/buffer.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace seatrial::kv {

class Aof {
 public:
  // `on_fatal` is called once, with the reason, when the process must end.
  Aof(os::Os& os, State& state, ReplyGate& gate,
      std::move_only_function<void(const base::Error&)> on_fatal);

  // Goes on with `file`, whose `size` bytes are all durable.
  void open(std::unique_ptr<os::File> file, std::string path, uint64_t size);

  // Takes the effects of one request. Never parks.
  void append(const Effects& effects);

  // The fibers of the log, until they are cancelled.
  void run_flusher();
  void run_syncer();

  // Writes and syncs all that there is, at the end; the fibers have ended.
  base::Result<void> close();

  void policy_changed();
  uint64_t file_bytes() const { return file_end_; }
  uint64_t durable_bytes() const { return durable_; }

 private:
  FsyncPolicy policy() const { return state_.config.appendfsync; }
  // The last `bytes` of pending_ are a new unit.
  void logged(size_t bytes);
  // Moves what is to be written next, with its annotation, to `batch_`.
  void take_batch();
  base::Result<void> write_batch();
  // As write_batch(), but comes back only when it is done or nothing can be done any more.
  base::Result<void> write_batch_stubbornly();
  // Keeps the window of `everysec`: waits while what is unsynced is too old.
  base::Result<void> await_window();
  base::Result<void> claim_all();
  base::Result<void> sync();
  base::Result<void> flush_once();
  void fail(const base::Error& error);
  void report();

  os::Os& os_;
  State& state_;
  ReplyGate& gate_;
  std::move_only_function<void(const base::Error&)> on_fatal_;
  std::unique_ptr<os::File> file_;
  std::string path_;

  resp::Buffer pending_;         // Effects not yet taken.
  size_t first_unit_bytes_ = 0;  // Of pending_: its first unit, which no batch may split.
  UnitEncoder encoder_;
  resp::Buffer batch_;  // What is being written, its annotation included.
  size_t batch_effect_bytes_ = 0;

  uint64_t file_end_ = 0;     // Written up to here.
  uint64_t durable_ = 0;      // Synced up to here.
  uint64_t written_log_ = 0;  // As file_end_, in the gate's positions.
  os::MonotonicTime oldest_unsynced_{};
  bool failed_ = false;
  os::Event work_;
  os::Event synced_;
};

}  // namespace seatrial::kv
