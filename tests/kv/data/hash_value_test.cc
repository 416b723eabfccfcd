#include "kv/data/hash_value.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>

namespace seatrial::kv {
namespace {

using Fields = std::map<std::string, std::string>;

Fields contents(const HashValue& hash) {
  Fields fields;
  hash.for_each([&](std::string_view name, std::string_view value) {
    EXPECT_TRUE(fields.emplace(name, value).second) << name;
  });
  return fields;
}

// Names and values on both sides of the limits, so that it goes over from one form to the other.
RC_GTEST_PROP(HashValueProperty, AgreesWithAMap, (uint64_t seed)) {
  const CompactLimits limits{.entries = 8, .value_bytes = 4};
  HashValue hash(seed);
  Fields model;
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 4), rc::gen::inRange(0, 14), rc::gen::inRange(0, 6)));
  for (const auto& [action, number, size] : steps) {
    const std::string name = std::to_string(number);
    const std::string value(static_cast<size_t>(size), 'v');
    NumberText digits;
    const auto found = hash.find(name, digits);
    RC_ASSERT(found.has_value() == model.contains(name));
    if (found) RC_ASSERT(*found == model.at(name));
    if (action < 3) {
      RC_ASSERT(hash.set(name, value, limits) == model.insert_or_assign(name, value).second);
    } else {
      RC_ASSERT(hash.erase(name) == (model.erase(name) > 0));
    }
    RC_ASSERT(hash.size() == model.size());
    if (model.size() > limits.entries) RC_ASSERT(hash.listpack() == nullptr);
  }
  RC_ASSERT(contents(hash) == model);
  const auto copy = hash.copy();
  RC_ASSERT(contents(static_cast<const HashValue&>(*copy)) == model);
  RC_ASSERT(copy->encoding() == hash.encoding());
}

TEST(HashValue, StaysCompactUpToItsLimits) {
  const CompactLimits limits{.entries = 2, .value_bytes = 3};
  HashValue many(1);
  many.set("a", "1", limits);
  many.set("b", "2", limits);
  EXPECT_EQ(many.encoding(), "listpack");
  many.set("b", "333", limits);
  EXPECT_EQ(many.encoding(), "listpack");
  many.set("c", "3", limits);
  EXPECT_EQ(many.encoding(), "hashtable");
  many.erase("c");
  EXPECT_EQ(many.encoding(), "hashtable") << "it does not go back";
  HashValue wide(1);
  wide.set("a", "1234", limits);
  EXPECT_EQ(wide.encoding(), "hashtable");
}

TEST(HashValue, KeepsAccountOfItsMemory) {
  const CompactLimits limits{.entries = 0, .value_bytes = 64};
  HashValue hash(1);
  hash.set("a", "1", limits);
  const size_t small = hash.bytes();
  hash.set("a", std::string(1000, 'x'), limits);
  EXPECT_GE(hash.bytes(), small + 900);
  hash.set("a", "1", limits);
  EXPECT_EQ(hash.bytes(), small);
  hash.set("b", std::string(1000, 'x'), limits);
  hash.erase("b");
  EXPECT_EQ(hash.bytes(), small);
}

TEST(HashValue, TakesForeignListpacksAsTheyAreOrNotAtAll) {
  Listpack odd;
  odd.push_back("a");
  EXPECT_EQ(HashValue::from_listpack(1, odd, {}), nullptr);
  Listpack twice;
  for (const char* text : {"a", "1", "b", "2", "a", "3"}) twice.push_back(text);
  EXPECT_EQ(HashValue::from_listpack(1, twice, {}), nullptr);
  Listpack good;
  for (const char* text : {"a", "1", "b", "long value"}) good.push_back(text);
  const auto compact = HashValue::from_listpack(1, good, {});
  ASSERT_NE(compact, nullptr);
  EXPECT_EQ(compact->encoding(), "listpack");
  const auto table = HashValue::from_listpack(1, good, {.entries = 128, .value_bytes = 5});
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->encoding(), "hashtable");
  EXPECT_EQ(contents(*table), contents(*compact));
}

TEST(HashValue, AScanSeesAllWhileItGrows) {
  const CompactLimits limits{.entries = 0, .value_bytes = 64};
  HashValue hash(1);
  for (int i = 0; i < 100; i++) hash.set("stays" + std::to_string(i), "", limits);
  std::set<std::string> seen;
  uint64_t cursor = 0;
  int added = 0;
  do {
    cursor = hash.scan(cursor, [&](std::string_view name, std::string_view) {
      if (name.starts_with("stays")) seen.emplace(name);
    });
    for (int i = 0; i < 50 && added < 2000; i++) hash.set(std::to_string(added++), "", limits);
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 100U);
}

}  // namespace
}  // namespace seatrial::kv
