// Produce: record batches, one a partition, to append.
#pragma once

#include "broker/wire/api_key.h"
#include "broker/wire/decoder.h"
#include "broker/wire/error_code.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::broker {

struct ProduceRequest {
  static constexpr ApiKey kApi = ApiKey::kProduce;
  static constexpr int16_t kVersionMax = 9;
  static constexpr int16_t kFlexibleFrom = 9;

  struct Partition {
    int32_t index = 0;
    Records records;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.index);
      c(m.records);
      c.tags();
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };

  struct Topic {
    std::string name;
    std::vector<Partition> partitions;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c(m.partitions);
      c.tags();
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::optional<std::string> transactional_id;  // From version 3.
  int16_t acks = 0;  // 0: no reply; 1: once appended; -1: once no crash can lose it.
  int32_t timeout_ms = 0;
  std::vector<Topic> topics;

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    if (c.version() >= 3) c(m.transactional_id);
    c(m.acks);
    c(m.timeout_ms);
    c(m.topics);
    c.tags();
  }
  friend bool operator==(const ProduceRequest&, const ProduceRequest&) = default;
};

struct ProduceReply {
  static constexpr ApiKey kApi = ApiKey::kProduce;
  static constexpr int16_t kVersionMax = 9;
  static constexpr int16_t kFlexibleFrom = 9;

  struct RecordError {
    int32_t index = 0;
    std::optional<std::string> message;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.index);
      c(m.message);
      c.tags();
    }
    friend bool operator==(const RecordError&, const RecordError&) = default;
  };

  struct Partition {
    int32_t index = 0;
    ErrorCode error = ErrorCode::kNone;
    int64_t base_offset = -1;
    int64_t log_append_time_ms = -1;           // From version 2.
    int64_t log_start_offset = -1;             // From version 5.
    std::vector<RecordError> record_errors;    // From version 8.
    std::optional<std::string> error_message;  // From version 8.

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.index);
      c(m.error);
      c(m.base_offset);
      if (c.version() >= 2) c(m.log_append_time_ms);
      if (c.version() >= 5) c(m.log_start_offset);
      if (c.version() >= 8) {
        c(m.record_errors);
        c(m.error_message);
      }
      c.tags();
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };

  struct Topic {
    std::string name;
    std::vector<Partition> partitions;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c(m.partitions);
      c.tags();
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::vector<Topic> topics;
  int32_t throttle_ms = 0;  // From version 1.

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    c(m.topics);
    if (c.version() >= 1) c(m.throttle_ms);
    c.tags();
  }
  friend bool operator==(const ProduceReply&, const ProduceReply&) = default;
};

}  // namespace seatrial::broker
