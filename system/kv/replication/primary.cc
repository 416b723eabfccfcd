#include "kv/replication/primary.h"

#include "base/check.h"
#include "kv/session.h"
#include "os/mark.h"

#include <algorithm>
#include <functional>

namespace seatrial::kv {

namespace {

using std::chrono::seconds;

}  // namespace

Primary::Primary(os::Os& os, State& state, Feed& feed, Children& children)
    : os_(os),
      state_(state),
      feed_(feed),
      full_sync_(os, state, feed, children),
      random_(os.random.stream("replication: ids of streams")),
      acknowledgements_(os.fibers),
      alone_since_(os.clock.monotonic()),
      last_ping_(alone_since_) {}

void Primary::attach(Session& session, const SyncRequest& request) {
  CHECK(!session.attachment);
  const History& history = state_.replication.history;
  auto link = std::make_unique<ReplicaLink>(*this, session);
  replicas_.push_back(link.get());
  const bool has_some = !request.plain_sync && !request.id.empty();
  const bool partial = has_some && feed_.active() && history.agrees(request.id, request.offset) &&
                       feed_.backlog()->reaches(request.offset);
  if (partial) {
    MARK("psync: partial accepted");
    if (request.id != history.id()) MARK("psync: partial by the previous id");
    ++state_.stats.sync_partial_ok;
    os_.log.info("Replica {} goes on at offset {}: {} bytes from the backlog", link->name(),
                 request.offset, history.offset() - request.offset);
    link->continue_from(request.offset);
  } else {
    if (has_some) {
      MARK("psync: partial refused");
      if (!feed_.active() || !history.agrees(request.id, request.offset)) {
        MARK("psync: refused, another history");
      } else {
        MARK("psync: refused, the backlog does not reach back");
      }
      ++state_.stats.sync_partial_refused;
      os_.log.info("Replica {} cannot go on at offset {} of {}: it needs a full synchronization",
                   link->name(), request.offset, request.id);
    }
    ++state_.stats.sync_full;
    if (!feed_.active()) begin_history();
    link->synchronize(request.plain_sync);
  }
  session.attachment = std::move(link);
  count_good();
}

void Primary::forget(ReplicaLink& link) {
  std::erase(replicas_, &link);
  if (replicas_.empty()) count_as_alone_from_now();
  count_good();
}

void Primary::cut_all(std::string_view reason) {
  for (ReplicaLink* const link : replicas_) link->cut(reason);
  full_sync_.abandon();
}

void Primary::begin_history() {
  CHECK(!state_.replication.replica);
  MARK("replication: the stream begins");
  History& history = state_.replication.history;
  history.begin(make_replication_id(random_), history.offset());
  feed_.start();
  state_.effects.set_wanted(true);
  feed_.observe(ReplicationPoint::Change::kRenamed);
}

void Primary::end_history_if_alone() {
  const int64_t ttl = state_.config.repl_backlog_ttl_seconds;
  if (!feed_.active() || !replicas_.empty() || ttl == 0) return;
  if (os_.clock.monotonic() - alone_since_ <= seconds(ttl)) return;
  MARK("replication: the stream ends for want of replicas");
  os_.log.info("Replication backlog freed after {} seconds without connected replicas", ttl);
  // What is written from here on is not in the stream, so nobody may go on in it later.
  History& history = state_.replication.history;
  history.begin(make_replication_id(random_), history.offset());
  feed_.stop();
  state_.effects.set_wanted(state_.log_status.enabled || state_.observer != nullptr);
}

int64_t Primary::count(const std::function<bool(const ReplicaLink&)>& fits) const {
  std::vector<const ReplicaLink*> counted;
  for (const ReplicaLink* const link : replicas_) {
    if (!link->online() || !fits(*link)) continue;
    const bool again = std::ranges::any_of(
        counted, [&](const ReplicaLink* other) { return link->same_server(*other); });
    if (again) {
      MARK("replication: two links of one replica");
    } else {
      counted.push_back(link);
    }
  }
  return static_cast<int64_t>(counted.size());
}

int64_t Primary::acknowledged(uint64_t offset) const {
  return count([&](const ReplicaLink& link) { return link.acknowledged() >= offset; });
}

void Primary::request_acknowledgements() {
  const History& history = state_.replication.history;
  if (replicas_.empty() || requested_at_ == history.offset()) return;
  feed_.append_command({"REPLCONF", "GETACK", "*"});
  requested_at_ = history.offset();
  enforce_limits();
}

void Primary::count_good() {
  const os::MonotonicTime now = os_.clock.monotonic();
  const os::Duration lag = seconds(state_.config.min_replicas_max_lag_seconds);
  state_.replication.good_replicas =
      count([&](const ReplicaLink& link) { return now - link.heard() <= lag; });
}

void Primary::enforce_limits() {
  for (ReplicaLink* const link : replicas_) {
    if (!link->exceeds_limit()) continue;
    MARK("replication: replica cut for its output buffer");
    link->cut("it is too far behind: client-output-buffer-limit");
  }
}

void Primary::tick() {
  const Config& config = state_.config;
  const os::MonotonicTime now = os_.clock.monotonic();
  if (!state_.replication.replica) {
    const os::Duration period = seconds(config.repl_ping_replica_period_seconds);
    if (!replicas_.empty() && now - last_ping_ >= period) {
      last_ping_ = now;
      feed_.append_command({"PING"});
    }
    end_history_if_alone();
  }
  for (ReplicaLink* const link : replicas_) {
    link->listen();
    if (link->online() && now - link->heard() > seconds(config.repl_timeout_seconds)) {
      MARK("replication: replica timed out");
      link->cut("nothing was heard of it for longer than repl-timeout");
    }
  }
  enforce_limits();
  count_good();
}

}  // namespace seatrial::kv
