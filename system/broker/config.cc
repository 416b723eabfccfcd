#include "broker/config.h"

#include "broker/properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace seatrial::broker {
namespace {

using std::chrono::milliseconds;

std::string_view strip(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<int64_t> parse_integer(std::string_view text) {
  text = strip(text);
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::string set_integer(auto& target, std::string_view text, int64_t min, int64_t max) {
  const auto value = parse_integer(text);
  if (!value || *value < min || *value > max) {
    return fmt::format("expected a number from {} to {}, found '{}'", min, max, text);
  }
  target = static_cast<std::remove_reference_t<decltype(target)>>(*value);
  return {};
}

// Durations are stored in nanoseconds: more than this is "never".
constexpr int64_t kMillisecondsMax = std::numeric_limits<int64_t>::max() / 1'000'000 / 2;

std::string set_milliseconds(os::Duration& target, std::string_view text, int64_t min) {
  int64_t value = 0;
  std::string problem = set_integer(value, text, min, std::numeric_limits<int64_t>::max());
  if (problem.empty()) target = milliseconds(std::min(value, kMillisecondsMax));
  return problem;
}

std::string set_flag(bool& target, std::string_view text) {
  text = strip(text);
  if (text != "true" && text != "false") {
    return fmt::format("expected true or false, found '{}'", text);
  }
  target = text == "true";
  return {};
}

// "PLAINTEXT://host:port", host may be empty and in brackets.
std::string parse_endpoint(std::string_view text, os::Address& into) {
  text = strip(text);
  constexpr std::string_view kProtocol = "PLAINTEXT://";
  if (!text.starts_with(kProtocol)) {
    return fmt::format("expected PLAINTEXT://host:port, found '{}'", text);
  }
  const std::string_view address = text.substr(kProtocol.size());
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return fmt::format("'{}' has no port", text);
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string problem = set_integer(into.port, address.substr(colon + 1), 0, 65535);
  if (!problem.empty()) return fmt::format("the port of '{}': {}", text, problem);
  into.host = host == "0.0.0.0" || host == "::" ? "" : host;
  return {};
}

std::string set_listeners(Config& config, std::string_view text) {
  config.listeners.clear();
  while (true) {
    const size_t comma = text.find(',');
    const std::string problem =
        parse_endpoint(text.substr(0, comma), config.listeners.emplace_back());
    if (!problem.empty()) return problem;
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

std::string set_advertised(Config& config, std::string_view text) {
  if (text.find(',') != std::string_view::npos) return "expected one listener";
  return parse_endpoint(text, config.advertised);
}

std::string set_log_dir(Config& config, std::string_view text) {
  text = strip(text);
  if (text.empty()) return "expected a directory";
  if (text.find(',') != std::string_view::npos) return "expected one directory: no more are used";
  config.log_dir = text;
  return {};
}

// A setting that only has the value which is true here anyway.
std::string only(std::string_view value, std::string_view allowed) {
  if (strip(value) == allowed) return {};
  return fmt::format("only '{}' is supported, found '{}'", allowed, value);
}

// ---- Settings that a topic may have for itself ----

struct TopicSetting {
  std::string_view name;           // As CreateTopics has it.
  std::string_view property_name;  // The default for all topics, in server.properties.
  std::string (*set)(LogOptions& options, std::string_view value);
};

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

constexpr TopicSetting kTopicSettings[] = {
    {"segment.bytes", "log.segment.bytes",
     [](LogOptions& options, std::string_view value) {
       return set_integer(options.segment_bytes, value, 1024, kInt32Max);
     }},
    {"segment.index.bytes", "log.index.size.max.bytes",
     [](LogOptions& options, std::string_view value) {
       return set_integer(options.index_bytes_max, value, 4, kInt32Max);
     }},
    {"index.interval.bytes", "log.index.interval.bytes",
     [](LogOptions& options, std::string_view value) {
       return set_integer(options.index_interval_bytes, value, 0, kInt32Max);
     }},
    {"flush.messages", "log.flush.interval.messages",
     [](LogOptions& options, std::string_view value) {
       return set_integer(options.flush_interval_messages, value, 1, kInt64Max);
     }},
    {"flush.ms", "log.flush.interval.ms",
     [](LogOptions& options, std::string_view value) {
       return set_milliseconds(options.flush_interval, value, 0);
     }},
    {"max.message.bytes", "message.max.bytes",
     [](LogOptions& options, std::string_view value) {
       return set_integer(options.batch_bytes_max, value, 0, kInt32Max);
     }},
    {"message.timestamp.type", "log.message.timestamp.type",
     [](LogOptions& options, std::string_view value) -> std::string {
       value = strip(value);
       if (value != "CreateTime" && value != "LogAppendTime") {
         return fmt::format("expected CreateTime or LogAppendTime, found '{}'", value);
       }
       options.log_append_time = value == "LogAppendTime";
       return {};
     }},
    {"cleanup.policy", "log.cleanup.policy",
     [](LogOptions&, std::string_view value) { return only(value, "delete"); }},
    {"compression.type", "compression.type",
     [](LogOptions&, std::string_view value) { return only(value, "producer"); }},
    {"min.insync.replicas", "min.insync.replicas",
     [](LogOptions&, std::string_view value) { return only(value, "1"); }},
};

// Records are never deleted here, so a topic of its own may say so, and nothing else.
constexpr std::string_view kRetentionSettings[] = {"retention.bytes", "retention.ms"};

// ---- Settings of the broker ----

struct BrokerSetting {
  std::string_view name;
  std::string (*set)(Config& config, std::string_view value);
};

constexpr BrokerSetting kBrokerSettings[] = {
    {"broker.id",
     [](Config& config, std::string_view value) {
       return set_integer(config.broker_id, value, 0, kInt32Max);
     }},
    {"node.id",
     [](Config& config, std::string_view value) {
       return set_integer(config.broker_id, value, 0, kInt32Max);
     }},
    {"listeners", set_listeners},
    {"advertised.listeners", set_advertised},
    {"log.dirs", set_log_dir},
    {"log.dir", set_log_dir},
    {"num.partitions",
     [](Config& config, std::string_view value) {
       return set_integer(config.num_partitions, value, 1, 10000);
     }},
    {"auto.create.topics.enable",
     [](Config& config, std::string_view value) {
       return set_flag(config.auto_create_topics, value);
     }},
    {"fetch.max.bytes",
     [](Config& config, std::string_view value) {
       return set_integer(config.fetch_bytes_max, value, 1024, kInt32Max);
     }},
    {"socket.request.max.bytes",
     [](Config& config, std::string_view value) {
       return set_integer(config.request_bytes_max, value, 1024, kInt32Max);
     }},
    {"max.connections",
     [](Config& config, std::string_view value) {
       return set_integer(config.connections_max, value, 0, kInt32Max);
     }},
    {"connections.max.idle.ms",
     [](Config& config, std::string_view value) {
       return set_milliseconds(config.connection_idle_max, value, 1);
     }},
    {"default.replication.factor",
     [](Config&, std::string_view value) { return only(value, "1"); }},
};

// Done without, and nothing is lost by it.
struct Harmless {
  std::string_view prefix;
  std::string_view why;
};

constexpr std::string_view kNeverDeleted = "records are never deleted";
constexpr std::string_view kOneThread = "this broker has no such threads";
constexpr std::string_view kSystemsBuffers = "the system sizes the sockets' buffers";
constexpr std::string_view kAlone = "this broker stands alone";
constexpr std::string_view kNoGroups = "there are no consumer groups";
constexpr std::string_view kNoTransactions = "there are no transactions";
constexpr std::string_view kOwnFlushes = "each log flushes by its own count and time";

constexpr Harmless kHarmless[] = {
    {"background.threads", kOneThread},
    {"num.io.threads", kOneThread},
    {"num.network.threads", kOneThread},
    {"num.recovery.threads.per.data.dir", kOneThread},
    {"queued.max.requests", kOneThread},
    {"socket.receive.buffer.bytes", kSystemsBuffers},
    {"socket.send.buffer.bytes", kSystemsBuffers},
    {"socket.listen.backlog.size", kSystemsBuffers},
    {"log.retention.", kNeverDeleted},
    {"log.cleaner.", kNeverDeleted},
    {"log.segment.delete.delay.ms", kNeverDeleted},
    {"log.flush.scheduler.interval.ms", kOwnFlushes},
    {"log.flush.offset.checkpoint.interval.ms", kOwnFlushes},
    {"log.flush.start.offset.checkpoint.interval.ms", kOwnFlushes},
    {"offsets.", kNoGroups},
    {"group.", kNoGroups},
    {"transaction.", kNoTransactions},
    {"transactional.", kNoTransactions},
    {"replica.", kAlone},
    {"num.replica.", kAlone},
    {"leader.imbalance.", kAlone},
    {"auto.leader.rebalance.enable", kAlone},
    {"unclean.leader.election.enable", kAlone},
    {"controlled.shutdown.", kAlone},
    {"controller.", kAlone},
    {"inter.broker.protocol.version", kAlone},
    {"inter.broker.listener.name", kAlone},
    {"process.roles", kAlone},
    {"listener.security.protocol.map", "all listeners are PLAINTEXT"},
    {"zookeeper.", kAlone},
    {"log.message.format.version", "records are kept in format 2"},
    {"delete.topic.enable", "topics are not deleted"},
};

std::string apply(Config& config, const Property& property) {
  for (const BrokerSetting& setting : kBrokerSettings) {
    if (property.key == setting.name) return setting.set(config, property.value);
  }
  for (const TopicSetting& setting : kTopicSettings) {
    if (property.key == setting.property_name) return setting.set(config.log, property.value);
  }
  for (const Harmless& known : kHarmless) {
    const bool family = known.prefix.ends_with('.');
    if (family ? property.key.starts_with(known.prefix) : property.key == known.prefix) {
      config.warnings.push_back(
          fmt::format("{}: {} has no effect: {}", property.place, property.key, known.why));
      return {};
    }
  }
  return "this broker has no such setting";
}

}  // namespace

base::Result<Config> parse_config(std::string_view file_name, std::string_view file_text,
                                  std::span<const std::string> overrides) {
  std::vector<Property> properties = TRY(parse_properties(file_name, file_text));
  for (const std::string& word : overrides) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return base::fail(base::Errc::kInvalidArgument,
                        fmt::format("--override: expected key=value, found '{}'", word));
    }
    properties.push_back({"--override", word.substr(0, equals), word.substr(equals + 1)});
  }
  Config config;
  for (const Property& property : properties) {
    const std::string problem = apply(config, property);
    if (problem.empty()) continue;
    return base::fail(base::Errc::kInvalidArgument,
                      fmt::format("{}: {}: {}", property.place, property.key, problem));
  }
  return config;
}

std::string set_topic_setting(LogOptions& options, std::string_view name, std::string_view value) {
  for (const TopicSetting& setting : kTopicSettings) {
    if (name == setting.name) return setting.set(options, value);
  }
  if (std::ranges::find(kRetentionSettings, name) != std::end(kRetentionSettings)) {
    return only(value, "-1");
  }
  return "this broker has no such setting";
}

}  // namespace seatrial::broker
