// Step 6: keeps the append-only log short, and switches it on and off. BGREWRITEAOF, by request or
// because the log has grown: a forked child writes a new base of the data as it is at the fork,
// and the log turns to a new increment at the same instant (aof.h). When the child has ended well
// the new base takes the place of all that came before:
//
//   the child    writes temp-rewriteaof-bg-<pid>.aof and syncs it
//   the parent   renames it to <log>.<n>.base.rdb and syncs the directory
//                puts a manifest in place: the new base, the increments since the fork, and as
//                history all that they replace
//                deletes the history, and then that part of the manifest
//
// Until that manifest is in place the old base and all increments are the log; from then on both
// ways to load it give the same data, and the old one is deleted only when the new manifest is
// durable. A child that fails or is killed leaves the log as it was, one increment longer.
//
// The log is off, on, or awaiting its base: after `CONFIG SET appendonly yes` and after a full
// resync the data has no log yet. Then effects go to an increment that the manifest calls history,
// and base and increment come to count together, by one manifest. A crash before finds the log as
// it was before, or none: never a part of the old data with a part of the new. What replies
// promise (appendfsync) holds once the log is on.
#pragma once

#include "kv/children.h"
#include "kv/log_control.h"
#include "kv/propagate/aof.h"
#include "kv/propagate/aof_files.h"
#include "kv/state.h"
#include "os/os.h"

#include <cstdint>
#include <optional>
#include <string>

namespace seatrial::kv {

class AofRewriter final : public LogControl {
 public:
  AofRewriter(os::Os& os, State& state, Children& children, Aof& aof, AofFiles& files);

  // The log was opened at the start, and is on.
  void opened();

  Rewrite rewrite(bool later) override;
  bool switch_on(bool later) override;
  void switch_off() override;
  void restart_with(std::optional<std::string> snapshot) override;

  // Rewrites that are due, until the fiber is cancelled.
  void run();

 private:
  enum class Phase : uint8_t { kOff, kAwaitingBase, kOn };
  // A base that is to take the place of all that came before.
  struct Candidate {
    std::string path;
    bool rdb = true;
    std::optional<ManifestFile> successor;  // The increment that goes on from it.
    uint64_t era = 0;
    uint64_t bytes = 0;
    bool wanted = true;    // If it fails that is worth a word.
    bool offered = false;  // A manifest that names it may be in place.
  };

  void set_phase(Phase phase);
  void schedule();
  bool due();
  bool grown() const;
  // Whether so many rewrites have failed that the next has to wait.
  bool limited();
  // Forks, and turns to the increment that goes on from there.
  base::Result<void> begin();
  ManifestFile turn();
  // In the reaper's fiber.
  void ended(const ChildEnd& end);
  // Waits for the turn, and makes the candidate the base. Parks.
  base::Result<void> take(Candidate& candidate);
  base::Result<void> publish(Candidate& candidate);
  Manifest with_base(const Candidate& candidate, const ManifestFile& base) const;
  void failed(const base::Error& error, const Candidate& candidate);

  os::Os& os_;
  State& state_;
  Children& children_;
  Aof& aof_;
  AofFiles& files_;
  Phase phase_ = Phase::kOff;
  // Counts switching off and restarting: a base begun in an earlier era is not wanted any more.
  uint64_t era_ = 0;
  std::optional<Candidate> in_child_;  // What the child writes.
  std::optional<Candidate> received_;  // To be taken by run().
  std::optional<os::MonotonicTime> retry_at_;
  std::chrono::minutes retry_delay_{0};
  os::Event work_;
};

}  // namespace seatrial::kv
