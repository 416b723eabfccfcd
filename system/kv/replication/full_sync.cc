#include "kv/replication/full_sync.h"

#include "base/check.h"
#include "kv/rdb/sink.h"
#include "kv/rdb/writer.h"
#include "kv/session.h"
#include "kv/snapshot.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::kv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kPieceBytes = 64 * 1024;
constexpr milliseconds kChildPoll{20};
constexpr std::string_view kFilePrefix = "temp-sync-";
constexpr std::string_view kReceivedPrefix = "temp-recv-";  // See primary_link.cc.

base::Result<void> write_snapshot(const KeyspaceSnapshot& snapshot, rdb::Sink& sink) {
  return rdb::write(snapshot.keyspace(), snapshot.info(), sink);
}

// Code of a child: what goes wrong there ends it with 1, and its parent tells of it.
int write_to_file(os::Os& os, const os::Snapshot& data, const std::string& path) {
  const auto& snapshot = static_cast<const KeyspaceSnapshot&>(data);
  auto file = os.disk.open(path, os::kReplace);
  if (!file) {
    os.log.warn("cannot write {}: {}", path, file.error().message());
    return 1;
  }
  rdb::FileSink sink(**file);
  if (auto written = write_snapshot(snapshot, sink); !written) {
    os.log.warn("cannot write {}: {}", path, written.error().message());
    return 1;
  }
  return 0;
}

int write_to_parent(os::Os& os, const os::Snapshot& data, os::Stream& parent) {
  const auto& snapshot = static_cast<const KeyspaceSnapshot&>(data);
  // Its parent may have to wait for its slowest replica; if it ends, so does the stream.
  rdb::StreamSink sink(parent, os.clock, std::chrono::hours(24));
  if (auto written = write_snapshot(snapshot, sink); !written) {
    os.log.warn("cannot send the snapshot: {}", written.error().message());
    return 1;
  }
  return 0;
}

}  // namespace

SnapshotJob::SnapshotJob(os::Os& os, const History& history, const Feed& feed, bool is_diskless)
    : id(history.id()),
      offset(history.offset()),
      diskless(is_diskless),
      changed_(os.fibers),
      pin_(std::in_place, feed.backlog(), history.offset()) {}

void SnapshotJob::set_phase(Phase phase) {
  phase_ = phase;
  // Each user has a place of its own in the stream; nobody joins from here on.
  pin_.reset();
  changed_.wake_all();
}

void SnapshotJob::taken() {
  CHECK(untaken_ > 0);
  if (--untaken_ == 0) changed_.wake_all();
}

FullSync::FullSync(os::Os& os, State& state, Feed& feed, Children& children)
    : os_(os),
      state_(state),
      feed_(feed),
      children_(children),
      random_(os.random.stream("replication: marks of diskless snapshots")),
      work_(os.fibers),
      relays_(os.fibers) {}

uint64_t FullSync::ask(Waiting waiting) {
  asked_.push_back({next_number_, std::move(waiting)});
  work_.set();
  return next_number_++;
}

void FullSync::withdraw(uint64_t number) {
  std::erase_if(asked_, [&](const Asked& asked) { return asked.number == number; });
}

std::shared_ptr<SnapshotJob> FullSync::join() {
  if (!working_ || working_->diskless || working_->phase() != SnapshotJob::Phase::kWorking) {
    return nullptr;
  }
  if (working_->id != state_.replication.history.id() || working_->users_ == 0) return nullptr;
  MARK("full sync: joined a child at work");
  ++working_->users_;
  return working_;
}

void FullSync::leave(SnapshotJob& job, bool owes_piece) {
  CHECK(job.users_ > 0);
  if (owes_piece) job.taken();
  if (--job.users_ > 0) return;
  if (working_.get() == &job) {
    MARK("full sync: child of no use killed");
    os_.log.info("No replica waits for the snapshot any more: its child is ended");
    children_.kill();
  } else if (!job.path_.empty()) {
    litter_.push_back(job.path_);
    work_.set();
  }
}

void FullSync::abandon() {
  if (working_) children_.kill();
}

void FullSync::run() {
  remove_old_files();
  static_cast<void>(run_until_cancelled());
  remove_litter();
}

base::Result<void> FullSync::run_until_cancelled() {
  while (true) {
    remove_litter();
    if (asked_.empty()) {
      work_.reset();
      TRY(work_.wait());
      continue;
    }
    if (const os::Duration left = until_due(); left > os::Duration::zero()) {
      work_.reset();
      const auto waited = work_.wait(os_.clock.monotonic() + left);
      if (!waited && waited.error() == base::Errc::kCancelled) return waited;
      continue;
    }
    if (can_start()) {
      start();
    } else {
      TRY(os_.clock.sleep_for(kChildPoll));
    }
  }
}

void FullSync::remove_old_files() {
  const auto entries = os_.disk.list(state_.config.dir);
  if (!entries) return;
  for (const os::DirectoryEntry& entry : *entries) {
    const bool temporary =
        entry.name.starts_with(kFilePrefix) || entry.name.starts_with(kReceivedPrefix);
    const bool own = entry.name.find(life()) != std::string::npos;
    if (entry.kind != os::EntryKind::kFile || !temporary || own) continue;
    litter_.push_back(fmt::format("{}/{}", state_.config.dir, entry.name));
  }
  remove_litter();
}

void FullSync::remove_litter() {
  while (!litter_.empty()) {
    const std::string path = std::move(litter_.back());
    litter_.pop_back();
    // It may never have been made.
    static_cast<void>(os_.disk.unlink(path));
  }
}

