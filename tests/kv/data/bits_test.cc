// Rows of bits against a plain reference: a vector of them.
#include "kv/data/bits.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

using Bits = std::vector<bool>;

Bits bits_of(std::string_view bytes) {
  Bits bits;
  for (const char byte : bytes) {
    for (int i = 7; i >= 0; --i) bits.push_back(((static_cast<unsigned char>(byte) >> i) & 1) != 0);
  }
  return bits;
}

// Bytes with long stretches of equal bits in them, as well as any.
std::string any_bytes() {
  std::string bytes;
  const auto parts = *rc::gen::inRange(1, 5);
  for (int i = 0; i < parts; ++i) {
    const auto length = *rc::gen::inRange<size_t>(0, 300);
    const auto kind = *rc::gen::inRange(0, 3);
    bytes += kind == 0   ? std::string(length, '\0')
             : kind == 1 ? std::string(length, '\xff')
                         : *rc::gen::container<std::string>(length, rc::gen::arbitrary<char>());
  }
  return bytes;
}

BitField any_field() {
  const bool is_signed = *rc::gen::arbitrary<bool>();
  return {is_signed, *rc::gen::inRange(1U, is_signed ? 65U : 64U)};
}

int64_t any_number() {
  return *rc::gen::oneOf(rc::gen::inRange<int64_t>(-300, 300), rc::gen::arbitrary<int64_t>(),
                         rc::gen::element<int64_t>(INT64_MIN, INT64_MAX, INT64_MIN + 1, -1, 0, 1));
}

RC_GTEST_PROP(BitsProperty, CountAndFindAgreeWithALoop, ()) {
  const std::string bytes = any_bytes();
  RC_PRE(!bytes.empty());
  const Bits bits = bits_of(bytes);
  const auto first = *rc::gen::inRange<size_t>(0, bits.size());
  const auto last = *rc::gen::inRange<size_t>(first, bits.size());
  uint64_t ones = 0;
  std::optional<uint64_t> first_one;
  std::optional<uint64_t> first_zero;
  for (size_t i = first; i <= last; ++i) {
    ones += bits[i] ? 1 : 0;
    std::optional<uint64_t>& found = bits[i] ? first_one : first_zero;
    if (!found) found = i;
    RC_ASSERT(bit_at(bytes, i) == bits[i]);
  }
  RC_ASSERT(count_ones(bytes, first, last) == ones);
  RC_ASSERT(find_bit(bytes, true, first, last) == first_one);
  RC_ASSERT(find_bit(bytes, false, first, last) == first_zero);
}

RC_GTEST_PROP(BitsProperty, CombiningAgreesWithALoop, ()) {
  const auto operation = *rc::gen::element(BitOperation::kAnd, BitOperation::kOr,
                                           BitOperation::kXor, BitOperation::kNot);
  const int count = operation == BitOperation::kNot ? 1 : *rc::gen::inRange(1, 4);
  std::vector<std::string> kept;
  for (int i = 0; i < count; ++i) kept.push_back(any_bytes());
  const std::vector<std::string_view> sources(kept.begin(), kept.end());
  const std::string result = combine_bits(operation, sources);
  size_t longest = 0;
  for (const std::string& source : kept) longest = std::max(longest, source.size());
  RC_ASSERT(result.size() == longest);
  for (size_t i = 0; i < longest * 8; ++i) {
    bool expected = bit_at(sources[0], i);
    if (operation == BitOperation::kNot) expected = !expected;
    for (size_t j = 1; j < sources.size(); ++j) {
      const bool other = bit_at(sources[j], i);
      if (operation == BitOperation::kAnd) expected = expected && other;
      if (operation == BitOperation::kOr) expected = expected || other;
      if (operation == BitOperation::kXor) expected = expected != other;
    }
    RC_ASSERT(bit_at(result, i) == expected);
  }
}

