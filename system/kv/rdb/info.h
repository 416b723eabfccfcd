// What an RDB says of itself: its aux fields, apart from those that nobody here needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace seatrial::kv::rdb {

struct Info {
  std::string redis_version = "7.0.15";
  int64_t bits = 64;
  std::optional<int64_t> created_seconds;  // ctime, since 1970.
  std::optional<uint64_t> used_memory_bytes;
  // Where a replica that loads this goes on: the stream's selected database, its id, its offset.
  std::optional<int64_t> replication_database;
  std::string replication_id;  // Empty: none.
  std::optional<int64_t> replication_offset;
  bool aof_base = false;  // It is the base of an append-only file.

  // Of reading only.
  int version = 0;
  uint64_t keys = 0;
  uint64_t keys_expired = 0;  // Left out, as their deadline had passed.

  friend bool operator==(const Info&, const Info&) = default;
};

}  // namespace seatrial::kv::rdb
