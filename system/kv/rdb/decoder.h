// Reads the elements of an RDB from a source: lengths, strings in all their encodings, numbers.
// What a length claims is never allocated before the bytes are there. Errors (kInvalidData) say
// at which offset what was expected; those of the source pass as they are.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "kv/rdb/source.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace seatrial::kv::rdb {

class Decoder {
 public:
  explicit Decoder(Source& source) : source_(source) {}

  uint64_t offset() const { return source_.offset(); }
  // Of all bytes so far.
  uint64_t crc() const { return crc_; }

  // At most Source::kWindowBytes; good until the next call. As for all that follows, `expected`
  // says in an error what should be there.
  base::Result<base::Bytes> raw(size_t count, std::string_view expected);
  base::Result<uint8_t> byte(std::string_view expected);
  template <typename T>
  base::Result<T> little_endian(std::string_view expected) {
    static_assert(std::endian::native == std::endian::little);
    T value;
    const base::Bytes bytes = TRY(raw(sizeof value, expected));
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  base::Result<uint64_t> length(std::string_view expected);
  // Replaces `into`; a string that claims more than `bytes_max` is an error.
  base::Result<void> string(std::string& into, uint64_t bytes_max, std::string_view expected);

  // "at offset 17: <what>", for what began at that offset.
  static std::unexpected<base::Error> fail(uint64_t offset, std::string_view what);

 private:
  struct Length {
    uint64_t value;
    bool special;  // A string in the special encoding `value`.
  };
  base::Result<Length> length_or_special(std::string_view expected);
  // Exactly `count` bytes of any number.
  base::Result<void> text(uint64_t count, std::string& into, std::string_view expected);
  base::Result<void> special_string(uint64_t form, uint64_t begin, std::string& into,
                                    uint64_t bytes_max, std::string_view expected);
  base::Result<void> compressed(uint64_t begin, std::string& into, uint64_t bytes_max,
                                std::string_view expected);

  Source& source_;
  uint64_t crc_ = 0;
  std::string packed_;  // A string before its decompression.
};

}  // namespace seatrial::kv::rdb