RC_GTEST_PROP(BitsProperty, AFieldIsReadAsItsBitsAndWrittenIntoThemOnly, ()) {
  std::string bytes = any_bytes();
  const BitField field = any_field();
  bytes.resize(std::max<size_t>(bytes.size(), 9));
  const auto offset = *rc::gen::inRange<uint64_t>(0, bytes.size() * 8 - field.width + 1);
  const Bits before = bits_of(bytes);
  uint64_t expected = field.is_signed && before[offset] ? ~uint64_t{0} : 0;
  for (unsigned i = 0; i < field.width; ++i)
    expected = expected << 1 | (before[offset + i] ? 1 : 0);
  RC_ASSERT(read_field(bytes, field, offset) == static_cast<int64_t>(expected));

  const int64_t value = *fit_into_field(field, any_number(), Overflow::kWrap);
  write_field(bytes, field, offset, value);
  RC_ASSERT(read_field(bytes, field, offset) == value);
  const Bits after = bits_of(bytes);
  for (size_t i = 0; i < after.size(); ++i) {
    const bool within = i >= offset && i < offset + field.width;
    RC_ASSERT(within || after[i] == before[i]);
  }
}

RC_GTEST_PROP(BitsProperty, SumsAreCutOrLimitedOrFail, ()) {
  const BitField field = any_field();
  const int64_t value = *fit_into_field(field, any_number(), Overflow::kWrap);
  const int64_t by = any_number();
  RC_ASSERT(value >= field.min() && value <= field.max());
  const long double exact = static_cast<long double>(value) + static_cast<long double>(by);
  const auto wrapped = add_in_field(field, value, by, Overflow::kWrap);
  const auto saturated = add_in_field(field, value, by, Overflow::kSaturate);
  const auto strict = add_in_field(field, value, by, Overflow::kFail);
  if (exact > static_cast<long double>(field.max())) {
    RC_ASSERT(!strict);
    RC_ASSERT(saturated == field.max());
  } else if (exact < static_cast<long double>(field.min())) {
    RC_ASSERT(!strict);
    RC_ASSERT(saturated == field.min());
  } else {
    RC_ASSERT(strict == saturated);
    RC_ASSERT(strict == wrapped);
    RC_ASSERT(*strict == value + by);
  }
  RC_ASSERT(*wrapped >= field.min() && *wrapped <= field.max());
  const uint64_t mask = ~uint64_t{0} >> (64 - field.width);
  const uint64_t sum = static_cast<uint64_t>(value) + static_cast<uint64_t>(by);
  RC_ASSERT((static_cast<uint64_t>(*wrapped) & mask) == (sum & mask));
}

TEST(Bits, BeyondTheEndAllIsZero) {
  EXPECT_FALSE(bit_at("", 0));
  EXPECT_FALSE(bit_at("\xff", 8));
  EXPECT_EQ(read_field("\xff", {false, 16}, 4), 0xf000);
  EXPECT_EQ(read_field("\xff", {true, 64}, 1000), 0);
}

TEST(Bits, ANegativeNumberIsTooLargeForAFieldWithoutSign) {
  const BitField byte{false, 8};
  EXPECT_EQ(fit_into_field(byte, -1, Overflow::kSaturate), 255);
  EXPECT_EQ(fit_into_field(byte, -2, Overflow::kWrap), 254);
  EXPECT_EQ(fit_into_field(byte, -1, Overflow::kFail), std::nullopt);
  EXPECT_EQ(add_in_field(byte, 1, -2, Overflow::kSaturate), 0);
}

TEST(Bits, TheSmallestNumbersOfAllAreTooLargeAsInRedis) {
  const BitField byte{true, 8};
  EXPECT_EQ(fit_into_field(byte, INT64_MIN, Overflow::kSaturate), 127);
  EXPECT_EQ(fit_into_field(byte, INT64_MIN + 127, Overflow::kSaturate), 127);
  EXPECT_EQ(fit_into_field(byte, INT64_MIN + 128, Overflow::kSaturate), -128);
}

}  // namespace
}  // namespace seatrial::kv
