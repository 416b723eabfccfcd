// Metadata: the brokers, the topics, and who leads each partition. Asking for a topic may create
// it.
#pragma once

#include "broker/wire/api_key.h"
#include "broker/wire/error_code.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::broker {

// "Nobody asked for this": a set of authorized operations.
inline constexpr int32_t kOperationsNotAsked = INT32_MIN;

struct MetadataRequest {
  static constexpr ApiKey kApi = ApiKey::kMetadata;
  static constexpr int16_t kVersionMax = 9;
  static constexpr int16_t kFlexibleFrom = 9;

  struct Topic {
    std::string name;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c.tags();
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  // None: all topics; so does an empty list in version 0, which has no null.
  std::optional<std::vector<Topic>> topics = std::vector<Topic>{};
  bool allow_auto_topic_creation = true;               // From version 4.
  bool include_cluster_authorized_operations = false;  // From version 8.
  bool include_topic_authorized_operations = false;    // From version 8.

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    c(m.topics);
    if (c.version() >= 4) c(m.allow_auto_topic_creation);
    if (c.version() >= 8) {
      c(m.include_cluster_authorized_operations);
      c(m.include_topic_authorized_operations);
    }
    c.tags();
  }
  friend bool operator==(const MetadataRequest&, const MetadataRequest&) = default;
};

struct MetadataReply {
  static constexpr ApiKey kApi = ApiKey::kMetadata;
  static constexpr int16_t kVersionMax = 9;
  static constexpr int16_t kFlexibleFrom = 9;

  struct Broker {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;  // From version 1.

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.node_id);
      c(m.host);
      c(m.port);
      if (c.version() >= 1) c(m.rack);
      c.tags();
    }
    friend bool operator==(const Broker&, const Broker&) = default;
  };

  struct Partition {
    ErrorCode error = ErrorCode::kNone;
    int32_t index = 0;
    int32_t leader = 0;
    int32_t leader_epoch = -1;  // From version 7.
    std::vector<int32_t> replicas;
    std::vector<int32_t> in_sync;
    std::vector<int32_t> offline;  // From version 5.

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.error);
      c(m.index);
      c(m.leader);
      if (c.version() >= 7) c(m.leader_epoch);
      c(m.replicas);
      c(m.in_sync);
      if (c.version() >= 5) c(m.offline);
      c.tags();
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };

  struct Topic {
    ErrorCode error = ErrorCode::kNone;
    std::string name;
    bool internal = false;  // From version 1.
    std::vector<Partition> partitions;
    int32_t authorized_operations = kOperationsNotAsked;  // From version 8.

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.error);
      c(m.name);
      if (c.version() >= 1) c(m.internal);
      c(m.partitions);
      if (c.version() >= 8) c(m.authorized_operations);
      c.tags();
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  int32_t throttle_ms = 0;  // From version 3.
  std::vector<Broker> brokers;
  std::optional<std::string> cluster_id;  // From version 2.
  int32_t controller = -1;                // From version 1.
  std::vector<Topic> topics;
  int32_t cluster_authorized_operations = kOperationsNotAsked;  // From version 8.

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    if (c.version() >= 3) c(m.throttle_ms);
    c(m.brokers);
    if (c.version() >= 2) c(m.cluster_id);
    if (c.version() >= 1) c(m.controller);
    c(m.topics);
    if (c.version() >= 8) c(m.cluster_authorized_operations);
    c.tags();
  }
  friend bool operator==(const MetadataReply&, const MetadataReply&) = default;
};

}  // namespace seatrial::broker
