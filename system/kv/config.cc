#include "kv/config.h"

#include "kv/command_table.h"
#include "kv/data/int_set.h"
#include "kv/rdb_file.h"
#include "resp/number.h"
#include "resp/parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::kv {
namespace {

using Words = std::span<const std::string>;

constexpr std::string_view kOneWord = "wrong number of arguments";

template <auto Member>
std::string get_integer(const Config& config) {
  return fmt::format("{}", config.*Member);
}
template <auto Member, int64_t Min, int64_t Max>
std::string set_integer(Config& config, Words words) {
  if (words.size() != 1) return std::string(kOneWord);
  const auto value = resp::parse_integer(words[0]);
  if (!value) return "argument couldn't be parsed into an integer";
  if (*value < Min || *value > Max) {
    return fmt::format("argument must be between {} and {} inclusive", Min, Max);
  }
  config.*Member = *value;
  return {};
}

// "100", "64kb", "1gb": kb, mb, gb count 1024, k, m, g count 1000.
bool parse_bytes(std::string_view text, int64_t& value) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto number = resp::parse_integer(text.substr(0, digits));
  if (!number) return false;
  const std::string_view unit = text.substr(digits);
  struct Unit {
    std::string_view name;
    int64_t bytes;
  };
  constexpr Unit kUnits[] = {{"", 1},           {"b", 1},
                             {"k", 1000},       {"kb", 1024},
                             {"m", 1000000},    {"mb", 1024 * 1024},
                             {"g", 1000000000}, {"gb", 1024 * 1024 * 1024}};
  for (const Unit& known : kUnits) {
    if (!equals_ignoring_case(unit, known.name)) continue;
    return !__builtin_mul_overflow(*number, known.bytes, &value);
  }
  return false;
}

template <auto Member, int64_t Min>
std::string set_bytes(Config& config, Words words) {
  int64_t value = 0;
  if (words.size() != 1 || !parse_bytes(words[0], value)) {
    return "argument must be a memory value";
  }
  if (value < Min)
    return fmt::format("argument must be between {} and {} inclusive", Min, INT64_MAX);
  config.*Member = value;
  return {};
}

template <auto Member>
std::string get_flag(const Config& config) {
  return config.*Member ? "yes" : "no";
}
template <auto Member>
std::string set_flag(Config& config, Words words) {
  if (words.size() == 1 && equals_ignoring_case(words[0], "yes")) {
    config.*Member = true;
  } else if (words.size() == 1 && equals_ignoring_case(words[0], "no")) {
    config.*Member = false;
  } else {
    return "argument must be 'yes' or 'no'";
  }
  return {};
}

template <auto Member>
std::string get_text(const Config& config) {
  return config.*Member;
}
template <auto Member>
std::string set_text(Config& config, Words words) {
  if (words.size() != 1) return std::string(kOneWord);
  config.*Member = words[0];
  return {};
}
template <auto Member>
std::string set_file_name(Config& config, Words words) {
  if (words.size() != 1) return std::string(kOneWord);
  if (words[0].empty() || words[0].find('/') != std::string::npos) {
    return "must be a name, not a path";
  }
  config.*Member = words[0];
  return {};
}

std::string get_bind(const Config& config) {
  return fmt::format("{}", fmt::join(config.bind, " "));
}
std::string set_bind(Config& config, Words words) {
  if (words.size() > 16) return "too many addresses, at most 16";
  config.bind.assign(words.begin(), words.end());
  return {};
}

template <typename Value>
struct Choice {
  std::string_view name;
  Value value;
};

template <typename Value>
std::string set_choice(Value& target, Words words, std::span<const Choice<Value>> choices) {
  std::string names;
  for (const Choice<Value>& choice : choices) {
    if (words.size() == 1 && equals_ignoring_case(words[0], choice.name)) {
      target = choice.value;
      return {};
    }
    if (!names.empty()) names += ", ";
    names += choice.name;
  }
  return "argument(s) must be one of the following: " + names;
}

constexpr Choice<FsyncPolicy> kFsyncPolicies[] = {{"everysec", FsyncPolicy::kEverySecond},
                                                  {"always", FsyncPolicy::kAlways},
                                                  {"no", FsyncPolicy::kNo}};
