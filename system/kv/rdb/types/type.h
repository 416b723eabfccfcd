// How the values of one data type stand in an RDB: one row a type, in one file a type, which reads
// and writes side by side. type.cc lists the rows.
#pragma once

#include "base/error.h"
#include "kv/data/entry.h"
#include "kv/rdb/decoder.h"
#include "kv/rdb/encoder.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace seatrial::kv::rdb {

struct ValueType {
  Type type;
  std::span<const uint8_t> codes;  // The type bytes that read() takes.
  // The type byte that write() goes with.
  uint8_t (*code)(const Entry& entry);
  // The value alone.
  void (*write)(const Entry& entry, Encoder& encoder);
  base::Result<Entry::Owner> (*read)(uint8_t code, std::string_view key,
                                     std::optional<WallMs> deadline,
                                     const CollectionSettings& settings, Decoder& decoder);
};

extern const ValueType kHashType;
extern const ValueType kSetType;
extern const ValueType kStringType;

// No bound but memory: what was accepted once is loaded, whatever the limits are now.
inline constexpr uint64_t kValueBytesMax = UINT64_MAX;

const ValueType& value_type(Type type);
// nullptr: this server does not know it.
const ValueType* find_value_type(uint8_t code);

}  // namespace seatrial::kv::rdb
