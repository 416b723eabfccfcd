#include "sim/streams.h"

#include <gtest/gtest.h>

#include <set>

namespace seatrial::sim {
namespace {

TEST(Streams, TheSameKeyGivesTheSameDraws) {
  base::RandomStream a = Streams(5).stream("kv0", "disk", 2);
  base::RandomStream b = Streams(5).stream("kv0", "disk", 2);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Streams, EachPartOfTheKeyCounts) {
  const Streams streams(5);
  std::set<uint64_t> first{
      streams.stream("kv0", "disk", 2).next(), Streams(6).stream("kv0", "disk", 2).next(),
      streams.stream("kv1", "disk", 2).next(), streams.stream("kv0", "network", 2).next(),
      streams.stream("kv0", "disk", 3).next(), streams.stream("disk", "kv0", 2).next(),
      streams.stream("kv0d", "isk", 2).next()};
  EXPECT_EQ(first.size(), 7U);
}

TEST(Streams, NeighbouringSeedsAndInstancesDoNotMeet) {
  std::set<uint64_t> draws;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    for (uint64_t instance = 0; instance < 50; ++instance) {
      draws.insert(Streams(seed).stream("kv0", "disk", instance).next());
    }
  }
  EXPECT_EQ(draws.size(), 200U * 50U);
}

}  // namespace
}  // namespace seatrial::sim