std::string get_appendfsync(const Config& config) {
  for (const auto& choice : kFsyncPolicies) {
    if (choice.value == config.appendfsync) return std::string(choice.name);
  }
  return {};
}
std::string set_appendfsync(Config& config, Words words) {
  return set_choice<FsyncPolicy>(config.appendfsync, words, kFsyncPolicies);
}

constexpr Choice<base::LogLevel> kLogLevels[] = {{"debug", base::LogLevel::kDebug},
                                                 {"verbose", base::LogLevel::kDebug},
                                                 {"notice", base::LogLevel::kInfo},
                                                 {"warning", base::LogLevel::kWarn}};
std::string get_loglevel(const Config& config) {
  if (config.loglevel == base::LogLevel::kDebug) return "debug";
  return config.loglevel == base::LogLevel::kInfo ? "notice" : "warning";
}
std::string set_loglevel(Config& config, Words words) {
  return set_choice<base::LogLevel>(config.loglevel, words, kLogLevels);
}

std::string set_dbfilename(Config& config, Words words) {
  if (words.size() == 1 && is_temporary_rdb(words[0])) {
    return "temp-<number>.rdb is the name of a snapshot that is being written";
  }
  return set_file_name<&Config::dbfilename>(config, words);
}

std::string get_save(const Config& config) {
  std::string text;
  for (const SavePoint& point : config.save_points) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", point.seconds, point.changes);
  }
  return text;
}
// Pairs, as words or in one word; a single empty word: none.
std::string set_save(Config& config, Words words) {
  std::vector<SavePoint> points;
  const std::string all = fmt::format("{}", fmt::join(words, " "));
  std::string_view rest = all;
  const auto take_number = [&](int64_t least, int64_t& value) {
    const size_t blank = rest.find(' ');
    const auto number = resp::parse_integer(rest.substr(0, blank));
    rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
    value = number.value_or(-1);
    return value >= least && value <= INT32_MAX;
  };
  while (!rest.empty()) {
    SavePoint point{};
    if (!take_number(1, point.seconds) || !take_number(0, point.changes)) {
      return "Invalid save parameters";
    }
    points.push_back(point);
  }
  config.save_points = std::move(points);
  return {};
}

std::string get_replicaof(const Config& config) {
  if (config.primary_host.empty()) return {};
  return fmt::format("{} {}", config.primary_host, config.primary_port);
}
std::string set_replicaof(Config& config, Words words) {
  std::vector<std::string> split;
  if (words.size() == 1 && resp::split_words(words[0], split)) words = split;
  if (words.size() != 2) return "expected a host and a port, or \"no one\"";
  if (equals_ignoring_case(words[0], "no") && equals_ignoring_case(words[1], "one")) {
    config.primary_host.clear();
    config.primary_port = 0;
    return {};
  }
  const auto port = resp::parse_integer(words[1]);
  if (!port || *port < 1 || *port > 65535) return "the port must be between 1 and 65535";
  config.primary_host = words[0];
  config.primary_port = *port;
  return {};
}

constexpr Choice<DisklessLoad> kDisklessLoads[] = {{"disabled", DisklessLoad::kDisabled},
                                                   {"on-empty-db", DisklessLoad::kOnEmptyDatabase},
                                                   {"swapdb", DisklessLoad::kSwap}};
std::string get_diskless_load(const Config& config) {
  for (const auto& choice : kDisklessLoads) {
    if (choice.value == config.repl_diskless_load) return std::string(choice.name);
  }
  return {};
}
std::string set_diskless_load(Config& config, Words words) {
  return set_choice<DisklessLoad>(config.repl_diskless_load, words, kDisklessLoads);
}

