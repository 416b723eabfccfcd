// Writes the fields of one message to the end of a buffer. The counterpart of Decoder: what it
// wrote, Decoder reads, version by version.
#pragma once

#include "base/buffer.h"
#include "broker/wire/decoder.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace seatrial::broker {

class Encoder {
 public:
  static constexpr bool kReads = false;

  Encoder(base::Buffer& buffer, int16_t version, bool flexible)
      : buffer_(buffer), version_(version), flexible_(flexible) {}

  int16_t version() const { return version_; }

  template <FixedWidth T>
  void operator()(const T& value) {
    auto word = static_cast<uint64_t>(value);
    char bytes[sizeof(T)];
    for (size_t i = sizeof(T); i-- > 0; word >>= 8) bytes[i] = static_cast<char>(word & 0xff);
    buffer_.append({bytes, sizeof(T)});
  }
  void operator()(const bool& value) { buffer_.append(value ? '\1' : '\0'); }
  void operator()(const std::string& text);
  void operator()(const std::optional<std::string>& text);
  void operator()(const Records& records);

  template <typename T>
  void operator()(const std::vector<T>& list) {
    array_count(static_cast<int64_t>(list.size()));
    for (const T& element : list) {
      if constexpr (requires { (*this)(element); }) {
        (*this)(element);
      } else {
        T::codec(*this, element);
      }
    }
  }
  template <typename T>
  void operator()(const std::optional<std::vector<T>>& list) {
    if (list) {
      (*this)(*list);
    } else {
      array_count(-1);
    }
  }

  void tags() {
    if (flexible_) varint(0);
  }

  void varint(uint32_t value);

 private:
  // -1: null.
  void array_count(int64_t count);
  void text(const std::string* text);

  base::Buffer& buffer_;
  int16_t version_;
  bool flexible_;
};

}  // namespace seatrial::broker
