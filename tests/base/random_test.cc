// The golden values come from an independent implementation (Python, big integers): whoever
// changes them changes every seed's run.
#include "base/random.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace seatrial::base {
namespace {

TEST(Random, MixAndHashAreWhatTheyWere) {
  EXPECT_EQ(mix64(0), 0xe220a8397b1dcdafU);
  EXPECT_EQ(mix64(1), 0x910a2dec89025cc1U);
  EXPECT_EQ(hash_name(""), 0xcbf29ce484222325U);
  EXPECT_EQ(hash_name("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(hash_name("foobar"), 0x85944171f73967e8U);
}

TEST(Random, StreamsAreWhatTheyWere) {
  RandomStream by_seed(1);
  for (const uint64_t expected :
       {0x763ba63f94bc22a2U, 0x96606b4e465ede1eU, 0xcb6595f841d565d9U, 0x1cdec371e7b21b81U}) {
    EXPECT_EQ(by_seed.next(), expected);
  }
  RandomStream by_name(1, "network");
  for (const uint64_t expected :
       {0x6aa7219a961489e4U, 0x88b8fd60440d1234U, 0x9cbc181109866064U, 0x01a6e59db24846f9U}) {
    EXPECT_EQ(by_name.next(), expected);
  }
}

TEST(Random, DrawsAreWhatTheyWere) {
  RandomStream below(7);
  for (const uint64_t expected : {37U, 83U, 67U, 86U, 41U, 1U, 63U, 73U, 88U, 3U}) {
    EXPECT_EQ(below.below(100), expected);
  }
  RandomStream between(7);
  for (const int64_t expected : {-1, 4, 2, 4, -1, -5, 2, 3, 4, -5}) {
    EXPECT_EQ(between.between(-5, 5), expected);
  }
  RandomStream unit(7);
  EXPECT_EQ(unit.unit(), 0.37349613332114695);
  EXPECT_EQ(unit.unit(), 0.8316153379135969);
}

TEST(Random, WorksAtCompileTime) {
  static_assert(RandomStream(1).next() == 0x763ba63f94bc22a2U);
  static_assert(hash_name("network") != hash_name("disk"));
}

TEST(Random, ChanceDrawsEvenWhereItIsCertain) {
  RandomStream a(3);
  RandomStream b(3);
  EXPECT_FALSE(a.chance(0.0));
  EXPECT_TRUE(a.chance(1.0));
  b.next();
  b.next();
  EXPECT_EQ(a.next(), b.next());
}

TEST(Random, BelowIsUniform) {
  constexpr uint64_t kBound = 10;
  constexpr int kDraws = 100'000;
  RandomStream random(11);
  std::vector<int> counts(kBound, 0);
  for (int i = 0; i < kDraws; ++i) ++counts[random.below(kBound)];
  // Each is binomial with a standard deviation of 95; five of them are 475.
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10, 475);
}

TEST(Random, ChanceComesTrueAsOftenAsItSays) {
  RandomStream random(12);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += random.chance(0.3) ? 1 : 0;
  EXPECT_NEAR(hits, 30'000, 725);
}

TEST(Random, StreamsOfOneSeedAreIndependent) {
  RandomStream a(1, "a");
  RandomStream b(1, "b");
  int equal_bits = 0;
  for (int i = 0; i < 1000; ++i) equal_bits += 64 - std::popcount(a.next() ^ b.next());
  // Of 64,000 bits half, with a standard deviation of 126.
  EXPECT_NEAR(equal_bits, 32'000, 632);
}

RC_GTEST_PROP(RandomProperty, BelowStaysBelow, (uint64_t seed)) {
  const uint64_t bound = *rc::gen::arbitrary<uint64_t>();
  RC_PRE(bound > 0);
  RandomStream random(seed);
  for (int i = 0; i < 20; ++i) RC_ASSERT(random.below(bound) < bound);
}

RC_GTEST_PROP(RandomProperty, BetweenReachesBothEndsAndNoMore, (uint64_t seed, int32_t low)) {
  const int64_t high = int64_t{low} + *rc::gen::inRange(0, 4);
  RandomStream random(seed);
  int64_t least = INT64_MAX;
  int64_t most = INT64_MIN;
  for (int i = 0; i < 200; ++i) {
    const int64_t draw = random.between(low, high);
    least = std::min(least, draw);
    most = std::max(most, draw);
  }
  RC_ASSERT(least == low);
  RC_ASSERT(most == high);
}

RC_GTEST_PROP(RandomProperty, UnitIsInItsInterval, (uint64_t seed)) {
  RandomStream random(seed);
  for (int i = 0; i < 100; ++i) {
    const double unit = random.unit();
    RC_ASSERT(unit >= 0.0);
    RC_ASSERT(unit < 1.0);
  }
}

}  // namespace
}  // namespace seatrial::base
