#include "kv/snapshots.h"

#include "kv/rdb_file.h"
#include "kv/session.h"
#include "kv/snapshot.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <utility>

namespace seatrial::kv {
namespace {

using std::chrono::seconds;

constexpr seconds kTurn{1};
constexpr seconds kRetryInterval{5};

// While it lives no other fiber of this process runs, so that the data stands still over calls
// that park.
class Standstill {
 public:
  explicit Standstill(os::Fibers& fibers) : fibers_(fibers) { fibers_.hold_others(); }
  ~Standstill() { fibers_.let_others_go(); }
  Standstill(const Standstill&) = delete;
  Standstill& operator=(const Standstill&) = delete;

 private:
  os::Fibers& fibers_;
};

// The whole life of a child: all that it has of its parent is in the arguments.
int write_in_child(os::Os& os, const os::Snapshot& data, const std::string& directory,
                   const rdb::WriteOptions& options) {
  const auto& snapshot = static_cast<const KeyspaceSnapshot&>(data);
  auto written = write_temporary_rdb(os, directory, snapshot.keyspace(), snapshot.info(), options);
  if (written) return 0;
  MARK("rdb: the child could not write its file");
  os.log.error("Background saving: {}", written.error().message());
  return 1;
}

}  // namespace

Snapshots::Snapshots(os::Os& os, State& state, Children& children)
    : os_(os), state_(state), status_(state.snapshots), children_(children), wake_(os.fibers) {
  status_.last_save = wall_ms(os.clock);
  status_.last_save_time = os.clock.monotonic();
  state.snapshot_control = this;
}

std::string Snapshots::path() const {
  return fmt::format("{}/{}", state_.config.dir, state_.config.dbfilename);
}

rdb::Info Snapshots::describe() const {
  rdb::Info info;
  info.created_seconds = wall_ms(os_.clock) / 1000;
  info.used_memory_bytes = state_.used_memory();
  return info;
}

rdb::WriteOptions Snapshots::write_options() const {
  return {.compress = state_.config.rdbcompression, .checksum = state_.config.rdbchecksum};
}

rdb::ReadOptions Snapshots::read_options() const {
  // A replica keeps what has expired until its primary says so; and where replicas hold the same
  // data, a key goes by a DEL of the stream and not otherwise.
  if (!state_.config.primary_host.empty() || state_.replication.streaming) return {};
  return {.expire_at = wall_ms(os_.clock)};
}

// ---- The start

base::Result<void> Snapshots::restore() {
  const os::MonotonicTime begun = os_.clock.monotonic();
  auto info = load_rdb_file(os_, path(), state_.keyspace, read_options());
  if (!info && info.error() != base::Errc::kNotFound) return base::fail(info.error());
  // The name, or that there is none, may have been seen but not synced before the last crash.
  if (auto synced = os_.disk.sync_directory(state_.config.dir); !synced) {
    return base::fail(synced.error().in(fmt::format("the directory {}", state_.config.dir)));
  }
  if (!info) return {};
  MARK("rdb: loaded at the start");
  status_.keys_loaded = info->keys - info->keys_expired;
  status_.keys_expired = info->keys_expired;
  const auto took = os_.clock.monotonic() - begun;
  os_.log.info("Loaded {}: {} keys, {} more had expired, in {} ms", path(), status_.keys_loaded,
               status_.keys_expired,
               std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  return {};
}

void Snapshots::clear_left_overs() {
  auto cleared = remove_left_over_rdbs(os_, state_.config.dir);
  // They are never loaded: all that they cost is room.
  if (!cleared) os_.log.warn("left-over snapshots: {}", cleared.error().message());
}

// ---- In the background

void Snapshots::run() {
  while (true) {
    wake_.reset();
    const bool idle = state_.config.save_points.empty() && !status_.scheduled;
    const auto turn = wake_.wait(idle ? os::kNever : os_.clock.monotonic() + kTurn);
    if (!turn && turn.error() == base::Errc::kCancelled) return;
    if (children_.running() || !may_try_again()) continue;
    const bool early = !idle && changes() > 0 && CHANCE(os_.chaos, "snapshots: begun early");
    if (!status_.scheduled && !early && !due()) continue;
    static_cast<void>(start());
  }
}

bool Snapshots::may_try_again() const {
  return status_.last_background_good || !status_.last_attempt ||
         os_.clock.monotonic() - *status_.last_attempt > kRetryInterval;
}

bool Snapshots::due() const {
  const auto since = os_.clock.monotonic() - status_.last_save_time;
  for (const SavePoint& point : state_.config.save_points) {
    if (changes() < static_cast<uint64_t>(point.changes) || since <= seconds(point.seconds)) {
      continue;
    }
    os_.log.info("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    return true;
  }
  return false;
}

base::Result<void> Snapshots::start() {
  const uint64_t saved_changes = state_.effects.count();
  const KeyspaceSnapshot data(state_.keyspace, describe());
  auto child = [directory = state_.config.dir, options = write_options()](
                   os::Os& own, const os::Snapshot& frozen) {
    return write_in_child(own, frozen, directory, options);
  };
  const auto forked = children_.start(
      ChildKind::kRdbToDisk, data, std::move(child),
      [this, saved_changes](const ChildEnd& end) { ended(state_.child.pid, saved_changes, end); });
  if (!forked && forked.error() == base::Errc::kBusy) return base::fail(forked.error());
  status_.last_attempt = os_.clock.monotonic();
  if (!forked) {
    status_.last_background_good = false;
    os_.log.error("Cannot save in the background: {}", forked.error().message());
    return base::fail(forked.error());
  }
  status_.scheduled = false;
  status_.background_begun = wall_ms(os_.clock);
  os_.log.info("Background saving started by pid {}", *forked);
  return {};
}

void Snapshots::ended(os::Pid child, uint64_t saved_changes, const ChildEnd& end) {
  const std::string& directory = state_.config.dir;
  base::Result<void> outcome;
  if (!end.succeeded()) {
    outcome =
        base::fail(base::Errc::kIo,
                   end.status.exited ? fmt::format("it ended with {}", end.status.code)
                                     : fmt::format("it was ended by signal {}", end.status.code));
  } else {
    outcome = publish_rdb(os_, directory, child, state_.config.dbfilename);
  }
  status_.last_background_seconds =
      std::max<WallMs>(wall_ms(os_.clock) - status_.background_begun, 0) / 1000;
  if (outcome) {
    succeeded(saved_changes);
    os_.log.info("Background saving terminated with success");
  } else {
    remove_temporary_rdb(os_, directory, child);
    // What was given up says nothing about the disk.
    if (!end.intended) status_.last_background_good = false;
    os_.log.warn("Background saving by pid {} failed: {}", child, outcome.error().message());
  }
  wake_.set();
}

void Snapshots::succeeded(uint64_t saved_changes) {
  ++status_.saves;
  status_.saved_changes = saved_changes;
  status_.last_save = wall_ms(os_.clock);
  status_.last_save_time = os_.clock.monotonic();
  status_.last_background_good = true;
}

void Snapshots::schedule() {
  status_.scheduled = true;
  wake_.set();
}

void Snapshots::abandon() {
  if (state_.child.is(ChildKind::kRdbToDisk)) children_.kill();
}

// ---- In this process

base::Result<void> Snapshots::settle_child() {
  while (state_.child.is(ChildKind::kRdbToDisk)) {
    abandon();
    TRY(children_.await_end());
  }
  return {};
}

base::Result<void> Snapshots::write_in_place() {
  const uint64_t saved_changes = state_.effects.count();
  const std::string& directory = state_.config.dir;
  TRY(write_temporary_rdb(os_, directory, state_.keyspace, describe(), write_options()));
  auto published = publish_rdb(os_, directory, os_.process.pid(), state_.config.dbfilename);
  if (!published) {
    remove_temporary_rdb(os_, directory, os_.process.pid());
    return published;
  }
  succeeded(saved_changes);
  os_.log.info("DB saved on disk");
  return {};
}

base::Result<void> Snapshots::save() {
  if (state_.child.is(ChildKind::kRdbToDisk)) {
    return base::fail(base::Errc::kBusy, "a child is writing a snapshot");
  }
  const Standstill standstill(os_.fibers);
  auto saved = write_in_place();
  if (!saved) os_.log.error("Cannot save: {}", saved.error().message());
  return saved;
}

base::Result<void> Snapshots::save_at_once() {
  TRY(settle_child());
  return save();
}

base::Result<void> Snapshots::reload() {
  const Standstill standstill(os_.fibers);
  // On the heap, and not in the place of what is there before it is known to be good.
  struct Fresh {
    explicit Fresh(const Keyspace& old) : keyspace(old.count(), old.hash_seed(), effects) {}
    Effects effects;
    Keyspace keyspace;
  };
  const auto fresh = std::make_unique<Fresh>(state_.keyspace);
  const auto info = load_rdb_file(os_, path(), fresh->keyspace, read_options());
  if (!info) {
    os_.log.error("Cannot reload: {}", info.error().message());
    return base::fail(info.error());
  }
  state_.keyspace.replace(fresh->keyspace);
  status_.keys_loaded = info->keys - info->keys_expired;
  status_.keys_expired = info->keys_expired;
  os_.log.info("Reloaded {}", path());
  return {};
}

base::Result<void> Snapshots::prepare_stop(AtStop what, bool force) {
  if (state_.ending) return {};
  TRY(settle_child());
  const bool wanted = what == AtStop::kSave ||
                      (what == AtStop::kAsConfigured && !state_.config.save_points.empty());
  const Standstill standstill(os_.fibers);
  if (wanted) {
    os_.log.info("Saving the final RDB snapshot before exiting");
    auto saved = write_in_place();
    if (!saved && !force) {
      MARK("rdb: no end without the last snapshot");
      os_.log.error("Cannot save, so the server goes on: {}", saved.error().message());
      return saved;
    }
    if (!saved) os_.log.error("Ending without a snapshot: {}", saved.error().message());
  }
  // What a client wrote from here on would be acknowledged and not be in the snapshot.
  state_.ending = true;
  return {};
}

}  // namespace seatrial::kv
