#include "kv/config.h"

#include "kv/command_table.h"
#include "resp/number.h"
#include "resp/parser.h"

#include <fmt/format.h>

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

std::string set_save(Config& config, Words words) {
  if (words.size() != 1 || !words[0].empty()) {
    return "snapshots are not taken by this server: only \"\" is accepted";
  }
  config.save.clear();
  return {};
}

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
    {"databases", true, get_integer<&Config::databases>,
     set_integer<&Config::databases, 1, INT32_MAX>},
    {"dir", true, get_text<&Config::dir>, set_text<&Config::dir>},
    {"enable-debug-command", true, get_flag<&Config::enable_debug_command>,
     set_flag<&Config::enable_debug_command>},
    {"hz", false, get_integer<&Config::hz>, set_integer<&Config::hz, 1, 500>},
    {"loglevel", false, get_loglevel, set_loglevel},
    {"maxclients", false, get_integer<&Config::maxclients>,
     set_integer<&Config::maxclients, 1, UINT32_MAX>},
    {"no-appendfsync-on-rewrite", false, get_flag<&Config::no_appendfsync_on_rewrite>,
     set_flag<&Config::no_appendfsync_on_rewrite>},
    {"port", true, get_integer<&Config::port>, set_integer<&Config::port, 0, 65535>},
    {"proto-max-bulk-len", false, get_integer<&Config::proto_max_bulk_bytes>,
     set_bytes<&Config::proto_max_bulk_bytes, 1024 * 1024>},
    {"save", false, get_text<&Config::save>, set_save},
    {"tcp-backlog", true, get_integer<&Config::tcp_backlog>,
     set_integer<&Config::tcp_backlog, 0, INT32_MAX>},
    {"timeout", false, get_integer<&Config::timeout_seconds>,
     set_integer<&Config::timeout_seconds, 0, INT32_MAX>},
};

base::Result<void> apply(Config& config, std::string_view place, std::string_view name,
                         Words words) {
  const Directive* const directive = find_directive(name);
  if (directive == nullptr) {
    return base::fail(base::Errc::kInvalidArgument,
                      fmt::format("{}: unknown directive '{}'", place, name));
  }
  if (words.empty()) {
    return base::fail(base::Errc::kInvalidArgument,
                      fmt::format("{}: '{}' needs a value", place, name));
  }
  const std::string problem = directive->set(config, words);
  if (problem.empty()) return {};
  return base::fail(base::Errc::kInvalidArgument,
                    fmt::format("{}: {}: {}", place, directive->name, problem));
}

base::Result<void> apply_file(Config& config, std::string_view name, std::string_view text) {
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
    TRY(apply(config, place, words[0], Words(words).subspan(1)));
  }
  return {};
}

}  // namespace

std::span<const Directive> directives() { return kDirectives; }

const Directive* find_directive(std::string_view name) {
  for (const Directive& directive : kDirectives) {
    if (equals_ignoring_case(directive.name, name)) return &directive;
  }
  return nullptr;
}

base::Result<Config> parse_config(std::string_view file_name, std::string_view file_text,
                                  std::span<const std::string> options) {
  Config config;
  TRY(apply_file(config, file_name, file_text));
  for (size_t i = 0; i < options.size();) {
    if (!options[i].starts_with("--")) {
      return base::fail(
          base::Errc::kInvalidArgument,
          fmt::format("command line: expected an option as --port, got '{}'", options[i]));
    }
    size_t end = i + 1;
    while (end < options.size() && !options[end].starts_with("--")) ++end;
    TRY(apply(config, "command line", std::string_view(options[i]).substr(2),
              options.subspan(i + 1, end - i - 1)));
    i = end;
  }
  return config;
}

}  // namespace seatrial::kv