OutputLimit* output_limit(Config& config, std::string_view name) {
  if (equals_ignoring_case(name, "normal")) return &config.normal_output_limit;
  if (equals_ignoring_case(name, "replica")) return &config.replica_output_limit;
  if (equals_ignoring_case(name, "slave")) return &config.replica_output_limit;
  if (equals_ignoring_case(name, "pubsub")) return &config.pubsub_output_limit;
  return nullptr;
}
std::string get_output_limits(const Config& config) {
  std::string text;
  const auto add = [&](std::string_view name, const OutputLimit& limit) {
    text += fmt::format("{}{} {} {} {}", text.empty() ? "" : " ", name, limit.hard_bytes,
                        limit.soft_bytes, limit.soft_seconds);
  };
  add("normal", config.normal_output_limit);
  add("slave", config.replica_output_limit);
  add("pubsub", config.pubsub_output_limit);
  return text;
}
// "class hard soft seconds", once or for several classes.
std::string set_output_limits(Config& config, Words words) {
  std::vector<std::string> split;
  if (words.size() == 1 && resp::split_words(words[0], split)) words = split;
  if (words.empty() || words.size() % 4 != 0) {
    return "expected a class, a hard limit, a soft limit and its seconds";
  }
  for (; !words.empty(); words = words.subspan(4)) {
    OutputLimit* const target = output_limit(config, words[0]);
    if (target == nullptr) return "the class must be normal, replica or pubsub";
    OutputLimit limit;
    const auto seconds = resp::parse_integer(words[3]);
    if (!parse_bytes(words[1], limit.hard_bytes) || !parse_bytes(words[2], limit.soft_bytes) ||
        !seconds || *seconds < 0) {
      return "a limit must be a memory value, and its seconds a number";
    }
    limit.soft_seconds = *seconds;
    *target = limit;
  }
  return {};
}

// Names that Redis had before, and still takes.
constexpr Alias kAliases[] = {
    {"hash-max-ziplist-entries", "hash-max-listpack-entries"},
    {"hash-max-ziplist-value", "hash-max-listpack-value"},
    {"slaveof", "replicaof"},
    {"slave-read-only", "replica-read-only"},
    {"slave-serve-stale-data", "replica-serve-stale-data"},
    {"slave-priority", "replica-priority"},
    {"slave-announce-ip", "replica-announce-ip"},
    {"slave-announce-port", "replica-announce-port"},
    {"repl-ping-slave-period", "repl-ping-replica-period"},
    {"min-slaves-to-write", "min-replicas-to-write"},
    {"min-slaves-max-lag", "min-replicas-max-lag"},
};

