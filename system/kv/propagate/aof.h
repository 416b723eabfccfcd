// Step 6: the append-only file. Effects gather in memory; one fiber takes all that is there,
// writes it as a batch, syncs it where the policy is `always`, and then lets the replies through
// the gate that wait for it: one sync serves everybody who wrote meanwhile (group commit).
//
// Invariants. Bytes are written in order and at known offsets, so a short write is completed in
// place. A batch ends between two units: what one request or one EXEC did is in one batch.
// durable_ never exceeds what a successful sync covered.
//
// The log goes on in another file (turn) at the instant of a fork: what was appended before
// belongs to the old one, what is appended later to the successor. The flusher first brings the
// old file to its end and syncs it; then it makes the successor, and the manifest that names it,
// durable; only then is the first byte written to the successor. So whatever the gate lets
// through stands in a file that a durable manifest names, and of two files the earlier is whole.
// A failure before the new manifest is put in place leaves all as it was: the turn is abandoned,
// and the log goes on in the old file. A failure while it is put in place ends the process.
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
#include "kv/propagate/aof_files.h"
#include "kv/propagate/effect.h"
#include "kv/propagate/gate.h"
#include "kv/propagate/unit.h"
#include "kv/state.h"
#include "os/os.h"
#include "resp/buffer.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace seatrial::kv {

class Aof {
 public:
  // `on_fatal` is called once, with the reason, when the process must end.
  Aof(os::Os& os, State& state, ReplyGate& gate, AofFiles& files,
      std::move_only_function<void(const base::Error&)> on_fatal);

  // Goes on with the manifest's last increment, whose `size` bytes are all durable; `closed`: it
  // ends with a line that claims all of it.
  void open(std::unique_ptr<os::File> file, std::string path, uint64_t size, bool closed);

  // Whether effects are kept.
  bool accepting() const { return accepting_; }
  // Takes the effects of one request; drops them unless accepting(). Never parks.
  void append(const Effects& effects);

  // From now on effects go to `successor`. `named`: they belong to the same log as those before,
  // and the manifest names the successor as its last increment. Otherwise the successor counts
  // only once somebody publishes a manifest with its base; until then it is listed as history.
  // Does not park; not while another turn is under way.
  void turn(ManifestFile successor, bool named);
  bool turning() const { return turn_.has_value(); }
  // Parks until no turn is under way; whether the last one was made, and not abandoned.
  base::Result<bool> await_turn();

  // From now on effects are dropped; what is there is still written, and the file closed. If it
  // cannot be written for now, it is given up.
  void stop();

  // The fibers of the log, until they are cancelled.
  void run_flusher();
  void run_syncer();

  // Writes and syncs all that there is, at the end; the fibers have ended.
  base::Result<void> close();

  void policy_changed();
  uint64_t file_bytes() const { return file_end_; }
  uint64_t durable_bytes() const { return durable_; }

 private:
  // Effects not yet taken.
  struct Pending {
    resp::Buffer bytes;
    size_t first_unit_bytes = 0;  // The first unit, which no batch may split.
  };
  struct Turn {
    ManifestFile successor;
    bool named;
  };

  FsyncPolicy policy() const { return state_.config.appendfsync; }
  // The last `bytes` of pending_, or of next_ while a turn is under way, are a new unit.
  void logged(Pending& pending, size_t bytes);
  Pending& target() { return turn_ ? next_ : pending_; }
  bool has_work() const { return !pending_.bytes.empty() || turn_ || closing_; }

  // Moves what is to be written next, with its annotation, to `batch_`.
  void take_batch();
  base::Result<void> write_batch();
  // As write_batch(), but comes back only when it is done or nothing can be done any more.
  base::Result<void> write_batch_stubbornly();
  void refuse_writes(const base::Error& error);
  void accept_writes();
  bool syncs_every_second() const;
  // Keeps the window of `everysec`: waits while what is unsynced is too old.
  base::Result<void> await_window();
  base::Result<void> sync();
  base::Result<void> flush_once();
  base::Result<void> flush_batch();

  base::Result<void> make_turn();
  base::Result<std::unique_ptr<os::File>> prepare_turn(const Turn& turn, const Manifest& manifest);
  base::Result<void> finish_file();
  base::Result<void> write_claim();
  void abandon_turn(const base::Error& error);
  void turn_ended(bool made);
  base::Result<void> close_file();
  // Lets everything through that is not written and will not be.
  void give_up(Pending& pending);

  void fail(const base::Error& error);
  void report();

  os::Os& os_;
  State& state_;
  ReplyGate& gate_;
  AofFiles& files_;
  std::move_only_function<void(const base::Error&)> on_fatal_;
  std::shared_ptr<os::File> file_;  // Null: there is none, and nothing is pending.
  std::string path_;

  bool accepting_ = false;
  Pending pending_;  // For file_.
  Pending next_;     // For the successor.
  UnitEncoder encoder_;
  resp::Buffer batch_;  // What is being written, its annotation included.
  size_t batch_effect_bytes_ = 0;
  std::optional<Turn> turn_;
  bool turn_made_ = false;  // The last one.
  bool closing_ = false;    // The file is to be closed once all is written.

  uint64_t file_end_ = 0;     // Written up to here.
  uint64_t durable_ = 0;      // Synced up to here.
  uint64_t claimed_ = 0;      // A line that claims all before it ends here.
  uint64_t written_log_ = 0;  // As file_end_, in the gate's positions.
  os::MonotonicTime oldest_unsynced_{};
  bool sync_failed_ = false;
  bool failed_ = false;
  os::Mutex syncing_;  // Else two syncs could share one error, and one of them miss it.
  os::Event work_;
  os::Event synced_;
  os::Event turned_;
};

}  // namespace seatrial::kv
