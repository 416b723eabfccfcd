// Step 4: INFO: the server in figures, as "name:value" lines under section titles.
#include "kv/command_table.h"
#include "kv/replication/control.h"
#include "kv/session.h"
#include "kv/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace seatrial::kv {
namespace {

template <typename Value>
void line(std::string& text, std::string_view name, const Value& value) {
  text += fmt::format("{}:{}\r\n", name, value);
}

std::string human(uint64_t bytes) {
  constexpr std::string_view kUnits = "BKMGTP";
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  if (unit == 0) return fmt::format("{}B", bytes);
  return fmt::format("{:.2f}{}", amount, kUnits[unit]);
}

void server_section(const Context& context, std::string& text) {
  const State& state = context.state;
  const WallMs up = std::max<WallMs>(context.now - state.started, 0) / 1000;
  line(text, "redis_version", "7.0.15");
  line(text, "redis_mode", "standalone");
  line(text, "server_name", "seatrial");
  line(text, "arch_bits", 64);
  line(text, "process_id", state.process_id);
  line(text, "run_id", state.run_id);
  line(text, "tcp_port", state.config.port);
  line(text, "server_time_usec", context.now * 1000);
  line(text, "uptime_in_seconds", up);
  line(text, "uptime_in_days", up / 86400);
  line(text, "hz", state.config.hz);
  line(text, "configured_hz", state.config.hz);
}

void clients_section(const Context& context, std::string& text) {
  const auto& clients = context.state.clients;
  line(text, "connected_clients", std::ranges::count_if(clients, [](const auto& client) {
         return client.second->client_kind() != ClientKind::kReplica;
       }));
  line(text, "maxclients", context.state.config.maxclients);
  line(text, "blocked_clients", 0);
}

void memory_section(const Context& context, std::string& text) {
  uint64_t entries = 0;
  uint64_t tables = 0;
  for (size_t i = 0; i < context.state.keyspace.count(); ++i) {
    const Database& database = context.state.keyspace.at(static_cast<int>(i));
    entries += database.entry_bytes();
    tables += database.table_bytes();
  }
  const uint64_t used = context.state.used_memory();
  line(text, "used_memory", used);
  line(text, "used_memory_human", human(used));
  line(text, "used_memory_overhead", tables);
  line(text, "used_memory_dataset", entries);
  line(text, "maxmemory", 0);
  line(text, "maxmemory_human", "0B");
  line(text, "maxmemory_policy", "noeviction");
  line(text, "mem_aof_buffer", context.state.log_status.pending_bytes);
}

// How long the child of a kind is at work; -1: there is none.
int64_t child_seconds(const Context& context, ChildKind kind, WallMs begun) {
  if (!context.state.child.is(kind)) return -1;
  return std::max<WallMs>(context.now - begun, 0) / 1000;
}

std::string_view good(bool is_good) { return is_good ? "ok" : "err"; }

void snapshot_lines(const Context& context, std::string& text) {
  const SnapshotStatus& snapshots = context.state.snapshots;
  const bool to_disk = context.state.child.is(ChildKind::kRdbToDisk);
  const bool to_replicas = context.state.child.is(ChildKind::kRdbToReplicas);
  line(text, "rdb_changes_since_last_save",
       context.state.effects.count() - snapshots.saved_changes);
  line(text, "rdb_bgsave_in_progress", to_disk || to_replicas ? 1 : 0);
  line(text, "rdb_last_save_time", snapshots.last_save / 1000);
  line(text, "rdb_last_bgsave_status", good(snapshots.last_background_good));
  line(text, "rdb_last_bgsave_time_sec", snapshots.last_background_seconds.value_or(-1));
  line(text, "rdb_current_bgsave_time_sec",
       child_seconds(context, ChildKind::kRdbToDisk, snapshots.background_begun));
  line(text, "rdb_saves", snapshots.saves);
  line(text, "rdb_last_cow_size", 0);
  line(text, "rdb_last_load_keys_expired", snapshots.keys_expired);
  line(text, "rdb_last_load_keys_loaded", snapshots.keys_loaded);
}

void log_lines(const Context& context, std::string& text) {
  const LogStatus& log = context.state.log_status;
  line(text, "aof_enabled", log.enabled ? 1 : 0);
  line(text, "aof_rewrite_in_progress", context.state.child.is(ChildKind::kAofRewrite) ? 1 : 0);
  line(text, "aof_rewrite_scheduled", log.rewrite_scheduled ? 1 : 0);
  line(text, "aof_last_rewrite_time_sec", log.last_rewrite_seconds.value_or(-1));
  line(text, "aof_current_rewrite_time_sec",
       child_seconds(context, ChildKind::kAofRewrite, log.rewrite_begun));
  line(text, "aof_last_bgrewrite_status", good(log.last_rewrite_good));
  line(text, "aof_rewrites", log.rewrites);
  line(text, "aof_rewrites_consecutive_failures", log.rewrite_failures);
  line(text, "aof_last_write_status", good(log.refusal.empty()));
  line(text, "aof_last_cow_size", 0);
}

void persistence_section(const Context& context, std::string& text) {
  const LogStatus& log = context.state.log_status;
  line(text, "loading", 0);
  line(text, "async_loading", 0);
  // How a child gets on is its own business, and what it shares with us the system's.
  line(text, "current_cow_peak", 0);
  line(text, "current_cow_size", 0);
  line(text, "current_cow_size_age", 0);
  line(text, "current_fork_perc", "0.00");
  line(text, "current_save_keys_processed", 0);
  line(text, "current_save_keys_total", 0);
  snapshot_lines(context, text);
  log_lines(context, text);
  line(text, "module_fork_in_progress", 0);
  line(text, "module_fork_last_cow_size", 0);
  if (!log.enabled) return;
  line(text, "aof_current_size", log.bytes());
  line(text, "aof_base_size", log.rewritten_bytes);
  line(text, "aof_pending_rewrite", 0);
  line(text, "aof_buffer_length", log.pending_bytes);
  line(text, "aof_pending_bio_fsync", 0);
  line(text, "aof_delayed_fsync", log.delayed_syncs);
}

void stats_section(const Context& context, std::string& text) {
  const Stats& stats = context.state.stats;
  line(text, "total_connections_received", stats.connections);
  line(text, "total_commands_processed", stats.commands);
  line(text, "total_net_input_bytes", stats.input_bytes);
  line(text, "total_net_output_bytes", stats.output_bytes);
  line(text, "rejected_connections", stats.connections_rejected);
  line(text, "expired_keys", context.state.keyspace.expired_count());
  line(text, "evicted_keys", 0);
  line(text, "keyspace_hits", stats.keyspace_hits);
  line(text, "keyspace_misses", stats.keyspace_misses);
  line(text, "latest_fork_usec", context.state.child.latest_fork_microseconds);
  line(text, "total_forks", context.state.child.forks);
  line(text, "total_error_replies", stats.errors);
  line(text, "sync_full", stats.sync_full);
  line(text, "sync_partial_ok", stats.sync_partial_ok);
  line(text, "sync_partial_err", stats.sync_partial_refused);
}

void replication_section(const Context& context, std::string& text) {
  if (context.state.replication_control) context.state.replication_control->describe(text);
}

void cluster_section(const Context&, std::string& text) { line(text, "cluster_enabled", 0); }

void keyspace_section(const Context& context, std::string& text) {
  for (size_t i = 0; i < context.state.keyspace.count(); ++i) {
    const Database& database = context.state.keyspace.at(static_cast<int>(i));
    if (database.empty()) continue;
    // The average is taken over a sample of buckets, as it need not be exact.
    WallMs left = 0;
    int64_t seen = 0;
    uint64_t cursor = 0;
    do {
      cursor = database.timed_entries().scan(cursor, [&](const Entry* entry) {
        left += std::max<WallMs>(*entry->deadline() - context.now, 0);
        ++seen;
      });
    } while (cursor != 0 && seen < 100);
    line(text, fmt::format("db{}", i),
         fmt::format("keys={},expires={},avg_ttl={}", database.size(), database.timed(),
                     seen == 0 ? 0 : left / seen));
  }
}

struct Section {
  std::string_view name;
  std::string_view title;
  void (*write)(const Context& context, std::string& text);
};
constexpr Section kSections[] = {
    {"server", "Server", server_section},    {"clients", "Clients", clients_section},
    {"memory", "Memory", memory_section},    {"persistence", "Persistence", persistence_section},
    {"stats", "Stats", stats_section},       {"replication", "Replication", replication_section},
    {"cluster", "Cluster", cluster_section}, {"keyspace", "Keyspace", keyspace_section},
};

bool wanted(resp::Args args, const Section& section) {
  if (args.size() == 1) return true;
  for (const std::string_view word : args.subspan(1)) {
    for (const std::string_view name :
         {section.name, std::string_view("all"), std::string_view("everything"),
          std::string_view("default")}) {
      if (equals_ignoring_case(word, name)) return true;
    }
  }
  return false;
}

void info(Context& context) {
  std::string text;
  for (const Section& section : kSections) {
    if (!wanted(context.args, section)) continue;
    if (!text.empty()) text += "\r\n";
    text += fmt::format("# {}\r\n", section.title);
    section.write(context, text);
  }
  context.reply.bulk(text);
}

constexpr Command kCommands[] = {
    {"info",
     info,
     -1,
     kLoading | kStale,
     Group::kServer,
     "1.0.0",
     "The server in figures",
     {},
     {},
     "nondeterministic_output request_policy:all_shards response_policy:special"},
};

}  // namespace

std::span<const Command> info_commands() { return kCommands; }

}  // namespace seatrial::kv
