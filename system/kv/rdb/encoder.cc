#include "kv/rdb/encoder.h"

#include "kv/rdb/crc64.h"
#include "kv/rdb/format.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <bit>

namespace seatrial::kv::rdb {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;
// As in Redis: shorter ones are not tried, and at least four bytes must be won.
constexpr size_t kCompressedMin = 21;
constexpr size_t kCompressionGain = 4;
// Of a number that may be a 32-bit one.
constexpr size_t kDigitsMax = 11;

static_assert(std::endian::native == std::endian::little);

template <typename T>
base::Bytes bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

constexpr uint8_t special(StringForm form) { return kLengthSpecial << 6 | form; }

}  // namespace

Encoder::Encoder(Sink& sink, const WriteOptions& options) : sink_(sink), options_(options) {
  if (options.compress) compressor_ = std::make_unique<LzfCompressor>();
}

void Encoder::raw(base::Bytes bytes) {
  while (!bytes.empty()) {
    const size_t room = kBufferBytes - buffer_.size();
    const base::Bytes part = bytes.substr(0, room);
    buffer_.append(part);
    bytes.remove_prefix(part.size());
    if (buffer_.size() == kBufferBytes) drain();
  }
}

void Encoder::drain() {
  if (options_.checksum) crc_ = crc64(crc_, buffer_.bytes());
  if (outcome_) outcome_ = sink_.put(buffer_.bytes());
  buffer_.clear();
}

void Encoder::little_endian_64(uint64_t value) { raw(bytes_of(value)); }

void Encoder::length(uint64_t value) {
  if (value < 1U << 6) {
    byte(static_cast<uint8_t>(kLength6 << 6 | value));
  } else if (value < 1U << 14) {
    byte(static_cast<uint8_t>(kLength14 << 6 | value >> 8));
    byte(static_cast<uint8_t>(value & 0xff));
  } else if (value <= UINT32_MAX) {
    byte(kLength32);
    raw(bytes_of(__builtin_bswap32(static_cast<uint32_t>(value))));
  } else {
    byte(kLength64);
    raw(bytes_of(__builtin_bswap64(value)));
  }
}

bool Encoder::short_integer(int64_t value) {
  if (value == static_cast<int8_t>(value)) {
    byte(special(kInt8));
    raw(bytes_of(static_cast<int8_t>(value)));
  } else if (value == static_cast<int16_t>(value)) {
    byte(special(kInt16));
    raw(bytes_of(static_cast<int16_t>(value)));
  } else if (value == static_cast<int32_t>(value)) {
    byte(special(kInt32));
    raw(bytes_of(static_cast<int32_t>(value)));
  } else {
    return false;
  }
  return true;
}

void Encoder::integer(int64_t value) {
  if (short_integer(value)) return;
  const fmt::format_int digits(value);
  length(digits.size());
  raw({digits.data(), digits.size()});
}

void Encoder::string(base::Bytes bytes) {
  if (bytes.size() <= kDigitsMax) {
    const auto number = resp::parse_integer(bytes);
    if (number && short_integer(*number)) return;
  }
  if (compressor_ != nullptr && bytes.size() >= kCompressedMin) {
    const base::Bytes shorter = compressor_->compress(bytes, bytes.size() - kCompressionGain);
    if (!shorter.empty()) {
      byte(special(kLzf));
      length(shorter.size());
      length(bytes.size());
      return raw(shorter);
    }
  }
  length(bytes.size());
  raw(bytes);
}

base::Result<void> Encoder::finish() {
  // The sum covers all before it and not itself.
  drain();
  const uint64_t sum = options_.checksum ? crc_ : 0;
  if (outcome_) outcome_ = sink_.put(bytes_of(sum));
  return outcome_;
}

}  // namespace seatrial::kv::rdb
