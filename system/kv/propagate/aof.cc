#include "kv/propagate/aof.h"

#include "base/check.h"
#include "kv/propagate/aof_format.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::kv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kKeptBytes = 1024 * 1024;  // Of an empty buffer.
constexpr seconds kRetryInterval{1};
constexpr seconds kSyncInterval{1};
constexpr seconds kUnsyncedMax{2};

}  // namespace

Aof::Aof(os::Os& os, State& state, ReplyGate& gate, AofFiles& files,
         std::move_only_function<void(const base::Error&)> on_fatal)
    : os_(os),
      state_(state),
      gate_(gate),
      files_(files),
      on_fatal_(std::move(on_fatal)),
      syncing_(os.fibers),
      work_(os.fibers),
      synced_(os.fibers),
      turned_(os.fibers) {
  turned_.set();
}

void Aof::open(std::unique_ptr<os::File> file, std::string path, uint64_t size, bool closed) {
  CHECK(file_ == nullptr);
  file_ = std::move(file);
  path_ = std::move(path);
  file_end_ = size;
  durable_ = size;
  claimed_ = closed ? size : 0;
  accepting_ = true;
  report();
}

void Aof::append(const Effects& effects) {
  if (!accepting_) return;
  Pending& pending = target();
  logged(pending, encoder_.append(effects, pending.bytes));
}

void Aof::logged(Pending& pending, size_t bytes) {
  if (pending.bytes.size() == bytes) pending.first_unit_bytes = bytes;
  gate_.logged(bytes);
  work_.set();
}

void Aof::run_flusher() {
  while (!failed_) {
    if (!has_work()) work_.reset();
    if (!work_.wait()) return;
    if (CHANCE(os_.chaos, "aof: late flush")) {
      MARK("aof: flush delayed");
      if (!os_.clock.sleep_for(milliseconds(3))) return;
    }
    if (auto flushed = flush_once(); !flushed) {
      if (flushed.error() != base::Errc::kCancelled) fail(flushed.error());
      return;
    }
  }
}

base::Result<void> Aof::flush_once() {
  if (!pending_.bytes.empty() || !batch_.empty()) {
    TRY(await_window());
    TRY(flush_batch());
  }
  // While a turn is under way nothing is added to pending_.
  if (turn_ && pending_.bytes.empty() && batch_.empty()) TRY(make_turn());
  if (closing_ && !turn_ && pending_.bytes.empty() && batch_.empty()) TRY(close_file());
  report();
  return {};
}

base::Result<void> Aof::flush_batch() {
  if (batch_.empty()) take_batch();
  TRY(write_batch_stubbornly());
  if (policy() == FsyncPolicy::kAlways) TRY(sync());
  gate_.keep(written_log_);
  return {};
}

void Aof::take_batch() {
  CHECK(batch_.empty());
  CHECK(file_ != nullptr);
  size_t& first_unit_bytes = pending_.first_unit_bytes;
  const bool short_batch =
      first_unit_bytes < pending_.bytes.size() && CHANCE(os_.chaos, "aof: short batch");
  if (short_batch) {
    MARK("aof: batch of one unit");
    batch_.append(pending_.bytes.bytes().substr(0, first_unit_bytes));
    pending_.bytes.consume(first_unit_bytes);
    // Where the next unit ends is not known; all that is left goes with the next batch.
    first_unit_bytes = pending_.bytes.size();
  } else {
    batch_.swap(pending_.bytes);
  }
  batch_effect_bytes_ = batch_.size();
  CHECK(written_log_ + batch_effect_bytes_ <= gate_.end());
  gate_.keeping(written_log_ + batch_effect_bytes_);
  batch_.append(make_annotation(batch_.bytes(), file_end_, durable_));
}

base::Result<void> Aof::write_batch() {
  size_t begun = 0;
  if (CHANCE(os_.chaos, "aof: write in two")) {
    begun = batch_.size() / 2;
    TRY(os::pwrite_all(*file_, file_end_, batch_.bytes().substr(0, begun)));
  }
  TRY(os::pwrite_all(*file_, file_end_ + begun, batch_.bytes().substr(begun)));
  if (file_end_ == durable_) oldest_unsynced_ = os_.clock.monotonic();
  file_end_ += batch_.size();
  written_log_ += batch_effect_bytes_;
  batch_.clear();
  batch_.shrink_to(kKeptBytes);
  return {};
}

