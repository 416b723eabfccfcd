// Fetch: record batches from an offset on, waiting for them if need be.
#pragma once

#include "broker/wire/api_key.h"
#include "broker/wire/decoder.h"
#include "broker/wire/error_code.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::broker {

struct FetchRequest {
  static constexpr ApiKey kApi = ApiKey::kFetch;
  static constexpr int16_t kVersionMax = 12;
  static constexpr int16_t kFlexibleFrom = 12;

  struct Partition {
    int32_t index = 0;
    int32_t current_leader_epoch = -1;  // From version 9.
    int64_t offset = 0;
    int32_t last_fetched_epoch = -1;  // From version 12.
    int64_t log_start_offset = -1;    // From version 5.
    int32_t bytes_max = 0;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.index);
      if (c.version() >= 9) c(m.current_leader_epoch);
      c(m.offset);
      if (c.version() >= 12) c(m.last_fetched_epoch);
      if (c.version() >= 5) c(m.log_start_offset);
      c(m.bytes_max);
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

  struct ForgottenTopic {
    std::string name;
    std::vector<int32_t> partitions;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.name);
      c(m.partitions);
      c.tags();
    }
    friend bool operator==(const ForgottenTopic&, const ForgottenTopic&) = default;
  };

  int32_t replica_id = -1;  // -1: a consumer.
  int32_t wait_max_ms = 0;
  int32_t bytes_min = 0;          // Fewer are waited for.
  int32_t bytes_max = INT32_MAX;  // From version 3.
  int8_t isolation_level = 0;     // From version 4.
  int32_t session_id = 0;         // From version 7.
  int32_t session_epoch = -1;     // From version 7.
  std::vector<Topic> topics;
  std::vector<ForgottenTopic> forgotten;  // From version 7.
  std::string rack;                       // From version 11.

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    c(m.replica_id);
    c(m.wait_max_ms);
    c(m.bytes_min);
    if (c.version() >= 3) c(m.bytes_max);
    if (c.version() >= 4) c(m.isolation_level);
    if (c.version() >= 7) {
      c(m.session_id);
      c(m.session_epoch);
    }
    c(m.topics);
    if (c.version() >= 7) c(m.forgotten);
    if (c.version() >= 11) c(m.rack);
    c.tags();
  }
  friend bool operator==(const FetchRequest&, const FetchRequest&) = default;
};

struct FetchReply {
  static constexpr ApiKey kApi = ApiKey::kFetch;
  static constexpr int16_t kVersionMax = 12;
  static constexpr int16_t kFlexibleFrom = 12;

  struct AbortedTransaction {
    int64_t producer_id = 0;
    int64_t first_offset = 0;

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.producer_id);
      c(m.first_offset);
      c.tags();
    }
    friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
  };

  struct Partition {
    int32_t index = 0;
    ErrorCode error = ErrorCode::kNone;
    int64_t high_watermark = -1;
    int64_t last_stable_offset = -1;                         // From version 4.
    int64_t log_start_offset = -1;                           // From version 5.
    std::optional<std::vector<AbortedTransaction>> aborted;  // From version 4.
    int32_t preferred_read_replica = -1;                     // From version 11.
    Records records = base::Bytes{};

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.index);
      c(m.error);
      c(m.high_watermark);
      if (c.version() >= 4) c(m.last_stable_offset);
      if (c.version() >= 5) c(m.log_start_offset);
      if (c.version() >= 4) c(m.aborted);
      if (c.version() >= 11) c(m.preferred_read_replica);
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

  int32_t throttle_ms = 0;             // From version 1.
  ErrorCode error = ErrorCode::kNone;  // From version 7.
  int32_t session_id = 0;              // From version 7; 0: there is none.
  std::vector<Topic> topics;

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    if (c.version() >= 1) c(m.throttle_ms);
    if (c.version() >= 7) {
      c(m.error);
      c(m.session_id);
    }
    c(m.topics);
    c.tags();
  }
  friend bool operator==(const FetchReply&, const FetchReply&) = default;
};

}  // namespace seatrial::broker
