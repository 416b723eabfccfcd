// The server's settings: redis.conf and the command line at start, CONFIG GET and SET later.
#pragma once

#include "base/error.h"
#include "base/log.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::kv {

enum class FsyncPolicy : uint8_t { kAlways, kEverySecond, kNo };

struct Config {
  std::vector<std::string> bind = {"*", "-::*"};
  int64_t port = 6379;
  int64_t tcp_backlog = 511;
  int64_t timeout_seconds = 0;
  int64_t databases = 16;
  std::string dir = ".";
  std::string save;  // Snapshots by rule; none are taken.
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
  bool enable_debug_command = false;
  base::LogLevel loglevel = base::LogLevel::kInfo;
};

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
};

std::span<const Directive> directives();
const Directive* find_directive(std::string_view name);

}  // namespace seatrial::kv
