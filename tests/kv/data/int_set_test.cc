#include "kv/data/int_set.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

std::vector<int64_t> contents(const IntSet& set) {
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < set.size(); i++) numbers.push_back(set.at(i));
  return numbers;
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

// As Redis lays it out.
TEST(IntSet, IsByteForByteTheKnownFormat) {
  IntSet set;
  EXPECT_EQ(set.block(), bytes({2, 0, 0, 0, 0, 0, 0, 0}));
  set.insert(5);
  set.insert(-2);
  EXPECT_EQ(set.block(), bytes({2, 0, 0, 0, 2, 0, 0, 0, 0xfe, 0xff, 5, 0}));
  set.insert(32768);
  EXPECT_EQ(set.block(),
            bytes({4, 0, 0, 0, 3, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 5, 0, 0, 0, 0, 0x80, 0, 0}));
  set.erase(5);
  set.erase(32768);
  EXPECT_EQ(set.block(), bytes({4, 0, 0, 0, 1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff}))
      << "it does not go back";
  set.insert(INT64_MIN);
  EXPECT_EQ(set.block(), bytes({8, 0, 0, 0,    2,    0,    0,    0,    0,    0,    0,    0,
                                0, 0, 0, 0x80, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
}

RC_GTEST_PROP(IntSetProperty, AgreesWithASet, ()) {
  // Numbers of every width meet, and those at its edges.
  const auto numbers =
      rc::gen::oneOf(rc::gen::inRange<int64_t>(-5, 5), rc::gen::inRange<int64_t>(32760, 32775),
                     rc::gen::inRange<int64_t>(-32775, -32760),
                     rc::gen::element<int64_t>(INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX,
                                               int64_t{INT32_MAX} + 1, int64_t{INT32_MIN} - 1));
  const auto steps = *rc::gen::container<std::vector<std::pair<bool, int64_t>>>(
      rc::gen::pair(rc::gen::arbitrary<bool>(), numbers));
  IntSet set;
  std::set<int64_t> model;
  for (const auto& [add, number] : steps) {
    RC_ASSERT(set.contains(number) == model.contains(number));
    if (add) {
      RC_ASSERT(set.insert(number) == model.insert(number).second);
    } else {
      RC_ASSERT(set.erase(number) == (model.erase(number) > 0));
    }
    RC_ASSERT(contents(set) == std::vector<int64_t>(model.begin(), model.end()));
    if (model.empty()) continue;
    const auto parsed = IntSet::parse(set.block());
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->block() == set.block());
  }
}

TEST(IntSet, ForeignBytesAreChecked) {
  const auto problem = [](const std::string& block) {
    const auto set = IntSet::parse(block);
    return set ? "" : set.error().message();
  };
  const auto says = [&](const std::string& block, std::string_view text) {
    EXPECT_NE(problem(block).find(text), std::string::npos) << problem(block);
  };
  EXPECT_EQ(problem(bytes({2, 0, 0, 0, 1, 0, 0, 0, 7, 0})), "");
  EXPECT_EQ(problem(bytes({4, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0})), "") << "wider than it needs";
  says("", "too short");
  says(bytes({2, 0, 0, 0, 1, 0, 0}), "too short");
  says(bytes({3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0}), "no such width");
  says(bytes({2, 0, 0, 0, 0, 0, 0, 0}), "no numbers");
  says(bytes({2, 0, 0, 0, 2, 0, 0, 0, 7, 0}), "not what it says");
  says(bytes({2, 0, 0, 0, 1, 0, 0, 0, 7, 0, 8}), "not what it says");
  says(bytes({8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 7, 0}), "too many");
  says(bytes({2, 0, 0, 0, 2, 0, 0, 0, 7, 0, 7, 0}), "not in order");
  says(bytes({2, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0xff, 0xff}), "not in order");
}

}  // namespace
}  // namespace seatrial::kv