base::Result<void> Aof::write_batch_stubbornly() {
  while (true) {
    auto written = write_batch();
    const bool again =
        !written && written.error() != base::Errc::kCancelled && policy() != FsyncPolicy::kAlways;
    if (!again) {
      if (written && !state_.log_status.refusal.empty()) {
        os_.log.info("{}: written again, writes are accepted", path_);
        accept_writes();
      }
      return written;
    }
    MARK("aof: write failed, writes refused");
    refuse_writes(written.error());
    TRY(os_.clock.sleep_for(kRetryInterval));
    if (closing_ || (turn_ && !turn_->named)) {
      MARK("aof: a log without future given up");
      os_.log.warn("{}: closed without the last {} bytes", path_,
                   batch_effect_bytes_ + pending_.bytes.size());
      written_log_ += batch_effect_bytes_;
      batch_.clear();
      give_up(pending_);
      accept_writes();
      return {};
    }
  }
}

void Aof::refuse_writes(const base::Error& error) {
  if (state_.log_status.refusal.empty()) {
    os_.log.error("{}: writing at offset {}: {}; writes are refused until it works", path_,
                  file_end_, error.message());
  }
  state_.log_status.refusal =
      fmt::format("MISCONF Errors writing to the AOF file: {}", base::to_string(error.code()));
  gate_.set_stalled(true);
}

void Aof::accept_writes() {
  state_.log_status.refusal.clear();
  gate_.set_stalled(false);
}

bool Aof::syncs_every_second() const {
  if (policy() != FsyncPolicy::kEverySecond) return false;
  return !state_.config.no_appendfsync_on_rewrite || !state_.child.kind;
}

base::Result<void> Aof::await_window() {
  bool counted = false;
  while (syncs_every_second() && file_end_ != durable_ &&
         os_.clock.monotonic() - oldest_unsynced_ > kUnsyncedMax) {
    MARK("aof: write waits for a late sync");
    if (!std::exchange(counted, true)) ++state_.log_status.delayed_syncs;
    synced_.reset();
    TRY(synced_.wait());
  }
  return {};
}

base::Result<void> Aof::sync() {
  TRY(syncing_.lock());
  const UnlockLater unlock(syncing_);
  if (sync_failed_) return base::fail(base::Errc::kIo, "an earlier sync has failed");
  // The log may turn to another file meanwhile.
  const std::shared_ptr<os::File> file = file_;
  if (file == nullptr || file_end_ == durable_) return {};
  const uint64_t target = file_end_;
  const os::MonotonicTime begun = os_.clock.monotonic();
  auto synced = file->sync_data();
  sync_failed_ = !synced;
  TRY(std::move(synced));
  if (file != file_) return {};
  CHECK(target <= file_end_);
  if (target > durable_) durable_ = target;
  if (file_end_ != durable_) oldest_unsynced_ = std::max(oldest_unsynced_, begun);
  synced_.set();
  return {};
}

void Aof::run_syncer() {
  while (!failed_) {
    if (!os_.clock.sleep_for(kSyncInterval)) return;
    if (!syncs_every_second() || file_end_ == durable_) {
      // Whoever waits for the window must see that the policy has changed.
      synced_.set();
      continue;
    }
    if (auto synced = sync(); !synced) {
      if (synced.error() != base::Errc::kCancelled) fail(synced.error());
      return;
    }
    report();
  }
}

void Aof::fail(const base::Error& error) {
  MARK("aof: fail-stop");
  if (std::exchange(failed_, true)) return;
  gate_.fail();
  on_fatal_(error.in(fmt::format("{}: after offset {}", path_, durable_)));
}

// A last line that says how much is on disk: whatever of it is damaged later is not a torn tail.
base::Result<void> Aof::write_claim() {
  CHECK(durable_ == file_end_);
  if (claimed_ == file_end_) return {};
  const std::string line = make_annotation({}, file_end_, durable_);
  TRY(os::pwrite_all(*file_, file_end_, line));
  file_end_ += line.size();
  claimed_ = file_end_;
  return {};
}

void Aof::turn(ManifestFile successor, bool named) {
  CHECK(!turn_);
  CHECK(!named || accepting_);
  CHECK(next_.bytes.empty());
  MARK("aof: turn to a new file");
  turn_ = Turn{std::move(successor), named};
  closing_ = false;
  accepting_ = true;
  // The new file's reader has selected nothing.
  encoder_.restart();
  turned_.reset();
  work_.set();
}

