// DeleteTopics: topics by name, with all that is in them.
#pragma once

#include "broker/wire/api_key.h"
#include "broker/wire/error_code.h"

#include <cstdint>
#include <string>
#include <vector>

namespace seatrial::broker {

struct DeleteTopicsRequest {
  static constexpr ApiKey kApi = ApiKey::kDeleteTopics;
  static constexpr int16_t kVersionMax = 4;
  static constexpr int16_t kFlexibleFrom = 4;

  std::vector<std::string> names;
  int32_t timeout_ms = 0;

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    c(m.names);
    c(m.timeout_ms);
    c.tags();
  }
  friend bool operator==(const DeleteTopicsRequest&, const DeleteTopicsRequest&) = default;
};

struct DeleteTopicsReply {
  static constexpr ApiKey kApi = ApiKey::kDeleteTopics;
  static constexpr int16_t kVersionMax = 4;
  static constexpr int16_t kFlexibleFrom = 4;

  struct Topic {
    std::string name;
    ErrorCode error = ErrorCode::kNone;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c(m.error);
      c.tags();
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  int32_t throttle_ms = 0;  // From version 1.
  std::vector<Topic> topics;

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    if (c.version() >= 1) c(m.throttle_ms);
    c(m.topics);
    c.tags();
  }
  friend bool operator==(const DeleteTopicsReply&, const DeleteTopicsReply&) = default;
};

}  // namespace seatrial::broker
