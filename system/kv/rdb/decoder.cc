#include "kv/rdb/decoder.h"

#include "kv/rdb/crc64.h"
#include "kv/rdb/format.h"
#include "kv/rdb/lzf.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::kv::rdb {
namespace {

// A buffer that one large value has grown is not kept for the small ones that follow.
constexpr size_t kPackedKept = 64 * 1024;

std::string digits(int64_t value) { return fmt::format("{}", value); }

}  // namespace

std::unexpected<base::Error> Decoder::fail(uint64_t offset, std::string_view what) {
  return base::fail(base::Errc::kInvalidData, fmt::format("at offset {}: {}", offset, what));
}

base::Result<base::Bytes> Decoder::raw(size_t count, std::string_view expected) {
  const base::Bytes bytes = TRY(source_.take(count, expected));
  crc_ = crc64(crc_, bytes);
  return bytes;
}

base::Result<uint8_t> Decoder::byte(std::string_view expected) {
  return static_cast<uint8_t>(TRY(raw(1, expected))[0]);
}

base::Result<Decoder::Length> Decoder::length_or_special(std::string_view expected) {
  const uint64_t begin = offset();
  const uint8_t first = TRY(byte(expected));
  const uint64_t low = first & 0x3f;
  switch (first >> 6) {
    case kLength6: return Length{low, false};
    case kLength14: return Length{low << 8 | TRY(byte(expected)), false};
    case kLengthSpecial: return Length{low, true};
    default: break;
  }
  if (first == kLength32) {
    return Length{__builtin_bswap32(TRY(little_endian<uint32_t>(expected))), false};
  }
  if (first == kLength64) {
    return Length{__builtin_bswap64(TRY(little_endian<uint64_t>(expected))), false};
  }
  return fail(begin, fmt::format("expected {}, found no length but byte {:#04x}", expected, first));
}

base::Result<uint64_t> Decoder::length(std::string_view expected) {
  const uint64_t begin = offset();
  const Length length = TRY(length_or_special(expected));
  if (!length.special) return length.value;
  return fail(begin, fmt::format("expected {}, found a string's encoding", expected));
}

base::Result<void> Decoder::text(uint64_t count, std::string& into, std::string_view expected) {
  into.clear();
  while (into.size() < count) {
    const auto part = std::min<uint64_t>(count - into.size(), Source::kWindowBytes);
    into.append(TRY(raw(static_cast<size_t>(part), expected)));
  }
  return {};
}

base::Result<void> Decoder::string(std::string& into, uint64_t bytes_max,
                                   std::string_view expected) {
  const uint64_t begin = offset();
  const Length length = TRY(length_or_special(expected));
  if (length.special) return special_string(length.value, begin, into, bytes_max, expected);
  if (length.value > bytes_max) {
    return fail(begin, fmt::format("expected {}, at most {} bytes; {} are claimed", expected,
                                   bytes_max, length.value));
  }
  return text(length.value, into, expected);
}

base::Result<void> Decoder::special_string(uint64_t form, uint64_t begin, std::string& into,
                                           uint64_t bytes_max, std::string_view expected) {
  switch (form) {
    case kInt8: into = digits(TRY(little_endian<int8_t>(expected))); return {};
    case kInt16: into = digits(TRY(little_endian<int16_t>(expected))); return {};
    case kInt32: into = digits(TRY(little_endian<int32_t>(expected))); return {};
    case kLzf: return compressed(begin, into, bytes_max, expected);
    default: break;
  }
  return fail(begin,
              fmt::format("expected {}, found the unknown string encoding {}", expected, form));
}

base::Result<void> Decoder::compressed(uint64_t begin, std::string& into, uint64_t bytes_max,
                                       std::string_view expected) {
  const uint64_t packed = TRY(length(expected));
  const uint64_t size = TRY(length(expected));
  if (size > bytes_max || size > lzf_bytes_max(packed)) {
    return fail(begin, fmt::format("expected {}; {} bytes compressed to {} are claimed", expected,
                                   size, packed));
  }
  TRY(text(packed, packed_, expected));
  const bool intact = lzf_decompress(packed_, static_cast<size_t>(size), into);
  if (packed_.capacity() > kPackedKept) std::string().swap(packed_);
  if (intact) return {};
  return fail(begin,
              fmt::format("expected {}; it does not decompress to {} bytes", expected, size));
}

}  // namespace seatrial::kv::rdb
