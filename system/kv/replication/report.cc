// What Replication tells of itself: INFO and ROLE.
#include "kv/replication/replication.h"

#include <fmt/format.h>

namespace seatrial::kv {
namespace {

template <typename Value>
void line(std::string& text, std::string_view name, const Value& value) {
  text += fmt::format("{}:{}\r\n", name, value);
}

int64_t whole_seconds(os::Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

void Replication::describe(std::string& text) const {
  const Config& config = state_.config;
  const History& history = state_.replication.history;
  line(text, "role", is_replica() ? "slave" : "master");
  if (is_replica()) describe_link(text);
  line(text, "connected_slaves", primary_.replicas().size());
  if (config.min_replicas_to_write > 0 && config.min_replicas_max_lag_seconds > 0) {
    line(text, "min_slaves_good_slaves", state_.replication.good_replicas);
  }
  const os::MonotonicTime now = os_.clock.monotonic();
  size_t number = 0;
  for (const ReplicaLink* const link : primary_.replicas()) {
    line(text, fmt::format("slave{}", number++),
         fmt::format("ip={},port={},state={},offset={},lag={}", link->address(), link->port(),
                     link->phase_name(), link->acknowledged(),
                     link->online() ? whole_seconds(now - link->heard()) : 0));
  }
  line(text, "master_failover_state", "no-failover");
  line(text, "master_replid", history.id());
  line(text, "master_replid2", history.previous_id());
  line(text, "master_repl_offset", history.offset());
  line(text, "second_repl_offset", history.second_offset());
  line(text, "repl_backlog_active", feed_.active() ? 1 : 0);
  line(text, "repl_backlog_size", config.repl_backlog_bytes);
  const Backlog* const backlog = feed_.backlog().get();
  line(text, "repl_backlog_first_byte_offset", backlog == nullptr ? 0 : backlog->begin() + 1);
  line(text, "repl_backlog_histlen", backlog == nullptr ? 0 : backlog->end() - backlog->begin());
}

void Replication::describe_link(std::string& text) const {
  const Config& config = state_.config;
  const os::MonotonicTime now = os_.clock.monotonic();
  const bool up = state_.replication.link_up;
  const bool loading = link_->phase() == PrimaryLink::Phase::kSync;
  line(text, "master_host", link_->primary().host);
  line(text, "master_port", link_->primary().port);
  line(text, "master_link_status", up ? "up" : "down");
  line(text, "master_last_io_seconds_ago", up ? whole_seconds(now - link_->heard()) : -1);
  line(text, "master_sync_in_progress", loading ? 1 : 0);
  line(text, "slave_read_repl_offset", state_.replication.history.offset());
  line(text, "slave_repl_offset", state_.replication.history.offset());
  if (loading) {
    const SnapshotInput* const snapshot = link_->snapshot();
    const uint64_t received = snapshot == nullptr ? 0 : snapshot->received();
    const uint64_t total = snapshot == nullptr ? 0 : snapshot->length().value_or(0);
    line(text, "master_sync_total_bytes", total);
    line(text, "master_sync_read_bytes", received);
    line(text, "master_sync_left_bytes", total < received ? 0 : total - received);
    line(text, "master_sync_perc",
         fmt::format("{:.2f}", total == 0 ? 0.0
                                          : 100.0 * static_cast<double>(received) /
                                                static_cast<double>(total)));
    line(text, "master_sync_last_io_seconds_ago", whole_seconds(now - link_->heard()));
  }
  if (!up) line(text, "master_link_down_since_seconds", whole_seconds(now - link_->down_since()));
  line(text, "slave_priority", config.replica_priority);
  line(text, "slave_read_only", config.replica_read_only ? 1 : 0);
  line(text, "replica_announced", 1);
}

void Replication::role(resp::Writer& reply) const {
  const uint64_t offset = state_.replication.history.offset();
  if (is_replica()) {
    reply.array(5);
    reply.bulk("slave");
    reply.bulk(link_->primary().host);
    reply.integer(link_->primary().port);
    reply.bulk(to_string(link_->phase()));
    reply.integer(static_cast<int64_t>(offset));
    return;
  }
  reply.array(3);
  reply.bulk("master");
  reply.integer(static_cast<int64_t>(offset));
  reply.array(static_cast<size_t>(std::ranges::count_if(
      primary_.replicas(), [](const ReplicaLink* link) { return link->online(); })));
  for (const ReplicaLink* const link : primary_.replicas()) {
    if (!link->online()) continue;
    reply.array(3);
    reply.bulk(link->address());
    reply.bulk(std::to_string(link->port()));
    reply.bulk(std::to_string(link->acknowledged()));
  }
}

}  // namespace seatrial::kv
