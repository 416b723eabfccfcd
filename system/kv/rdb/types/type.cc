#include "kv/rdb/types/type.h"

#include "base/check.h"

#include <algorithm>

namespace seatrial::kv::rdb {
namespace {

constexpr const ValueType* kTypes[] = {&kStringType, &kHashType, &kSetType};

}  // namespace

const ValueType& value_type(Type type) {
  for (const ValueType* const row : kTypes) {
    if (row->type == type) return *row;
  }
  UNREACHABLE("no RDB form of type {}", to_string(type));
}

const ValueType* find_value_type(uint8_t code) {
  for (const ValueType* const row : kTypes) {
    if (std::ranges::find(row->codes, code) != row->codes.end()) return row;
  }
  return nullptr;
}

}  // namespace seatrial::kv::rdb