constexpr Directive kDirectives[] = {
    {"appenddirname", true, get_text<&Config::appenddirname>,
     set_file_name<&Config::appenddirname>},
    {"appendfilename", true, get_text<&Config::appendfilename>,
     set_file_name<&Config::appendfilename>},
    {"appendfsync", false, get_appendfsync, set_appendfsync},
    {"appendonly", false, get_flag<&Config::appendonly>, set_flag<&Config::appendonly>},
    {"aof-load-truncated", false, get_flag<&Config::aof_load_truncated>,
     set_flag<&Config::aof_load_truncated>},
    {"aof-rewrite-incremental-fsync", false, get_flag<&Config::aof_rewrite_incremental_fsync>,
     set_flag<&Config::aof_rewrite_incremental_fsync>},
    {"aof-use-rdb-preamble", false, get_flag<&Config::aof_use_rdb_preamble>,
     set_flag<&Config::aof_use_rdb_preamble>},
    {"auto-aof-rewrite-min-size", false, get_integer<&Config::auto_aof_rewrite_min_bytes>,
     set_bytes<&Config::auto_aof_rewrite_min_bytes, 0>},
    {"auto-aof-rewrite-percentage", false, get_integer<&Config::auto_aof_rewrite_percentage>,
     set_integer<&Config::auto_aof_rewrite_percentage, 0, INT32_MAX>},
    {"bind", true, get_bind, set_bind},
    {"client-query-buffer-limit", false, get_integer<&Config::client_query_buffer_bytes>,
     set_bytes<&Config::client_query_buffer_bytes, 1024 * 1024>},
    {"client-output-buffer-limit", false, get_output_limits, set_output_limits},
    {"dbfilename", true, get_text<&Config::dbfilename>, set_dbfilename},
    {"databases", true, get_integer<&Config::databases>,
     set_integer<&Config::databases, 1, INT32_MAX>},
    {"dir", true, get_text<&Config::dir>, set_text<&Config::dir>},
    {"enable-debug-command", true, get_flag<&Config::enable_debug_command>,
     set_flag<&Config::enable_debug_command>},
    {"hash-max-listpack-entries", false, get_integer<&Config::hash_max_listpack_entries>,
     set_integer<&Config::hash_max_listpack_entries, 0, INT64_MAX>},
    {"hash-max-listpack-value", false, get_integer<&Config::hash_max_listpack_value>,
     set_integer<&Config::hash_max_listpack_value, 0, INT64_MAX>},
    {"hz", false, get_integer<&Config::hz>, set_integer<&Config::hz, 1, 500>},
    {"loglevel", false, get_loglevel, set_loglevel},
    {"masterauth", false, get_text<&Config::masterauth>, set_text<&Config::masterauth>},
    {"masteruser", false, get_text<&Config::masteruser>, set_text<&Config::masteruser>},
    {"maxclients", false, get_integer<&Config::maxclients>,
     set_integer<&Config::maxclients, 1, UINT32_MAX>},
    {"min-replicas-max-lag", false, get_integer<&Config::min_replicas_max_lag_seconds>,
     set_integer<&Config::min_replicas_max_lag_seconds, 0, INT32_MAX>},
    {"min-replicas-to-write", false, get_integer<&Config::min_replicas_to_write>,
     set_integer<&Config::min_replicas_to_write, 0, INT32_MAX>},
    {"no-appendfsync-on-rewrite", false, get_flag<&Config::no_appendfsync_on_rewrite>,
     set_flag<&Config::no_appendfsync_on_rewrite>},
    {"port", true, get_integer<&Config::port>, set_integer<&Config::port, 0, 65535>},
    {"proto-max-bulk-len", false, get_integer<&Config::proto_max_bulk_bytes>,
     set_bytes<&Config::proto_max_bulk_bytes, 1024 * 1024>},
    {"repl-backlog-size", false, get_integer<&Config::repl_backlog_bytes>,
     set_bytes<&Config::repl_backlog_bytes, 1>},
    {"repl-backlog-ttl", false, get_integer<&Config::repl_backlog_ttl_seconds>,
     set_integer<&Config::repl_backlog_ttl_seconds, 0, INT32_MAX>},
    {"repl-diskless-load", false, get_diskless_load, set_diskless_load},
    {"repl-diskless-sync", false, get_flag<&Config::repl_diskless_sync>,
     set_flag<&Config::repl_diskless_sync>},
    {"repl-diskless-sync-delay", false, get_integer<&Config::repl_diskless_sync_delay_seconds>,
     set_integer<&Config::repl_diskless_sync_delay_seconds, 0, INT32_MAX>},
    {"repl-diskless-sync-max-replicas", false,
     get_integer<&Config::repl_diskless_sync_max_replicas>,
     set_integer<&Config::repl_diskless_sync_max_replicas, 0, INT32_MAX>},
    {"repl-ping-replica-period", false, get_integer<&Config::repl_ping_replica_period_seconds>,
     set_integer<&Config::repl_ping_replica_period_seconds, 1, INT32_MAX>},
    {"repl-timeout", false, get_integer<&Config::repl_timeout_seconds>,
     set_integer<&Config::repl_timeout_seconds, 1, INT32_MAX>},
    {"replica-announce-ip", false, get_text<&Config::replica_announce_ip>,
     set_text<&Config::replica_announce_ip>},
    {"replica-announce-port", false, get_integer<&Config::replica_announce_port>,
     set_integer<&Config::replica_announce_port, 0, 65535>},
    {"replica-priority", false, get_integer<&Config::replica_priority>,
     set_integer<&Config::replica_priority, 0, INT32_MAX>},
    {"replica-read-only", false, get_flag<&Config::replica_read_only>,
     set_flag<&Config::replica_read_only>},
    {"replica-serve-stale-data", false, get_flag<&Config::replica_serve_stale_data>,
     set_flag<&Config::replica_serve_stale_data>},
    {"replicaof", true, get_replicaof, set_replicaof},
    {"rdb-del-sync-files", false, get_flag<&Config::rdb_del_sync_files>,
     set_flag<&Config::rdb_del_sync_files>},
    {"rdbchecksum", true, get_flag<&Config::rdbchecksum>, set_flag<&Config::rdbchecksum>},
    {"rdbcompression", false, get_flag<&Config::rdbcompression>, set_flag<&Config::rdbcompression>},
    {"save", false, get_save, set_save, true},
    {"set-max-intset-entries", false, get_integer<&Config::set_max_intset_entries>,
     set_integer<&Config::set_max_intset_entries, 0, INT64_MAX>},
    {"stop-writes-on-bgsave-error", false, get_flag<&Config::stop_writes_on_bgsave_error>,
     set_flag<&Config::stop_writes_on_bgsave_error>},
    {"tcp-backlog", true, get_integer<&Config::tcp_backlog>,
     set_integer<&Config::tcp_backlog, 0, INT32_MAX>},
    {"timeout", false, get_integer<&Config::timeout_seconds>,
     set_integer<&Config::timeout_seconds, 0, INT32_MAX>},
};

