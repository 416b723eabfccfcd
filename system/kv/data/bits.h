// Strings as rows of bits: counting, finding, combining, and numbers of any width. Bit 0 is the
// highest one of the first byte, as Redis counts them. Pure data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace seatrial::kv {

// Beyond the end all bits are 0.
bool bit_at(std::string_view bytes, uint64_t offset);
// Within the bytes only.
void set_bit(std::span<char> bytes, uint64_t offset, bool bit);

// Both ends are included and lie within the bytes.
uint64_t count_ones(std::string_view bytes, uint64_t first, uint64_t last);
// The first bit of that kind there; nullopt: there is none.
std::optional<uint64_t> find_bit(std::string_view bytes, bool bit, uint64_t first, uint64_t last);

enum class BitOperation : uint8_t { kAnd, kOr, kXor, kNot };
// As long as the longest source; shorter ones end in zeros. kNot takes one source.
std::string combine_bits(BitOperation operation, std::span<const std::string_view> sources);

// A number in a row of bits: up to 64 of them with a sign, up to 63 without.
struct BitField {
  bool is_signed;
  unsigned width;

  int64_t max() const;
  int64_t min() const;
};

// Beyond the end all bits are 0.
int64_t read_field(std::string_view bytes, BitField field, uint64_t offset);
// The lowest bits of `value`, within the bytes.
void write_field(std::span<char> bytes, BitField field, uint64_t offset, int64_t value);

// What becomes of a number that has no room in its field: its lowest bits, the number next to it
// that has room, or nothing.
enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

// nullopt: it has no room, and fails.
std::optional<int64_t> fit_into_field(BitField field, int64_t value, Overflow overflow);
// `value` is one that has room. nullopt: the sum has none, and fails.
std::optional<int64_t> add_in_field(BitField field, int64_t value, int64_t by, Overflow overflow);

}  // namespace seatrial::kv
