#include "kv/data/set_value.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

using Members = std::set<std::string>;

Members contents(const SetValue& set) {
  Members members;
  set.for_each([&](std::string_view member) { EXPECT_TRUE(members.emplace(member).second); });
  return members;
}

// Numbers, few or too many, and now and then a word.
RC_GTEST_PROP(SetValueProperty, AgreesWithASet, (uint64_t seed)) {
  constexpr size_t kNumbersMax = 8;
  SetValue set(seed);
  Members model;
  bool words = false;
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 4), rc::gen::inRange(-5, 9), rc::gen::inRange(0, 30)));
  for (const auto& [action, number, kind] : steps) {
    const std::string member = (kind == 0 ? "word" : "") + std::to_string(number);
    RC_ASSERT(set.contains(member) == model.contains(member));
    if (action < 3) {
      words |= kind == 0;
      RC_ASSERT(set.add(member, kNumbersMax) == model.insert(member).second);
    } else {
      RC_ASSERT(set.erase(member) == (model.erase(member) > 0));
    }
    RC_ASSERT(set.size() == model.size());
    if (words || model.size() > kNumbersMax) RC_ASSERT(set.int_set() == nullptr);
  }
  RC_ASSERT(contents(set) == model);
  const auto copy = set.copy();
  RC_ASSERT(contents(static_cast<const SetValue&>(*copy)) == model);
  RC_ASSERT(copy->encoding() == set.encoding());
}

TEST(SetValue, StaysCompactUpToItsLimit) {
  SetValue many(1);
  many.add("1", 2);
  many.add("-7", 2);
  many.add("1", 2);
  EXPECT_EQ(many.encoding(), "intset");
  many.add("3", 2);
  EXPECT_EQ(many.encoding(), "hashtable");
  many.erase("3");
  EXPECT_EQ(many.encoding(), "hashtable") << "it does not go back";
  EXPECT_EQ(contents(many), (Members{"1", "-7"}));
  for (const char* text : {"a", "", "01", "+1", "-0", "1.0", "9223372036854775808"}) {
    SetValue set(1);
    set.add("1", 2);
    set.add(text, 2);
    EXPECT_EQ(set.encoding(), "hashtable") << text;
    EXPECT_EQ(contents(set), (Members{"1", text}));
  }
}

TEST(SetValue, ForeignIntSetsAboveTheLimitBecomeTables) {
  IntSet numbers;
  for (const int64_t number : {1, 2, 100'000}) numbers.insert(number);
  const auto compact = SetValue::from_int_set(1, numbers, 3);
  EXPECT_EQ(compact->encoding(), "intset");
  const auto table = SetValue::from_int_set(1, numbers, 2);
  EXPECT_EQ(table->encoding(), "hashtable");
  EXPECT_EQ(contents(*table), contents(*compact));
}

TEST(SetValue, KeepsAccountOfItsMemory) {
  SetValue set(1);
  set.add("a", 0);
  const size_t small = set.bytes();
  set.add(std::string(1000, 'x'), 0);
  EXPECT_GE(set.bytes(), small + 1000);
  set.erase(std::string(1000, 'x'));
  EXPECT_EQ(set.bytes(), small);
}

// So that the memory that was counted when it changed stays true.
TEST(SetValue, LooksUpWithoutChangingAnything) {
  SetValue set(1);
  for (int i = 0; i < 1000; i++) {
    set.add("member" + std::to_string(i), 0);
    const size_t bytes = set.bytes();
    for (int j = 0; j < 20; j++) EXPECT_EQ(set.contains("member" + std::to_string(j)), j <= i);
    EXPECT_EQ(set.bytes(), bytes);
  }
}

TEST(SetValue, SamplesEveryMember) {
  for (const char* prefix : {"", "word"}) {
    SetValue set(1);
    for (int i = 0; i < 30; i++) set.add(prefix + std::to_string(i), 512);
    base::RandomStream random(1);
    Members seen;
    for (int i = 0; i < 3000; i++) {
      set.sample(random, [&](std::string_view member) { seen.emplace(member); });
    }
    EXPECT_EQ(seen, contents(set));
  }
}

TEST(SetValue, AScanSeesAllWhileItGrows) {
  SetValue set(1);
  for (int i = 0; i < 100; i++) set.add("stays" + std::to_string(i), 0);
  Members seen;
  uint64_t cursor = 0;
  int added = 0;
  do {
    cursor = set.scan(cursor, [&](std::string_view member) {
      if (member.starts_with("stays")) seen.emplace(member);
    });
    for (int i = 0; i < 50 && added < 2000; i++) set.add(std::to_string(added++), 0);
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 100U);
}

}  // namespace
}  // namespace seatrial::kv