base::Result<bool> Aof::await_turn() {
  while (turn_) TRY(turned_.wait());
  return turn_made_;
}

base::Result<void> Aof::make_turn() {
  TRY(files_.changing().lock());
  const UnlockLater unlock(files_.changing());
  const Turn turn = *turn_;
  Manifest manifest = files_.manifest();
  (turn.named ? manifest.increments : manifest.history).push_back(turn.successor);
  auto successor = prepare_turn(turn, manifest);
  if (!successor) {
    if (sync_failed_ || successor.error() == base::Errc::kCancelled) {
      return base::fail(successor.error());
    }
    abandon_turn(successor.error());
    return {};
  }
  if (auto put = files_.commit(std::move(manifest)); !put) {
    if (turn.named) return base::fail(put.error().in(files_.manifest_path()));
    abandon_turn(put.error());
    return {};
  }
  if (turn.named) state_.log_status.earlier_bytes += file_end_;
  file_ = std::move(*successor);
  path_ = files_.path(turn.successor.name);
  file_end_ = durable_ = make_annotation({}, 0, 0).size();
  claimed_ = 0;
  pending_ = std::exchange(next_, {});
  turn_ended(true);
  return {};
}

base::Result<std::unique_ptr<os::File>> Aof::prepare_turn(const Turn& turn,
                                                          const Manifest& manifest) {
  TRY(finish_file());
  // The directory is not there yet if the log was never on.
  if (!turn.named) TRY(files_.make_directory());
  auto successor = TRY(files_.create_increment(turn.successor));
  TRY(files_.sync_names());
  TRY(files_.draft(manifest));
  return successor;
}

// Brings the file to an end that no torn write can be taken for.
base::Result<void> Aof::finish_file() {
  if (file_ == nullptr) return {};
  TRY(sync());
  TRY(write_claim());
  return sync();
}

void Aof::abandon_turn(const base::Error& error) {
  MARK("aof: turn abandoned");
  os_.log.error("cannot go on in {}: {}", files_.path(turn_->successor.name), error.message());
  if (turn_->named) {
    pending_ = std::exchange(next_, {});
  } else {
    give_up(next_);
    file_.reset();
    file_end_ = durable_ = claimed_ = 0;
    accepting_ = false;
  }
  turn_ended(false);
}

void Aof::turn_ended(bool made) {
  turn_.reset();
  turn_made_ = made;
  turned_.set();
}

void Aof::give_up(Pending& pending) {
  written_log_ += pending.bytes.size();
  pending = {};
  gate_.keeping(written_log_);
  gate_.keep(written_log_);
}

void Aof::stop() {
  if (!accepting_) return;
  accepting_ = false;
  closing_ = true;
  work_.set();
}

base::Result<void> Aof::close_file() {
  if (auto finished = finish_file(); !finished) {
    if (sync_failed_ || finished.error() == base::Errc::kCancelled) return finished;
    os_.log.warn("{}: {}", path_, finished.error().message());
  }
  // Somebody may have turned to another file meanwhile, which closes this one as well.
  if (!std::exchange(closing_, false)) return {};
  file_.reset();
  file_end_ = durable_ = claimed_ = 0;
  return {};
}

base::Result<void> Aof::close() {
  if (failed_) return base::fail(base::Errc::kIo, path_ + ": the log has failed");
  while (!batch_.empty() || has_work()) {
    if (batch_.empty() && !pending_.bytes.empty()) take_batch();
    if (!batch_.empty()) {
      TRY(write_batch());
      continue;
    }
    TRY(turn_ ? make_turn() : close_file());
  }
  TRY(finish_file());
  gate_.keep(written_log_);
  report();
  return {};
}

void Aof::policy_changed() {
  const bool all_durable = file_end_ == durable_ && !has_work() && batch_.empty();
  if (!accepting_ || policy() != FsyncPolicy::kAlways || all_durable) return;
  // From here on no reply may show what is not on disk. A command without effect moves the log's
  // end, so that every later reply waits for the sync that covers it and all before it.
  MARK("aof: policy raised to always");
  Pending& pending = target();
  logged(pending, encoder_.append_idle(pending.bytes));
}

void Aof::report() {
  state_.log_status.file_bytes = file_end_;
  state_.log_status.pending_bytes = pending_.bytes.size() + next_.bytes.size() + batch_.size();
}

}  // namespace seatrial::kv
