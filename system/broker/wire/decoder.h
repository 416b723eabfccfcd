// Reads the fields of one message from its bytes, which nobody has vouched for: a length or a
// count is believed only as far as there are bytes behind it, and nothing is allocated on its
// word.
//
// The first thing that does not fit stops it: all that is read afterwards is zero or empty, and
// result() says what was wrong and where. So codecs need not look after each field.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace seatrial::broker {

// Record batches of a message; none is different from zero bytes. Read: a view into what was
// decoded, which must outlive it.
using Records = std::optional<base::Bytes>;

template <typename T>
concept FixedWidth = std::integral<T> || std::is_enum_v<T>;

class Decoder {
 public:
  static constexpr bool kReads = true;

  // `flexible`: this version of the message has compact lengths and tagged fields.
  Decoder(base::Bytes bytes, int16_t version, bool flexible)
      : bytes_(bytes), version_(version), flexible_(flexible) {}

  int16_t version() const { return version_; }

  template <FixedWidth T>
  void operator()(T& value) {
    using Word = std::make_unsigned_t<std::conditional_t<std::is_enum_v<T>, Underlying<T>, T>>;
    Word word = 0;
    if (const char* const at = take(sizeof(T))) std::memcpy(&word, at, sizeof(T));
    if constexpr (std::endian::native == std::endian::little) word = swap(word);
    value = static_cast<T>(word);
  }
  void operator()(bool& value);
  void operator()(std::string& text);
  void operator()(std::optional<std::string>& text);
  void operator()(Records& records);

  template <typename T>
  void operator()(std::vector<T>& list) {
    list.clear();
    const int64_t count = array_count();
    if (count < 0) return stop(Fault::kNullArray);
    elements(list, count);
  }
  template <typename T>
  void operator()(std::optional<std::vector<T>>& list) {
    const int64_t count = array_count();
    if (count < 0) return list.reset();
    list.emplace();
    elements(*list, count);
  }

  // Tagged fields of a flexible version: none is known, all are passed over.
  void tags();

  uint32_t varint();
  // Zeros or the bytes themselves, or nullptr when there are fewer.
  const char* take(size_t count) {
    if (bytes_.size() - at_ < count) [[unlikely]] {
      stop(Fault::kShort, static_cast<int64_t>(count));
      return nullptr;
    }
    const char* const here = bytes_.data() + at_;
    at_ += count;
    return here;
  }

  bool good() const { return fault_ == Fault::kNone; }
  size_t position() const { return at_; }
  base::Bytes rest() const { return bytes_.substr(at_); }
  // Whether all fields were there: kInvalidData with the place otherwise.
  base::Result<void> result() const;
  // As result(), and nothing may be left over.
  base::Result<void> finish() const;

 private:
  enum class Fault : unsigned char {
    kNone,
    kShort,        // Fewer bytes than a field needs.
    kLength,       // A length of less than zero, or null where that is not allowed.
    kCount,        // More elements than bytes.
    kNullArray,    // Null where an array must stand.
    kVarint,       // More than five bytes, or more than 32 bits.
    kTooManyTags,  // More tagged fields than bytes.
  };
  template <typename T>
  using Underlying = typename std::conditional_t<std::is_enum_v<T>, std::underlying_type<T>,
                                                 std::type_identity<T>>::type;

  template <typename T>
  static T swap(T word) {
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(word);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(word);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(word);
    return word;
  }

  template <typename T>
  void elements(std::vector<T>& list, int64_t count) {
    for (int64_t i = 0; i < count && good(); ++i) {
      T& element = list.emplace_back();
      if constexpr (requires { (*this)(element); }) {
        (*this)(element);
      } else {
        T::codec(*this, element);
      }
    }
  }

  // -1: null. At most as many as there are bytes left: no element is shorter than one.
  int64_t array_count();
  // -1: null; otherwise no more than there are bytes left.
  int64_t text_length();
  int64_t bytes_length();
  int64_t bounded(int64_t length);
  void stop(Fault fault, int64_t wanted = 0);

  base::Bytes bytes_;
  size_t at_ = 0;
  int64_t wanted_ = 0;
  size_t fault_at_ = 0;
  int16_t version_;
  bool flexible_;
  Fault fault_ = Fault::kNone;
};

}  // namespace seatrial::broker
