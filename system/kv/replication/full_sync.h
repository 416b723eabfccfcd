// Snapshots for replicas that need everything: a forked child writes the data as it is at one
// offset of the history, into a file that is then sent (disk), or through this process straight
// to the replicas (diskless). Several replicas share one child.
//
// A replica may join a child that works for others already: from the fork on, the stream behind
// the snapshot's offset is kept, and it begins with a SELECT. Into a diskless one nobody can come
// later, as its bytes are gone.
//
// Invariants: an id and offset told to a replica are those of the instant of the fork. Nothing
// counts as a snapshot before its child has ended well.
#pragma once

#include "kv/children.h"
#include "kv/rdb/info.h"
#include "kv/replication/feed.h"
#include "kv/state.h"
#include "os/os.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::kv {

// One snapshot on its way. Shared by the replicas that it is for.
class SnapshotJob {
 public:
  enum class Phase : uint8_t { kWorking, kReady, kFailed };

  SnapshotJob(os::Os& os, const History& history, const Feed& feed, bool diskless);

  const std::string id;
  const uint64_t offset;
  const bool diskless;

  Phase phase() const { return phase_; }
  // Woken whenever something below, or the phase, has changed.
  os::WaitQueue& changed() { return changed_; }

  // Of a file, once it is ready.
  const std::string& path() const { return path_; }

  // Diskless: pieces one after the other, each there until all users have taken it.
  const std::string& mark() const { return mark_; }
  uint64_t pieces() const { return pieces_; }
  base::Bytes piece() const { return piece_; }
  void taken();

 private:
  friend class FullSync;

  void set_phase(Phase phase);

  Phase phase_ = Phase::kWorking;
  os::WaitQueue changed_;
  // Keeps the stream behind the snapshot while replicas may still join.
  std::optional<Backlog::Cursor> pin_;
  size_t users_ = 0;
  std::optional<bool> child_succeeded_;
  bool relayed_ = false;  // Every byte of the child's has become a piece.
  std::string path_;
  std::string mark_;
  uint64_t pieces_ = 0;
  std::string piece_;
  size_t untaken_ = 0;  // Users who have not taken this piece.
};

class FullSync {
 public:
  // One that waits for a snapshot.
  struct Waiting {
    bool takes_eof = false;
    os::MonotonicTime since{};
    // Called with the snapshot it gets, or with null where none could be started.
    std::function<void(const std::shared_ptr<SnapshotJob>& job)> begin;
  };

  FullSync(os::Os& os, State& state, Feed& feed, Children& children);

  // Asks for a snapshot; returns a number to withdraw it with.
  uint64_t ask(Waiting waiting);
  void withdraw(uint64_t number);
  // The snapshot that is being made, if one who comes now may have it as well: it is then one of
  // its users.
  std::shared_ptr<SnapshotJob> join();
  // Ends the use of a job. `owes_piece`: it has not taken the piece that there is.
  void leave(SnapshotJob& job, bool owes_piece);
  // The data is not that of the history any more: whatever is being made is of no use.
  void abandon();

  // Makes what is asked for, until the fiber is cancelled.
  void run();

 private:
  struct Asked {
    uint64_t number;
    Waiting waiting;
  };

  base::Result<void> run_until_cancelled();
  // What an earlier life has left behind.
  void remove_old_files();
  void remove_litter();
  bool can_start() const;
  bool wants_diskless() const;
  rdb::Info describe(const SnapshotJob& job) const;
  // How long until a snapshot should be started; zero: now.
  os::Duration until_due() const;
  void start();
  base::Result<void> start_on_disk(const std::shared_ptr<SnapshotJob>& job);
  base::Result<void> start_diskless(const std::shared_ptr<SnapshotJob>& job);
  void relay(const std::shared_ptr<SnapshotJob>& job, os::Stream& child);
  void ended(const std::shared_ptr<SnapshotJob>& job, const ChildEnd& end);
  void settle(SnapshotJob& job);

  os::Os& os_;
  State& state_;
  Feed& feed_;
  Children& children_;
  base::RandomStream random_;
  uint64_t next_number_ = 1;
  uint64_t next_file_ = 1;
  std::vector<Asked> asked_;
  std::shared_ptr<SnapshotJob> working_;  // While its child runs.
  std::vector<std::string> litter_;       // Files that nobody needs any more.
  os::Event work_;
  os::FiberGroup relays_;
};

}  // namespace seatrial::kv
