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

Aof::Aof(os::Os& os, State& state, ReplyGate& gate,
         std::move_only_function<void(const base::Error&)> on_fatal)
    : os_(os),
      state_(state),
      gate_(gate),
      on_fatal_(std::move(on_fatal)),
      work_(os.fibers),
      synced_(os.fibers) {}

void Aof::open(std::unique_ptr<os::File> file, std::string path, uint64_t size) {
  file_ = std::move(file);
  path_ = std::move(path);
  file_end_ = size;
  durable_ = size;
  report();
}

void Aof::append(const Effects& effects) {
  CHECK(file_ != nullptr);
  logged(encoder_.append(effects, pending_));
}

void Aof::logged(size_t bytes) {
  if (pending_.size() == bytes) first_unit_bytes_ = bytes;
  gate_.logged(bytes);
  work_.set();
}

void Aof::run_flusher() {
  while (!failed_) {
    if (pending_.empty()) work_.reset();
    if (!work_.wait()) return;
    if (os_.chaos.chance("aof: late flush")) {
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
  TRY(await_window());
  if (batch_.empty()) take_batch();
  TRY(write_batch_stubbornly());
  if (policy() == FsyncPolicy::kAlways) TRY(sync());
  gate_.keep(written_log_);
  report();
  return {};
}

void Aof::take_batch() {
  CHECK(batch_.empty());
  const bool short_batch =
      first_unit_bytes_ < pending_.size() && os_.chaos.chance("aof: short batch");
  if (short_batch) {
    MARK("aof: batch of one unit");
    batch_.append(pending_.bytes().substr(0, first_unit_bytes_));
    pending_.consume(first_unit_bytes_);
    // Where the next unit ends is not known; all that is left goes with the next batch.
    first_unit_bytes_ = pending_.size();
  } else {
    batch_.swap(pending_);
  }
  batch_effect_bytes_ = batch_.size();
  CHECK(written_log_ + batch_effect_bytes_ <= gate_.end());
  gate_.keeping(written_log_ + batch_effect_bytes_);
  batch_.append(make_annotation(batch_.bytes(), file_end_, durable_));
}

base::Result<void> Aof::write_batch() {
  TRY(os::pwrite_all(*file_, file_end_, batch_.bytes()));
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
        state_.log_status.refusal.clear();
        gate_.set_stalled(false);
      }
      return written;
    }
    MARK("aof: write failed, writes refused");
    if (state_.log_status.refusal.empty()) {
      os_.log.error("{}: writing at offset {}: {}; writes are refused until it works", path_,
                    file_end_, written.error().message());
    }
    state_.log_status.refusal = fmt::format("MISCONF Errors writing to the AOF file: {}",
                                            base::to_string(written.error().code()));
    gate_.set_stalled(true);
    TRY(os_.clock.sleep_for(kRetryInterval));
  }
}

base::Result<void> Aof::await_window() {
  while (policy() == FsyncPolicy::kEverySecond && file_end_ != durable_ &&
         os_.clock.monotonic() - oldest_unsynced_ > kUnsyncedMax) {
    MARK("aof: write waits for a late sync");
    synced_.reset();
    TRY(synced_.wait());
  }
  return {};
}

base::Result<void> Aof::sync() {
  const uint64_t target = file_end_;
  const os::MonotonicTime begun = os_.clock.monotonic();
  TRY(file_->sync_data());
  CHECK(target <= file_end_);
  if (target > durable_) durable_ = target;
  if (file_end_ != durable_) oldest_unsynced_ = std::max(oldest_unsynced_, begun);
  synced_.set();
  return {};
}

void Aof::run_syncer() {
  while (!failed_) {
    if (!os_.clock.sleep_for(kSyncInterval)) return;
    if (policy() != FsyncPolicy::kEverySecond || file_end_ == durable_) {
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
base::Result<void> Aof::claim_all() {
  if (written_log_ == 0) return {};
  const std::string line = make_annotation({}, file_end_, durable_);
  TRY(os::pwrite_all(*file_, file_end_, line));
  file_end_ += line.size();
  return sync();
}

base::Result<void> Aof::close() {
  if (file_ == nullptr) return {};
  if (failed_) return base::fail(base::Errc::kIo, path_ + ": the log has failed");
  while (!batch_.empty() || !pending_.empty()) {
    if (batch_.empty()) take_batch();
    TRY(write_batch());
  }
  if (file_end_ != durable_) TRY(sync());
  TRY(claim_all());
  gate_.keep(written_log_);
  report();
  return {};
}

void Aof::policy_changed() {
  const bool all_durable = file_end_ == durable_ && pending_.empty() && batch_.empty();
  if (file_ == nullptr || policy() != FsyncPolicy::kAlways || all_durable) return;
  // From here on no reply may show what is not on disk. A command without effect moves the log's
  // end, so that every later reply waits for the sync that covers it and all before it.
  MARK("aof: policy raised to always");
  logged(encoder_.append_idle(pending_));
}

void Aof::report() {
  state_.log_status.file_bytes = file_end_;
  state_.log_status.pending_bytes = pending_.size() + batch_.size();
}

}  // namespace seatrial::kv
