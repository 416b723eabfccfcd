#include "kv/rdb/lzf.h"

#include "base/check.h"

#include <liblzf/lzf.h>

#include <algorithm>
#include <climits>

namespace seatrial::kv::rdb {
namespace {

// The format: a byte below 32 is a count (less one) of literal bytes that follow. Otherwise its
// upper three bits are the length of a match (less two), where 7 says that a byte to be added
// follows; its lower five bits and the last byte are the distance (less one).
constexpr size_t kLiteralsMax = 32;
constexpr size_t kDistanceMax = 8192;
constexpr size_t kMatchMin = 3;
constexpr size_t kMatchMax = 264;

}  // namespace

uint64_t lzf_bytes_max(uint64_t compressed_bytes) {
  // Three bytes make a longest match.
  return (compressed_bytes / 3 + 1) * kMatchMax;
}

bool lzf_decompress(base::Bytes compressed, size_t size, std::string& into) {
  into.clear();
  if (compressed.empty() || size == 0 || compressed.size() > UINT_MAX || size > UINT_MAX) {
    return false;
  }
  if (size > lzf_bytes_max(compressed.size())) return false;
  into.resize(size);
  return ::lzf_decompress(compressed.data(), static_cast<unsigned>(compressed.size()), into.data(),
                          static_cast<unsigned>(size)) == size;
}

size_t LzfCompressor::slot_of(const char* at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(at[i])); };
  const uint32_t three = byte(0) | (byte(1) << 8) | (byte(2) << 16);
  return (three * 0x9e3779b1U) >> (32 - kPlaceBits);
}

bool LzfCompressor::emit_literals(base::Bytes bytes, size_t bytes_max) {
  while (!bytes.empty()) {
    const size_t count = std::min(bytes.size(), kLiteralsMax);
    if (out_.size() + 1 + count > bytes_max) return false;
    out_.push_back(static_cast<char>(count - 1));
    out_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
  }
  return true;
}

bool LzfCompressor::emit_match(size_t distance, size_t length, size_t bytes_max) {
  CHECK(distance >= 1 && distance <= kDistanceMax);
  CHECK(length >= kMatchMin && length <= kMatchMax);
  if (out_.size() + 3 > bytes_max) return false;
  const size_t high = (distance - 1) >> 8;
  const size_t count = length - 2;
  if (count < 7) {
    out_.push_back(static_cast<char>((count << 5) | high));
  } else {
    out_.push_back(static_cast<char>((size_t{7} << 5) | high));
    out_.push_back(static_cast<char>(count - 7));
  }
  out_.push_back(static_cast<char>((distance - 1) & 0xff));
  return true;
}

base::Bytes LzfCompressor::compress(base::Bytes bytes, size_t bytes_max) {
  out_.clear();
  const uint64_t begin = begin_;
  begin_ += bytes.size();
  size_t literals = 0;  // From here on nothing was put out yet.
  size_t at = 0;
  while (at + kMatchMin <= bytes.size()) {
    uint64_t& place = places_[slot_of(bytes.data() + at)];
    const uint64_t before = place;
    place = begin + at;
    const size_t distance = before < begin ? kDistanceMax + 1 : begin + at - before;
    size_t length = 0;
    if (distance <= kDistanceMax) {
      const size_t length_max = std::min(bytes.size() - at, kMatchMax);
      while (length < length_max && bytes[at - distance + length] == bytes[at + length]) ++length;
    }
    if (length < kMatchMin) {
      ++at;
      continue;
    }
    if (!emit_literals(bytes.substr(literals, at - literals), bytes_max)) return {};
    if (!emit_match(distance, length, bytes_max)) return {};
    at += length;
    literals = at;
  }
  if (!emit_literals(bytes.substr(literals), bytes_max)) return {};
  return out_;
}

}  // namespace seatrial::kv::rdb
