// The server's settings: redis.conf and the command line at start, CONFIG GET and SET later.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "kv/data/collection.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::kv {

enum class FsyncPolicy : uint8_t { kAlways, kEverySecond, kNo };
enum class DisklessLoad : uint8_t { kDisabled, kOnEmptyDatabase, kSwap };

// What a client may leave unread before it is cut; 0: no limit.
struct OutputLimit {
  int64_t hard_bytes = 0;
  int64_t soft_bytes = 0;  // For longer than this:
  int64_t soft_seconds = 0;
};

// A snapshot is due when so many changes have gathered, and so much time has passed since the last.
struct SavePoint {
  int64_t seconds;
  int64_t changes;
  friend bool operator==(const SavePoint&, const SavePoint&) = default;
};

struct Config {
  std::vector<std::string> bind = {"*", "-::*"};
  int64_t port = 6379;
  int64_t tcp_backlog = 511;
  int64_t timeout_seconds = 0;
  int64_t databases = 16;
  std::string dir = ".";
  std::string dbfilename = "dump.rdb";
  std::vector<SavePoint> save_points = {{3600, 1}, {300, 100}, {60, 10000}};
  bool rdbcompression = true;
  bool rdbchecksum = true;
  bool rdb_del_sync_files = false;
  bool stop_writes_on_bgsave_error = true;
  bool appendonly = false;
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  FsyncPolicy appendfsync = FsyncPolicy::kEverySecond;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  int64_t auto_aof_rewrite_percentage = 100;  // 0: never.
  int64_t auto_aof_rewrite_min_bytes = 64 * 1024 * 1024;
  // While a child runs `everysec` is like `no`. Does not weaken `always`.
  bool no_appendfsync_on_rewrite = false;
  bool aof_rewrite_incremental_fsync = true;
  int64_t maxclients = 10000;
  int64_t proto_max_bulk_bytes = 512 * 1024 * 1024;
  int64_t client_query_buffer_bytes = 1024 * 1024 * 1024;
  int64_t hz = 10;
  int64_t hash_max_listpack_entries = 512;
  int64_t hash_max_listpack_value = 64;
  int64_t set_max_intset_entries = 512;
  bool enable_debug_command = false;

  std::string primary_host;  // Empty: it is a primary itself.
  int64_t primary_port = 0;
  std::string masteruser;
  std::string masterauth;
  std::string replica_announce_ip;
  int64_t replica_announce_port = 0;
  int64_t replica_priority = 100;
  bool replica_read_only = true;
  bool replica_serve_stale_data = true;
  bool repl_diskless_sync = true;
  int64_t repl_diskless_sync_delay_seconds = 5;
  int64_t repl_diskless_sync_max_replicas = 0;
  DisklessLoad repl_diskless_load = DisklessLoad::kDisabled;
  int64_t repl_ping_replica_period_seconds = 10;
  int64_t repl_timeout_seconds = 60;
  int64_t repl_backlog_bytes = 1024 * 1024;
  int64_t repl_backlog_ttl_seconds = 3600;
  int64_t min_replicas_to_write = 0;
  int64_t min_replicas_max_lag_seconds = 10;
  OutputLimit normal_output_limit;
  OutputLimit replica_output_limit{256 * 1024 * 1024, 64 * 1024 * 1024, 60};
  OutputLimit pubsub_output_limit{32 * 1024 * 1024, 8 * 1024 * 1024, 60};
  base::LogLevel loglevel = base::LogLevel::kInfo;
};

// Of its collections, whose tables have this seed.
CollectionSettings collection_settings(const Config& config, uint64_t seed);

// Settings from what an operator gives: `arguments` as after "seatrial server", where the first
// may name the configuration file, whose text is then `file_text`; options as --port 6380
// override it. An error names the place: "redis.conf:12: ...".
base::Result<Config> parse_config(std::string_view file_name, std::string_view file_text,
                                  std::span<const std::string> options);

// One setting by its name in redis.conf.
struct Directive {
  std::string_view name;
  bool fixed;  // Only at start.
  std::string (*get)(const Config& config);
  // Returns what is wrong with the words, or nothing.
  std::string (*set)(Config& config, std::span<const std::string> words);
  // Given again in the same place it adds to what was given before.
  bool gathers = false;
};

// Another, older name of a setting.
struct Alias {
  std::string_view name;
  std::string_view meant;
};

std::span<const Directive> directives();
std::span<const Alias> aliases();
const Directive* find_directive(std::string_view name);

}  // namespace seatrial::kv
