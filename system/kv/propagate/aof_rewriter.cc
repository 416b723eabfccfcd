#include "kv/propagate/aof_rewriter.h"

#include "base/check.h"
#include "kv/propagate/aof_base.h"
#include "kv/session.h"
#include "kv/snapshot.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::kv {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr uint64_t kFailuresUnlimited = 3;
constexpr minutes kRetryDelayMax{60};

base::Result<void> child_failed(const os::ExitStatus& status) {
  return base::fail(base::Errc::kIo, fmt::format("the child ended with {} {}",
                                                 status.exited ? "code" : "signal", status.code));
}

// What the child does. It only prepares: nothing that it leaves counts before it was reaped.
int write_base_in_child(os::Os& os, const os::Snapshot& data, const std::string& directory,
                        const BaseOptions& options) {
  const auto& snapshot = static_cast<const KeyspaceSnapshot&>(data);
  const std::string path = AofFiles::rewrite_path(directory, os.process.pid());
  // It is not there yet if the log was never on.
  static_cast<void>(os.disk.make_directory(directory));
  auto written = write_base(os.disk, path, snapshot.keyspace(), snapshot.info(), options);
  if (written) return 0;
  os.log.error("{}: {}", path, written.error().message());
  return 1;
}

}  // namespace

AofRewriter::AofRewriter(os::Os& os, State& state, Children& children, Aof& aof, AofFiles& files)
    : os_(os), state_(state), children_(children), aof_(aof), files_(files), work_(os.fibers) {}

void AofRewriter::opened() { set_phase(Phase::kOn); }

void AofRewriter::set_phase(Phase phase) {
  phase_ = phase;
  state_.log_status.enabled = phase != Phase::kOff;
  // A replication that has begun wants them as well.
  if (phase != Phase::kOff) state_.effects.set_wanted(true);
  state_.log_status.awaiting_base = phase == Phase::kAwaitingBase;
}

AofRewriter::Rewrite AofRewriter::rewrite(bool later) {
  if (state_.child.is(ChildKind::kAofRewrite)) return Rewrite::kRunning;
  if (later || children_.running() || aof_.turning() || received_) {
    // Asked for by hand, it need not wait for what has failed before.
    state_.log_status.rewrite_failures = 0;
    schedule();
    return Rewrite::kScheduled;
  }
  if (auto begun = begin(); !begun) return Rewrite::kFailed;
  return Rewrite::kStarted;
}

void AofRewriter::schedule() {
  state_.log_status.rewrite_scheduled = true;
  work_.set();
}

bool AofRewriter::switch_on(bool later) {
  if (phase_ != Phase::kOff) return true;
  set_phase(Phase::kAwaitingBase);
  // A rewrite that runs cannot be used: nobody has kept what came after its fork.
  if (state_.child.is(ChildKind::kAofRewrite)) children_.kill();
  if (later || children_.running() || aof_.turning()) {
    os_.log.info("The append-only file is switched on once a rewrite can begin");
    schedule();
    return true;
  }
  if (begin()) return true;
  set_phase(Phase::kOff);
  state_.log_status.rewrite_scheduled = false;
  return false;
}

void AofRewriter::switch_off() {
  if (phase_ == Phase::kOff) return;
  ++era_;
  set_phase(Phase::kOff);
  state_.log_status.rewrite_scheduled = false;
  received_.reset();
  aof_.stop();
  if (state_.child.is(ChildKind::kAofRewrite)) children_.kill();
}

void AofRewriter::restart_with(std::optional<std::string> snapshot) {
  if (phase_ == Phase::kOff) return;
  CHECK(state_.effects.empty());
  MARK("aof: a new log after a full resync");
  ++era_;
  set_phase(Phase::kAwaitingBase);
  received_.reset();
  if (state_.child.is(ChildKind::kAofRewrite)) children_.kill();
  if (snapshot && !aof_.turning()) {
    received_ = Candidate{.path = std::move(*snapshot), .successor = turn(), .era = era_};
    work_.set();
    return;
  }
  aof_.stop();
  schedule();
}

void AofRewriter::run() {
  while (true) {
    const auto tick = state_.log_status.rewrite_scheduled ? milliseconds(100) : seconds(1);
    work_.reset();
    const auto waited = work_.wait(os_.clock.monotonic() + tick);
    if (!waited && waited.error() == base::Errc::kCancelled) return;
    if (received_) {
      Candidate candidate = *std::exchange(received_, std::nullopt);
      if (auto done = take(candidate); !done) {
        if (done.error() == base::Errc::kCancelled) return;
        failed(done.error(), candidate);
      }
    }
    // The data and what is logged must be of the same instant: nothing parks from here on.
    if (!children_.running() && !aof_.turning() && due()) static_cast<void>(begin());
  }
}

bool AofRewriter::due() {
  if (!state_.log_status.rewrite_scheduled && !grown()) return false;
  if (limited()) return false;
  if (!state_.log_status.rewrite_scheduled) {
    MARK("aof: rewritten because it has grown");
    os_.log.info("The append-only file has grown to {} bytes and is rewritten",
                 state_.log_status.bytes());
  }
  return true;
}

bool AofRewriter::grown() const {
  const Config& config = state_.config;
  if (phase_ != Phase::kOn || config.auto_aof_rewrite_percentage == 0) return false;
  if (CHANCE(os_.chaos, "aof: rewritten early")) return true;
  const auto size = static_cast<double>(state_.log_status.bytes());
  if (size <= static_cast<double>(config.auto_aof_rewrite_min_bytes)) return false;
  const double base = std::max(1.0, static_cast<double>(state_.log_status.rewritten_bytes));
  return size * 100 / base - 100 >= static_cast<double>(config.auto_aof_rewrite_percentage);
}

