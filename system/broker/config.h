// The broker's settings, under the names of Kafka's server.properties.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "broker/log/log_options.h"
#include "os/network.h"
#include "os/time.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::broker {

struct Config {
  int32_t broker_id = 0;
  std::vector<os::Address> listeners = {{"", 9092}};  // PLAINTEXT; host empty: all interfaces.
  // What Metadata tells clients to connect to. Host empty: the address that the client's own
  // connection came in by; port 0: the port of the listener.
  os::Address advertised;
  std::string log_dir = "/tmp/kafka-logs";
  int32_t num_partitions = 1;
  bool auto_create_topics = true;

  // Of topics that do not have settings of their own. Records are visible only after their flush,
  // so unlike Kafka's the intervals of the flush are not unlimited by default.
  LogOptions log;

  int32_t fetch_bytes_max = 57671680;  // Of the records in one reply to Fetch.
  int32_t request_bytes_max = 104857600;
  int32_t connections_max = 10000;
  os::Duration connection_idle_max = std::chrono::minutes(10);
  base::LogLevel log_level = base::LogLevel::kInfo;
  // Settings that were given and do nothing here, with the reason, one line each.
  std::vector<std::string> warnings;
};

// Settings from what an operator gives: the text of a server.properties (Java's properties
// syntax), then overrides as "key=value". An error names the place and what was expected:
// "server.properties:12: ...". A property of Kafka's that this broker does not have is a warning
// where doing without it loses nothing (threads, buffers, retention), and an error where it asks
// for something that would then not be there (security, replicas).
base::Result<Config> parse_config(std::string_view file_name, std::string_view file_text,
                                  std::span<const std::string> overrides);

// Sets what CreateTopics calls `name` ("segment.bytes") for one topic. Returns what is wrong with
// it, or nothing.
std::string set_topic_setting(LogOptions& options, std::string_view name, std::string_view value);

}  // namespace seatrial::broker
