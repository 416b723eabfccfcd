// Numbers as the files and the wire of Kafka have them.
#pragma once

#include "base/bytes.h"

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>

namespace seatrial::broker {

template <std::integral T>
T load_big_endian(base::Bytes bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}

template <std::integral T>
void store_big_endian(base::MutableBytes bytes, size_t at, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <std::integral T>
void append_big_endian(std::string& to, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

}  // namespace seatrial::broker