bool FullSync::can_start() const {
  // A replica has nothing to give before it has its primary's data.
  const ReplicationStatus& status = state_.replication;
  return !children_.running() && feed_.active() && (!status.replica || status.link_up);
}

bool FullSync::wants_diskless() const {
  return state_.config.repl_diskless_sync &&
         std::ranges::all_of(asked_, [](const Asked& asked) { return asked.waiting.takes_eof; });
}

os::Duration FullSync::until_due() const {
  const Config& config = state_.config;
  if (!wants_diskless()) return os::Duration::zero();
  const int64_t enough = config.repl_diskless_sync_max_replicas;
  if (enough > 0 && static_cast<int64_t>(asked_.size()) >= enough) return os::Duration::zero();
  // Others may come, and share the child with the first.
  const os::Duration delay = seconds(config.repl_diskless_sync_delay_seconds);
  const os::MonotonicTime due = asked_.front().waiting.since + delay;
  return std::max(due - os_.clock.monotonic(), os::Duration::zero());
}

void FullSync::start() {
  const bool diskless = wants_diskless();
  if (diskless) {
    MARK("full sync: diskless");
  } else {
    MARK("full sync: on disk");
  }
  const std::vector<Asked> asked = std::exchange(asked_, {});
  // What follows the snapshot is read by those who know nothing of what came before. A replica
  // passes on its primary's stream as it is; there the snapshot says which database is selected.
  if (!state_.replication.replica) feed_.select_again();
  auto job = std::make_shared<SnapshotJob>(os_, state_.replication.history, feed_, diskless);
  job->users_ = asked.size();
  const auto started = diskless ? start_diskless(job) : start_on_disk(job);
  if (!started) {
    os_.log.warn("Cannot make a snapshot for replicas: {}", started.error().message());
    job.reset();
  } else {
    os_.log.info("Making a snapshot at offset {} for {} replicas, {}", job->offset, asked.size(),
                 diskless ? "straight to them" : "on disk");
    working_ = job;
  }
  for (const Asked& one : asked) one.waiting.begin(job);
}

rdb::Info FullSync::describe(const SnapshotJob& job) const {
  rdb::Info info;
  info.created_seconds = wall_ms(os_.clock) / 1000;
  info.replication_id = job.id;
  info.replication_offset = static_cast<int64_t>(job.offset);
  info.replication_database = std::max(feed_.database(), 0);
  return info;
}

base::Result<void> FullSync::start_on_disk(const std::shared_ptr<SnapshotJob>& job) {
  job->path_ = fmt::format("{}/{}{}-{}.rdb", state_.config.dir, kFilePrefix, life(), next_file_++);
  const KeyspaceSnapshot snapshot(state_.keyspace, describe(*job));
  TRY(children_.start(
      ChildKind::kRdbToReplicas, snapshot,
      [path = job->path_](os::Os& os, const os::Snapshot& data) {
        return write_to_file(os, data, path);
      },
      [this, job](const ChildEnd& end) { ended(job, end); }));
  return {};
}

base::Result<void> FullSync::start_diskless(const std::shared_ptr<SnapshotJob>& job) {
  job->mark_ = make_replication_id(random_);
  const KeyspaceSnapshot snapshot(state_.keyspace, describe(*job));
  auto child = TRY(children_.start_linked(
      ChildKind::kRdbToReplicas, snapshot,
      [](os::Os& os, const os::Snapshot& data, std::unique_ptr<os::Stream> parent) {
        return write_to_parent(os, data, *parent);
      },
      [this, job](const ChildEnd& end) { ended(job, end); }));
  relays_.spawn("snapshot relay", [this, job, child = std::move(child)] { relay(job, *child); });
  return {};
}

void FullSync::relay(const std::shared_ptr<SnapshotJob>& job, os::Stream& child) {
  const int64_t piece = KNOB(os_.chaos, "replication: relayed piece bytes", kPieceBytes, 100, 4096);
  std::string buffer(static_cast<size_t>(piece), '\0');
  while (job->users_ > 0) {
    const auto count = child.read({buffer.data(), buffer.size()});
    if (!count) {
      if (count.error() != base::Errc::kCancelled) job->child_succeeded_ = false;
      break;
    }
    // How the child has ended is for the reaper to tell.
    if (*count == 0) break;
    job->piece_.assign(buffer.data(), *count);
    ++job->pieces_;
    job->untaken_ = job->users_;
    job->changed_.wake_all();
    while (job->untaken_ > 0) {
      if (job->changed_.wait() == os::Wake::kCancelled) return;
    }
  }
  job->relayed_ = true;
  settle(*job);
}

void FullSync::settle(SnapshotJob& job) {
  if (job.phase_ != SnapshotJob::Phase::kWorking || !job.child_succeeded_) return;
  if (*job.child_succeeded_ && job.diskless && !job.relayed_) return;
  job.set_phase(*job.child_succeeded_ ? SnapshotJob::Phase::kReady : SnapshotJob::Phase::kFailed);
}

void FullSync::ended(const std::shared_ptr<SnapshotJob>& job, const ChildEnd& end) {
  CHECK(working_ == job);
  working_.reset();
  const bool good = end.succeeded();
  if (!good) {
    MARK("full sync: child failed");
    if (!end.intended) {
      os_.log.warn("The child that made a snapshot for replicas ended with {} {}",
                   end.status.exited ? "code" : "signal", end.status.code);
    }
    if (!job->path_.empty()) litter_.push_back(std::exchange(job->path_, {}));
  } else if (job->users_ == 0 && !job->path_.empty()) {
    litter_.push_back(std::exchange(job->path_, {}));
  }
  if (!job->child_succeeded_) job->child_succeeded_ = good;
  settle(*job);
  work_.set();
}

}  // namespace seatrial::kv
