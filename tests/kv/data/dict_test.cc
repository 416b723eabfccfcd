#include "kv/data/dict.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>

namespace seatrial::kv {
namespace {

struct Item {
  std::string name;
};
struct ItemName {
  std::string_view operator()(const Item& item) const { return item.name; }
};
using Items = Dict<Item, ItemName>;

std::string name_of(size_t i) { return "item:" + std::to_string(i); }

RC_GTEST_PROP(DictProperty, AgreesWithAMap, (uint64_t seed)) {
  Items dict(seed);
  std::map<std::string, std::unique_ptr<Item>> model;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 3), rc::gen::inRange(0, 300)));
  for (const auto& [action, number] : steps) {
    const std::string name = name_of(static_cast<size_t>(number));
    const auto known = model.find(name);
    Item** const found = dict.find(name);
    RC_ASSERT((found != nullptr) == (known != model.end()));
    if (found != nullptr) RC_ASSERT(*found == known->second.get());
    if (action < 2 && found == nullptr) {
      auto item = std::make_unique<Item>(Item{name});
      dict.insert(item.get());
      model.emplace(name, std::move(item));
    } else if (action == 2) {
      Item* const taken = dict.take(name);
      RC_ASSERT(taken == (known == model.end() ? nullptr : known->second.get()));
      if (known != model.end()) model.erase(known);
    }
    RC_ASSERT(dict.size() == model.size());
  }
  std::set<std::string> visited;
  dict.for_each([&](const Item* item) { RC_ASSERT(visited.insert(item->name).second); });
  RC_ASSERT(visited.size() == model.size());
}

// Fills a dict with `count` items, whose owner is returned with it.
struct Filled {
  std::vector<std::unique_ptr<Item>> items;
  Items dict{7};
  explicit Filled(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      items.push_back(std::make_unique<Item>(Item{name_of(i)}));
      dict.insert(items.back().get());
    }
  }
};

TEST(Dict, GrowsAndShrinksThroughManySizes) {
  Filled filled(50'000);
  for (size_t i = 0; i < 50'000; ++i) ASSERT_NE(filled.dict.find(name_of(i)), nullptr) << i;
  const size_t bytes_full = filled.dict.bytes();
  EXPECT_LT(bytes_full, 50'000 * 30);
  for (size_t i = 0; i < 49'990; ++i) ASSERT_NE(filled.dict.take(name_of(i)), nullptr) << i;
  while (filled.dict.advance(1000)) {
  }
  for (size_t i = 0; i < 100; ++i) {
    ASSERT_EQ(filled.dict.find(name_of(i)), nullptr);
    ASSERT_NE(filled.dict.find(name_of(49'990 + i % 10)), nullptr);
  }
  EXPECT_EQ(filled.dict.size(), 10U);
  EXPECT_LT(filled.dict.bytes(), bytes_full / 100);
}

// What a scan promises: an item that is there from its begin to its end is met, although the
// table is resized meanwhile.
TEST(Dict, ScanMeetsAllThatStay) {
  for (const bool grow : {true, false}) {
    Filled filled(3000);
    std::set<std::string> met;
    uint64_t cursor = 0;
    size_t turn = 0;
    do {
      cursor = filled.dict.scan(cursor, [&](const Item* item) { met.insert(item->name); });
      for (size_t i = 0; i < 20; ++i, ++turn) {
        if (grow) {
          filled.items.push_back(std::make_unique<Item>(Item{"new:" + std::to_string(turn)}));
          filled.dict.insert(filled.items.back().get());
        } else if (turn < 2900) {
          ASSERT_NE(filled.dict.take(name_of(turn)), nullptr);
        }
      }
    } while (cursor != 0);
    for (size_t i = grow ? 0 : 2900; i < 3000; ++i) {
      EXPECT_TRUE(met.contains(name_of(i))) << name_of(i) << (grow ? " growing" : " shrinking");
    }
  }
}

TEST(Dict, SamplesReachEveryItem) {
  Filled filled(100);
  base::RandomStream random(3);
  std::set<std::string> met;
  for (int i = 0; i < 10'000; ++i) met.insert(filled.dict.sample(random)->name);
  EXPECT_EQ(met.size(), 100U);
}

TEST(Dict, TheSameSeedGivesTheSameOrder) {
  const auto order = [](const Items& dict) {
    std::string names;
    dict.for_each([&](const Item* item) { names += item->name + " "; });
    return names;
  };
  const Filled first(500);
  const Filled second(500);
  EXPECT_EQ(order(first.dict), order(second.dict));
}

}  // namespace
}  // namespace seatrial::kv
