// ListOffsets: the first and the next offset of a partition, and the first one at or after a time.
#pragma once

#include "broker/wire/api_key.h"
#include "broker/wire/error_code.h"

#include <cstdint>
#include <string>
#include <vector>

namespace seatrial::broker {

// Instead of a time.
inline constexpr int64_t kLatestOffset = -1;
inline constexpr int64_t kEarliestOffset = -2;

struct ListOffsetsRequest {
  static constexpr ApiKey kApi = ApiKey::kListOffsets;
  static constexpr int16_t kVersionMax = 6;
  static constexpr int16_t kFlexibleFrom = 6;

  struct Partition {
    int32_t index = 0;
    int32_t current_leader_epoch = -1;  // From version 4.
    int64_t timestamp_ms = 0;           // Or one of the constants above.
    int32_t offsets_max = 1;            // Version 0.

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.index);
      if (c.version() >= 4) c(m.current_leader_epoch);
      c(m.timestamp_ms);
      if (c.version() == 0) c(m.offsets_max);
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

  int32_t replica_id = -1;     // -1: a consumer.
  int8_t isolation_level = 0;  // From version 2.
  std::vector<Topic> topics;

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    c(m.replica_id);
    if (c.version() >= 2) c(m.isolation_level);
    c(m.topics);
    c.tags();
  }
  friend bool operator==(const ListOffsetsRequest&, const ListOffsetsRequest&) = default;
};

struct ListOffsetsReply {
  static constexpr ApiKey kApi = ApiKey::kListOffsets;
  static constexpr int16_t kVersionMax = 6;
  static constexpr int16_t kFlexibleFrom = 6;

  struct Partition {
    int32_t index = 0;
    ErrorCode error = ErrorCode::kNone;
    std::vector<int64_t> offsets;  // Version 0.
    int64_t timestamp_ms = -1;     // From version 1.
    int64_t offset = -1;           // From version 1.
    int32_t leader_epoch = -1;     // From version 4.

    template <class Codec, class Self>
    static void codec(Codec& c, Self& m) {
      c(m.index);
      c(m.error);
      if (c.version() == 0) {
        c(m.offsets);
      } else {
        c(m.timestamp_ms);
        c(m.offset);
      }
      if (c.version() >= 4) c(m.leader_epoch);
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

  int32_t throttle_ms = 0;  // From version 2.
  std::vector<Topic> topics;

  template <class Codec, class Self>
  static void codec(Codec& c, Self& m) {
    if (c.version() >= 2) c(m.throttle_ms);
    c(m.topics);
    c.tags();
  }
  friend bool operator==(const ListOffsetsReply&, const ListOffsetsReply&) = default;
};

}  // namespace seatrial::broker