// What the file and the command line have given so far.
struct Given {
  Config config;
  std::vector<const Directive*> gathering;
};

base::Result<void> apply(Given& given, std::string_view place, std::string_view name, Words words) {
  const Directive* const directive = find_directive(name);
  if (directive == nullptr) {
    return base::fail(base::Errc::kInvalidArgument,
                      fmt::format("{}: unknown directive '{}'", place, name));
  }
  if (words.empty()) {
    return base::fail(base::Errc::kInvalidArgument,
                      fmt::format("{}: '{}' needs a value", place, name));
  }
  std::vector<std::string> gathered;
  if (directive->gathers && !words[0].empty()) {
    const bool again = std::ranges::find(given.gathering, directive) != given.gathering.end();
    if (!again) given.gathering.push_back(directive);
    if (again) gathered.push_back(directive->get(given.config));
    if (again && gathered.back().empty()) gathered.clear();
    gathered.insert(gathered.end(), words.begin(), words.end());
    words = gathered;
  }
  const std::string problem = directive->set(given.config, words);
  if (problem.empty()) return {};
  return base::fail(base::Errc::kInvalidArgument,
                    fmt::format("{}: {}: {}", place, directive->name, problem));
}

base::Result<void> apply_file(Given& given, std::string_view name, std::string_view text) {
  std::vector<std::string> words;
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') continue;
    const std::string place = fmt::format("{}:{}", name, line_number);
    if (!resp::split_words(line, words)) {
      return base::fail(base::Errc::kInvalidArgument, place + ": unbalanced quotes");
    }
    TRY(apply(given, place, words[0], Words(words).subspan(1)));
  }
  return {};
}

}  // namespace

std::span<const Directive> directives() { return kDirectives; }

std::span<const Alias> aliases() { return kAliases; }

const Directive* find_directive(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (equals_ignoring_case(alias.name, name)) name = alias.meant;
  }
  for (const Directive& directive : kDirectives) {
    if (equals_ignoring_case(directive.name, name)) return &directive;
  }
  return nullptr;
}

CollectionSettings collection_settings(const Config& config, uint64_t seed) {
  return {.seed = seed,
          .hash = {.entries = static_cast<size_t>(config.hash_max_listpack_entries),
                   .value_bytes = static_cast<size_t>(config.hash_max_listpack_value)},
          .set_numbers_max =
              std::min(static_cast<size_t>(config.set_max_intset_entries), IntSet::kCountMax)};
}

base::Result<Config> parse_config(std::string_view file_name, std::string_view file_text,
                                  std::span<const std::string> options) {
  Given given;
  TRY(apply_file(given, file_name, file_text));
  for (size_t i = 0; i < options.size();) {
    if (!options[i].starts_with("--")) {
      return base::fail(
          base::Errc::kInvalidArgument,
          fmt::format("command line: expected an option as --port, got '{}'", options[i]));
    }
    size_t end = i + 1;
    while (end < options.size() && !options[end].starts_with("--")) ++end;
    TRY(apply(given, "command line", std::string_view(options[i]).substr(2),
              options.subspan(i + 1, end - i - 1)));
    i = end;
  }
  return std::move(given.config);
}

}  // namespace seatrial::kv
