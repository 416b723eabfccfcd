// The bytes of Redis's RDB format, as its version 10 (Redis 7.0) has them:
//
//   "REDIS0010" | aux fields | for each database: SELECTDB, RESIZEDB, keys | EOF | checksum
//   a key: [EXPIRETIME_MS milliseconds] [IDLE or FREQ] type, key, value
//
// A length is a big-endian number behind two bits that say its width; the fourth pattern of those
// bits marks a string in a special encoding. All other numbers are little-endian.
#pragma once

#include <cstdint>
#include <string_view>

namespace seatrial::kv::rdb {

inline constexpr std::string_view kMagic = "REDIS";
inline constexpr int kVersionWritten = 10;
inline constexpr int kVersionReadMax = 10;
// From this one on a checksum stands at the end.
inline constexpr int kVersionWithChecksum = 5;

enum Opcode : uint8_t {
  kFunction2 = 245,
  kFunction = 246,  // Of release candidates of 7.0.
  kModuleAux = 247,
  kIdle = 248,
  kFrequency = 249,
  kAux = 250,
  kResizeDatabase = 251,
  kExpireMilliseconds = 252,
  kExpireSeconds = 253,
  kSelectDatabase = 254,
  kEnd = 255,
};

enum LengthForm : uint8_t {
  kLength6 = 0,
  kLength14 = 1,
  kLengthLong = 2,  // Then the whole byte is one of these two:
  kLengthSpecial = 3,
};
inline constexpr uint8_t kLength32 = 0x80;
inline constexpr uint8_t kLength64 = 0x81;

// The low six bits of a special length.
enum StringForm : uint8_t { kInt8 = 0, kInt16 = 1, kInt32 = 2, kLzf = 3 };

// The first byte of a value in a database.
inline constexpr uint8_t kTypeString = 0;
inline constexpr uint8_t kTypeSet = 2;   // Its members one by one.
inline constexpr uint8_t kTypeHash = 4;  // Its fields one by one.
inline constexpr uint8_t kTypeSetIntSet = 11;
inline constexpr uint8_t kTypeHashListpack = 16;

// What Redis 7.0 and before mean by a type byte, for messages; empty: nothing.
std::string_view type_name(uint8_t code);

}  // namespace seatrial::kv::rdb
