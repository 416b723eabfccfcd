// CreateTopics: topics with their number of partitions and their settings.
#pragma once

#include "broker/wire/api_key.h"
#include "broker/wire/error_code.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::broker {

struct CreateTopicsRequest {
  static constexpr ApiKey kApi = ApiKey::kCreateTopics;
  static constexpr int16_t kVersionMax = 4;
  static constexpr int16_t kFlexibleFrom = 5;

  struct Assignment {
    int32_t partition = 0;
    std::vector<int32_t> brokers;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.partition);
      c(m.brokers);
      c.tags();
    }
    friend bool operator==(const Assignment&, const Assignment&) = default;
  };

  struct Setting {
    std::string name;
    std::optional<std::string> value;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c(m.value);
      c.tags();
    }
    friend bool operator==(const Setting&, const Setting&) = default;
  };

  struct Topic {
    std::string name;
    int32_t partitions = -1;          // -1: the default, or as assigned.
    int16_t replication_factor = -1;  // -1: the default, or as assigned.
    std::vector<Assignment> assignments;
    std::vector<Setting> settings;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c(m.partitions);
      c(m.replication_factor);
      c(m.assignments);
      c(m.settings);
      c.tags();
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::vector<Topic> topics;
  int32_t timeout_ms = 0;
  bool validate_only = false;  // From version 1.

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    c(m.topics);
    c(m.timeout_ms);
    if (c.version() >= 1) c(m.validate_only);
    c.tags();
  }
  friend bool operator==(const CreateTopicsRequest&, const CreateTopicsRequest&) = default;
};

struct CreateTopicsReply {
  static constexpr ApiKey kApi = ApiKey::kCreateTopics;
  static constexpr int16_t kVersionMax = 4;
  static constexpr int16_t kFlexibleFrom = 5;

  struct Topic {
    std::string name;
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string> error_message;  // From version 1.

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c(m.error);
      if (c.version() >= 1) c(m.error_message);
      c.tags();
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  int32_t throttle_ms = 0;  // From version 2.
  std::vector<Topic> topics;

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    if (c.version() >= 2) c(m.throttle_ms);
    c(m.topics);
    c.tags();
  }
  friend bool operator==(const CreateTopicsReply&, const CreateTopicsReply&) = default;
};

}  // namespace seatrial::broker
