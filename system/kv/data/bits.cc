#include "kv/data/bits.h"

#include "base/check.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace seatrial::kv {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);

uint64_t load_word(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The first byte becomes the highest one.
uint64_t load_big_endian(const char* bytes) {
  const uint64_t word = load_word(bytes);
  return std::endian::native == std::endian::little ? std::byteswap(word) : word;
}

// In each byte, the number of its ones.
uint64_t ones_by_byte(uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555U;
  word = (word & 0x3333333333333333U) + ((word >> 2) & 0x3333333333333333U);
  return (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fU;
}

// Without an instruction for it, which not every processor has, counting a word costs most where
// its bytes' counts are added up; so that is done once for as many words as a byte can count.
uint64_t count_in_bytes(std::string_view bytes) {
  constexpr size_t kGroupWords = 31;
  uint64_t count = 0;
  while (bytes.size() >= kWordBytes) {
    const size_t words = std::min(bytes.size() / kWordBytes, kGroupWords);
    uint64_t sums = 0;
    for (size_t i = 0; i < words; ++i) {
      sums += ones_by_byte(load_word(bytes.data() + i * kWordBytes));
    }
    sums = (sums & 0x00ff00ff00ff00ffU) + ((sums >> 8) & 0x00ff00ff00ff00ffU);
    count += (sums * 0x0001000100010001U) >> 48;
    bytes.remove_prefix(words * kWordBytes);
  }
  for (const char byte : bytes) {
    count += static_cast<uint64_t>(std::popcount(static_cast<unsigned char>(byte)));
  }
  return count;
}

// The bits from `first` to `last` of a byte, both included.
unsigned byte_mask(uint64_t first, uint64_t last) {
  return (0xffU >> first) & (0xff00U >> (last + 1));
}

unsigned byte_at(std::string_view bytes, uint64_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

// Calls for each byte or stretch of whole bytes from `first` to `last`: part(byte index, mask) and
// whole(byte index, bytes). Either ends the walk by returning true.
template <typename Part, typename Whole>
void walk(std::string_view bytes, uint64_t first, uint64_t last, Part part, Whole whole) {
  CHECK(first <= last);
  CHECK(last / 8 < bytes.size());
  const uint64_t first_byte = first / 8;
  const uint64_t last_byte = last / 8;
  if (first_byte == last_byte) {
    part(first_byte, byte_mask(first % 8, last % 8));
    return;
  }
  if (part(first_byte, byte_mask(first % 8, 7))) return;
  if (whole(first_byte + 1, bytes.substr(first_byte + 1, last_byte - first_byte - 1))) return;
  part(last_byte, byte_mask(0, last % 8));
}

// The place of the first bit of that kind; nullopt: there is none.
std::optional<uint64_t> find_in_bytes(std::string_view bytes, bool bit) {
  const uint64_t none = bit ? 0 : ~uint64_t{0};
  size_t i = 0;
  while (i + kWordBytes <= bytes.size() && load_word(bytes.data() + i) == none) i += kWordBytes;
  while (i < bytes.size() && byte_at(bytes, i) == (none & 0xff)) ++i;
  if (i == bytes.size()) return std::nullopt;
  const auto found = static_cast<uint8_t>(byte_at(bytes, i) ^ (none & 0xff));
  return i * 8 + static_cast<uint64_t>(std::countl_zero(found));
}

// What stays of a number without room; `above`: it is too large, not too small.
std::optional<int64_t> limit(BitField field, uint64_t exact, bool above, Overflow overflow) {
  if (overflow == Overflow::kFail) return std::nullopt;
  if (overflow == Overflow::kSaturate) return above ? field.max() : field.min();
  const unsigned spare = 64 - field.width;
  if (field.is_signed) return static_cast<int64_t>(exact << spare) >> spare;
  return static_cast<int64_t>((exact << spare) >> spare);
}

}  // namespace

bool bit_at(std::string_view bytes, uint64_t offset) {
  const uint64_t index = offset / 8;
  return index < bytes.size() && ((byte_at(bytes, index) >> (7 - offset % 8)) & 1) != 0;
}

void set_bit(std::span<char> bytes, uint64_t offset, bool bit) {
  CHECK(offset / 8 < bytes.size());
  const unsigned mask = 0x80U >> (offset % 8);
  char& byte = bytes[offset / 8];
  const auto old = static_cast<unsigned char>(byte);
  byte = static_cast<char>(bit ? old | mask : old & ~mask);
}

uint64_t count_ones(std::string_view bytes, uint64_t first, uint64_t last) {
  uint64_t count = 0;
  walk(
      bytes, first, last,
      [&](uint64_t index, unsigned mask) {
        count += static_cast<uint64_t>(std::popcount(byte_at(bytes, index) & mask));
        return false;
      },
      [&](uint64_t, std::string_view stretch) {
        count += count_in_bytes(stretch);
        return false;
      });
  return count;
}

std::optional<uint64_t> find_bit(std::string_view bytes, bool bit, uint64_t first, uint64_t last) {
  std::optional<uint64_t> found;
  walk(
      bytes, first, last,
      [&](uint64_t index, unsigned mask) {
        const unsigned byte = byte_at(bytes, index);
        const auto wanted = static_cast<uint8_t>((bit ? byte : ~byte) & mask);
        if (wanted == 0) return false;
        found = index * 8 + static_cast<uint64_t>(std::countl_zero(wanted));
        return true;
      },
      [&](uint64_t index, std::string_view stretch) {
        const auto within = find_in_bytes(stretch, bit);
        if (within) found = index * 8 + *within;
        return within.has_value();
      });
  return found;
}

std::string combine_bits(BitOperation operation, std::span<const std::string_view> sources) {
  CHECK(!sources.empty());
  size_t length = 0;
  for (const std::string_view source : sources) length = std::max(length, source.size());
  std::string result(sources[0]);
  result.resize(length);
  if (operation == BitOperation::kNot) {
    CHECK(sources.size() == 1);
    for (char& byte : result) byte = static_cast<char>(~byte);
    return result;
  }
  for (const std::string_view source : sources.subspan(1)) {
    char* const to = result.data();
    const char* const from = source.data();
    const size_t count = source.size();
    switch (operation) {
      case BitOperation::kAnd:
        for (size_t i = 0; i < count; ++i) to[i] = static_cast<char>(to[i] & from[i]);
        std::fill(to + count, to + length, '\0');
        break;
      case BitOperation::kOr:
        for (size_t i = 0; i < count; ++i) to[i] = static_cast<char>(to[i] | from[i]);
        break;
      case BitOperation::kXor:
        for (size_t i = 0; i < count; ++i) to[i] = static_cast<char>(to[i] ^ from[i]);
        break;
      case BitOperation::kNot: UNREACHABLE("not, of {} sources", sources.size());
    }
  }
  return result;
}

int64_t BitField::max() const {
  return static_cast<int64_t>((uint64_t{1} << (is_signed ? width - 1 : width)) - 1);
}

int64_t BitField::min() const { return is_signed ? -max() - 1 : 0; }

int64_t read_field(std::string_view bytes, BitField field, uint64_t offset) {
  CHECK(field.width >= 1 && field.width <= (field.is_signed ? 64 : 63));
  char window[kWordBytes + 1] = {};
  const uint64_t index = offset / 8;
  if (index < bytes.size()) {
    std::memcpy(window, bytes.data() + index, std::min(sizeof window, bytes.size() - index));
  }
  uint64_t word = load_big_endian(window);
  if (const uint64_t skipped = offset % 8; skipped > 0) {
    const auto tail = static_cast<unsigned char>(window[kWordBytes]);
    word = word << skipped | tail >> (8 - skipped);
  }
  const unsigned spare = 64 - field.width;
  return field.is_signed ? static_cast<int64_t>(word) >> spare
                         : static_cast<int64_t>(word >> spare);
}

void write_field(std::span<char> bytes, BitField field, uint64_t offset, int64_t value) {
  for (unsigned i = 0; i < field.width; ++i) {
    set_bit(bytes, offset + i, ((static_cast<uint64_t>(value) >> (field.width - 1 - i)) & 1) != 0);
  }
}

std::optional<int64_t> fit_into_field(BitField field, int64_t value, Overflow overflow) {
  if (value >= field.min() && value <= field.max()) return value;
  // As in Redis, whose logs repeat here: without a sign, a negative number counts as a very large
  // one, and with one, so does a number that is further from the largest than 64 bits can tell.
  int64_t room = 0;
  const bool far = __builtin_sub_overflow(field.max(), value, &room);
  const bool above = value > field.max() || !field.is_signed || far;
  return limit(field, static_cast<uint64_t>(value), above, overflow);
}

std::optional<int64_t> add_in_field(BitField field, int64_t value, int64_t by, Overflow overflow) {
  int64_t sum = 0;
  const bool wide = __builtin_add_overflow(value, by, &sum);
  const bool above = wide ? by > 0 : sum > field.max();
  const bool below = wide ? by < 0 : sum < field.min();
  if (!above && !below) return sum;
  return limit(field, static_cast<uint64_t>(value) + static_cast<uint64_t>(by), above, overflow);
}

}  // namespace seatrial::kv
