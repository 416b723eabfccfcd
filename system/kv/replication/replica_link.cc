#include "kv/replication/replica_link.h"

#include "base/check.h"
#include "kv/replication/primary.h"
#include "kv/session.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::kv {
namespace {

using std::chrono::seconds;

constexpr size_t kFileBytes = 64 * 1024;
constexpr seconds kKeepalive{1};

// "host:port" or "[host]:port" without the port.
std::string host_of(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace

ReplicaLink::ReplicaLink(Primary& primary, Session& session)
    : primary_(primary),
      session_(session),
      stream_(*session.stream),
      traits_(session.traits),
      address_(traits_.address.empty() ? host_of(session.peer().address) : traits_.address),
      heard_(primary.os().clock.monotonic()),
      changed_(primary.os().fibers) {
  fiber_.emplace(primary.os().fibers);
  if (session.becomes_replica) session.becomes_replica();
}

ReplicaLink::~ReplicaLink() {
  if (asked_ != 0) primary_.full_sync().withdraw(asked_);
  // Nobody may find it while this parks for the end of its fiber, which may be sending a piece.
  primary_.forget(*this);
  fiber_.reset();
  if (job_) {
    const bool owes = phase_ == Phase::kWaitEnd && job_->diskless && pieces_taken_ < job_->pieces();
    primary_.full_sync().leave(*job_, owes);
  }
}

std::string ReplicaLink::name() const { return fmt::format("{}:{}", address_, traits_.port); }

std::string_view ReplicaLink::phase_name() const {
  switch (phase_) {
    case Phase::kWaitStart:
    case Phase::kWaitEnd: return "wait_bgsave";
    case Phase::kSendBulk: return "send_bulk";
    case Phase::kOnline: return "online";
  }
  UNREACHABLE("phase {}", static_cast<int>(phase_));
}

void ReplicaLink::continue_from(uint64_t offset) {
  const ReplicationStatus& status = primary_.state().replication;
  greeting_ =
      traits_.takes_new_id ? fmt::format("+CONTINUE {}\r\n", status.history.id()) : "+CONTINUE\r\n";
  cursor_.emplace(primary_.feed().backlog(), offset);
  fiber_->spawn("replica", [this] { run(false); });
}

void ReplicaLink::synchronize(bool plain_sync) {
  plain_sync_ = plain_sync;
  phase_ = Phase::kWaitStart;
  const auto begin = [this](const std::shared_ptr<SnapshotJob>& job) {
    asked_ = 0;
    refused_ = job == nullptr;
    job_ = job;
    if (job_) {
      phase_ = Phase::kWaitEnd;
      cursor_.emplace(primary_.feed().backlog(), job_->offset);
    }
    changed_.wake_all();
  };
  if (auto job = primary_.full_sync().join()) {
    begin(job);
  } else {
    asked_ =
        primary_.full_sync().ask({.takes_eof = traits_.takes_eof, .since = heard_, .begin = begin});
  }
  fiber_->spawn("replica", [this] { run(true); });
}

void ReplicaLink::run(bool full) {
  const auto served = [&]() -> base::Result<void> {
    if (full) {
      TRY(send_snapshot());
    } else {
      TRY(write(greeting_));
    }
    return send_stream();
  }();
  if (!served && served.error() != base::Errc::kCancelled && !cut_) {
    primary_.os().log.info("Connection with replica {} lost: {}", name(), served.error().message());
  }
  stream_.close();
}

base::Result<void> ReplicaLink::send_snapshot() {
  TRY(await_job());
  if (!plain_sync_) TRY(write(fmt::format("+FULLRESYNC {} {}\r\n", job_->id, job_->offset)));
  if (job_->diskless) {
    TRY(send_pieces());
  } else {
    TRY(await_end());
    TRY(send_file());
  }
  go_online();
  return {};
}

base::Result<void> ReplicaLink::await_job() {
  while (!job_ && !refused_) {
    const auto next = primary_.os().clock.monotonic() + kKeepalive;
    const os::Wake wake = changed_.wait(next);
    if (wake == os::Wake::kCancelled) return base::fail(base::Errc::kCancelled);
    // Empty lines keep the other end from giving up.
    if (wake == os::Wake::kDeadline) TRY(write("\n"));
  }
  if (job_) return {};
  return base::fail(base::Errc::kExhausted, "no snapshot could be started");
}

base::Result<void> ReplicaLink::await_end() {
  while (job_->phase() == SnapshotJob::Phase::kWorking) {
    const auto next = primary_.os().clock.monotonic() + kKeepalive;
    const os::Wake wake = job_->changed().wait(next);
    if (wake == os::Wake::kCancelled) return base::fail(base::Errc::kCancelled);
    if (wake == os::Wake::kDeadline) TRY(write("\n"));
  }
  if (job_->phase() == SnapshotJob::Phase::kReady) return {};
  return base::fail(base::Errc::kIo, "the snapshot for it failed");
}

base::Result<void> ReplicaLink::send_file() {
  phase_ = Phase::kSendBulk;
  auto file = TRY(primary_.os().disk.open(job_->path(), os::kReadOnly));
  const uint64_t size = TRY(file->size());
  TRY(write(fmt::format("${}\r\n", size)));
  std::string buffer(kFileBytes, '\0');
  for (uint64_t sent = 0; sent < size;) {
    const size_t count = TRY(file->pread(sent, {buffer.data(), buffer.size()}));
    if (count == 0) return base::fail(base::Errc::kIo, job_->path() + ": shorter than it was");
    TRY(write(base::Bytes(buffer).substr(0, count)));
    sent += count;
  }
  return {};
}

base::Result<void> ReplicaLink::send_pieces() {
  TRY(write(fmt::format("$EOF:{}\r\n", job_->mark())));
  while (true) {
    if (pieces_taken_ != job_->pieces()) {
      TRY(write(job_->piece()));
      pieces_taken_ = job_->pieces();
      job_->taken();
    } else if (job_->phase() == SnapshotJob::Phase::kWorking) {
      TRY(os::to_result(job_->changed().wait()));
    } else {
      break;
    }
  }
  if (job_->phase() != SnapshotJob::Phase::kReady) {
    return base::fail(base::Errc::kIo, "the snapshot for it failed");
  }
  // A snapshot whose end is told by a mark is read up to exactly there, so nothing may follow
  // before the replica says that it is done.
  starts_on_ack_ = true;
  return write(job_->mark());
}

void ReplicaLink::go_online() {
  primary_.full_sync().leave(*job_, false);
  job_.reset();
  phase_ = Phase::kOnline;
  heard_ = primary_.os().clock.monotonic();
  primary_.count_good();
  primary_.os().log.info("Synchronization with replica {} succeeded", name());
}

base::Result<void> ReplicaLink::send_stream() {
  while (starts_on_ack_ || traits_.snapshot_only) TRY(os::to_result(changed_.wait()));
  while (true) {
    const base::Bytes bytes = cursor_->bytes();
    if (bytes.empty()) {
      TRY(os::to_result(primary_.feed().grown().wait()));
      continue;
    }
    // How long it may take is for the acknowledgements to tell, and for the limits.
    cursor_->advance(TRY(stream_.write(bytes)));
  }
}

void ReplicaLink::acknowledge(uint64_t offset) {
  heard_ = primary_.os().clock.monotonic();
  if (std::exchange(starts_on_ack_, false)) changed_.wake_all();
  if (phase_ != Phase::kOnline) return;
  if (offset > primary_.state().replication.history.offset()) {
    MARK("replication: acknowledgement of what was never sent");
    return;
  }
  acknowledged_ = std::max(acknowledged_, offset);
}

void ReplicaLink::cut(std::string_view reason) {
  if (std::exchange(cut_, true)) return;
  primary_.os().log.info("Connection with replica {} is cut: {}", name(), reason);
  stream_.close();
}

bool ReplicaLink::exceeds_limit() {
  const Config& config = primary_.state().config;
  const OutputLimit& limit = config.replica_output_limit;
  const uint64_t waiting = waiting_bytes();
  // What the backlog keeps anyway costs nothing: a limit below it would cut without any gain.
  const auto hard = static_cast<uint64_t>(std::max(limit.hard_bytes, config.repl_backlog_bytes));
  if (limit.hard_bytes > 0 && waiting > hard) return true;
  const auto soft = static_cast<uint64_t>(std::max(limit.soft_bytes, config.repl_backlog_bytes));
  if (limit.soft_bytes == 0 || waiting <= soft) {
    over_soft_limit_since_.reset();
    return false;
  }
  const os::MonotonicTime now = primary_.os().clock.monotonic();
  if (!over_soft_limit_since_) over_soft_limit_since_ = now;
  return now - *over_soft_limit_since_ > seconds(limit.soft_seconds);
}

void ReplicaLink::listen() {
  if (!session_.buffered) return;
  const uint64_t received = session_.buffered().received;
  if (std::exchange(received_, received) != received) heard_ = primary_.os().clock.monotonic();
}

base::Result<void> ReplicaLink::write(base::Bytes bytes) {
  return os::write_all(stream_, bytes, patience());
}

os::MonotonicTime ReplicaLink::patience() const {
  return primary_.os().clock.monotonic() + seconds(primary_.state().config.repl_timeout_seconds);
}

}  // namespace seatrial::kv