bool AofRewriter::limited() {
  if (state_.log_status.rewrite_failures < kFailuresUnlimited) {
    retry_delay_ = minutes(0);
    retry_at_.reset();
    return false;
  }
  const os::MonotonicTime now = os_.clock.monotonic();
  if (retry_at_) {
    if (now < *retry_at_) return true;
    retry_at_.reset();
    return false;
  }
  MARK("aof: rewrites limited after failures");
  retry_delay_ = std::clamp(2 * retry_delay_, minutes(1), kRetryDelayMax);
  retry_at_ = now + retry_delay_;
  os_.log.warn("Rewriting the append-only file has failed {} times; tried again in {} minutes",
               state_.log_status.rewrite_failures, retry_delay_.count());
  return true;
}

base::Result<void> AofRewriter::begin() {
  CHECK(state_.effects.empty());
  CHECK(!aof_.turning());
  state_.log_status.rewrite_scheduled = false;
  BaseOptions options;
  options.rdb = state_.config.aof_use_rdb_preamble;
  options.incremental_sync = state_.config.aof_rewrite_incremental_fsync;
  rdb::Info info;
  state_.log_status.rewrite_begun = wall_ms(os_.clock);
  info.created_seconds = state_.log_status.rewrite_begun / 1000;
  const KeyspaceSnapshot snapshot(state_.keyspace, info);
  const auto child = children_.start(
      ChildKind::kAofRewrite, snapshot,
      [directory = files_.directory(), options](os::Os& os, const os::Snapshot& data) {
        return write_base_in_child(os, data, directory, options);
      },
      [this](const ChildEnd& end) { ended(end); });
  if (!child) {
    failed(child.error(), {.era = era_});
    return base::fail(child.error());
  }
  os_.log.info("Rewriting the append-only file in the background, by process {}", *child);
  in_child_ = Candidate{
      .path = AofFiles::rewrite_path(files_.directory(), *child), .rdb = options.rdb, .era = era_};
  if (phase_ != Phase::kOff) in_child_->successor = turn();
  return {};
}

ManifestFile AofRewriter::turn() {
  ManifestFile successor = files_.next_increment();
  aof_.turn(successor, phase_ == Phase::kOn);
  return successor;
}

void AofRewriter::ended(const ChildEnd& end) {
  Candidate candidate = *std::exchange(in_child_, std::nullopt);
  LogStatus& status = state_.log_status;
  const auto took = os_.clock.monotonic() - state_.child.begun;
  status.last_rewrite_seconds = std::chrono::duration_cast<seconds>(took).count();
  // Killed on purpose: nobody has failed.
  candidate.wanted = !end.intended;
  auto done = end.succeeded() ? take(candidate) : child_failed(end.status);
  if (!done) failed(done.error(), candidate);
}

base::Result<void> AofRewriter::take(Candidate& candidate) {
  if (candidate.successor && !TRY(aof_.await_turn())) {
    return base::fail(base::Errc::kIo, "no new increment could be begun");
  }
  TRY(files_.changing().lock());
  const UnlockLater unlock(files_.changing());
  if (candidate.era != era_) {
    return base::fail(base::Errc::kClosed, "the log was switched off or begun anew");
  }
  TRY(publish(candidate));
  MARK("aof: new base taken");
  LogStatus& status = state_.log_status;
  status.last_rewrite_good = true;
  status.rewrite_failures = 0;
  ++status.rewrites;
  status.rewritten_bytes = status.bytes();
  os_.log.info("The append-only file begins with {} now", candidate.path);
  // Only now: what replies promise holds from here on.
  if (phase_ == Phase::kAwaitingBase && candidate.era == era_) set_phase(Phase::kOn);
  if (auto deleted = files_.delete_history(); !deleted) {
    os_.log.warn("{}: history stays: {}", files_.directory(), deleted.error().message());
  }
  return {};
}

base::Result<void> AofRewriter::publish(Candidate& candidate) {
  const ManifestFile base = files_.next_base(candidate.rdb);
  const std::string path = files_.path(base.name);
  {
    const auto file = TRY(os_.disk.open(candidate.path, os::kReadOnly));
    candidate.bytes = TRY(file->size());
  }
  TRY(os_.disk.rename(candidate.path, path));
  candidate.path = path;
  TRY(files_.sync_names());
  Manifest manifest = with_base(candidate, base);
  TRY(files_.draft(manifest));
  candidate.offered = true;
  TRY(files_.commit(std::move(manifest)));
  state_.log_status.earlier_bytes = candidate.bytes;
  return {};
}

Manifest AofRewriter::with_base(const Candidate& candidate, const ManifestFile& base) const {
  const Manifest& old = files_.manifest();
  Manifest manifest{.base = base};
  if (candidate.successor) manifest.increments.push_back(*candidate.successor);
  const auto retire = [&](const ManifestFile& file) {
    if (file != candidate.successor) manifest.history.push_back(file);
  };
  if (old.base) retire(*old.base);
  for (const ManifestFile& file : old.history) retire(file);
  for (const ManifestFile& file : old.increments) retire(file);
  return manifest;
}

void AofRewriter::failed(const base::Error& error, const Candidate& candidate) {
  MARK("aof: rewrite failed");
  LogStatus& status = state_.log_status;
  if (candidate.wanted && candidate.era == era_) {
    os_.log.error("The append-only file was not rewritten: {}", error.message());
    status.last_rewrite_good = false;
    ++status.rewrite_failures;
  }
  // If a manifest may name it, the next start finds out what it is good for.
  if (!candidate.path.empty() && !candidate.offered) {
    static_cast<void>(os_.disk.unlink(candidate.path));
  }
  if (phase_ == Phase::kAwaitingBase) schedule();
}

}  // namespace seatrial::kv
