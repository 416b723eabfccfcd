// The broker's settings, under the names of Kafka's server.properties.
#pragma once

#include "base/error.h"
#include "base/log.h"
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

  int32_t segment_bytes = 1024 * 1024 * 1024;
  int32_t index_interval_bytes = 4096;
  // A flush begins when this many records wait for one, or when the oldest of them has waited so
  // long. Records are visible only after it, so unlike Kafka's these are never unlimited.
  int64_t flush_interval_messages = 1;
  os::Duration flush_interval = std::chrono::seconds(1);

  int32_t message_bytes_max = 1048588;  // Of one record batch.
  int32_t fetch_bytes_max = 57671680;   // Of the records in one reply to Fetch.
  int32_t request_bytes_max = 104857600;
  int32_t connections_max = 10000;
  os::Duration connection_idle_max = std::chrono::minutes(10);
  base::LogLevel log_level = base::LogLevel::kInfo;
};

// Settings from what an operator gives: the text of a server.properties (Java's properties
// syntax), then overrides as "key=value". An error names the place and what was expected:
// "server.properties:12: ...". A property of Kafka's that this broker does not have is an error
// too, unless it asks for what the broker does anyway.
base::Result<Config> parse_config(std::string_view file_name, std::string_view file_text,
                                  std::span<const std::string> overrides);

}  // namespace seatrial::broker
