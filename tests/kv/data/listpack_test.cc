#include "kv/data/listpack.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

std::vector<std::string> contents(const Listpack& list) {
  std::vector<std::string> texts;
  for (auto at = list.begin(); at != list.end(); at = list.next(at)) {
    NumberText digits;
    texts.emplace_back(list.get(at).text(digits));
  }
  return texts;
}

// Every width of a number, its neighbours, and strings that are nearly numbers.
std::vector<std::string> edge_texts() {
  std::vector<std::string> texts = {"", "-0", "00", "+1", "1 ", "9223372036854775808", "abc"};
  for (const int shift : {7, 12, 15, 23, 31, 63}) {
    const auto edge = static_cast<int64_t>((uint64_t{1} << shift) - 1);
    for (const int64_t number : {edge - 1, edge, -edge, -edge - 1}) {
      texts.push_back(std::to_string(number));
    }
    if (shift == 63) continue;
    texts.push_back(std::to_string(edge + 1));
    texts.push_back(std::to_string(-edge - 2));
  }
  for (const size_t size : {62U, 63U, 64U, 126U, 127U, 128U, 4095U, 4096U, 16'383U, 20'000U}) {
    texts.push_back(std::string(size, 'x'));
  }
  return texts;
}

// As Redis lays it out.
TEST(Listpack, IsByteForByteTheKnownFormat) {
  Listpack list;
  EXPECT_EQ(list.block(), std::string("\x07\0\0\0\0\0\xff", 7));
  list.push_back("a");
  list.push_back("1");
  list.push_back("-1");
  list.push_back("1000");
  EXPECT_EQ(list.block(), std::string("\x15\0\0\0\x04\0"
                                      "\x81"
                                      "a\x02"
                                      "\x01\x01"
                                      "\xdf\xff\x02"
                                      "\xc3\xe8\x02"
                                      "\xff",
                                      18)
                              .replace(0, 1, "\x12"));
}

TEST(Listpack, KeepsEveryWidth) {
  Listpack list;
  const std::vector<std::string> texts = edge_texts();
  for (const std::string& text : texts) list.push_back(text);
  EXPECT_EQ(contents(list), texts);
  EXPECT_EQ(list.size(), texts.size());
  for (size_t i = 0; i < texts.size(); i++) {
    const auto at = list.at(static_cast<int64_t>(i));
    EXPECT_EQ(at, list.at(static_cast<int64_t>(i) - static_cast<int64_t>(texts.size())));
    EXPECT_EQ(list.find(texts[i], list.begin()), at) << texts[i].substr(0, 30);
  }
  EXPECT_EQ(list.at(static_cast<int64_t>(texts.size())), list.end());
  EXPECT_EQ(list.at(-1 - static_cast<int64_t>(texts.size())), list.end());
  const auto parsed = Listpack::parse(list.block());
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(contents(*parsed), texts);
}

TEST(Listpack, FindsWithoutLookingAtValues) {
  Listpack pairs;
  for (const char* text : {"b", "a", "a", "b", "7", "7"}) pairs.push_back(text);
  EXPECT_EQ(pairs.find("a", pairs.begin(), 1), pairs.at(2));
  EXPECT_EQ(pairs.find("7", pairs.begin(), 1), pairs.at(4));
  EXPECT_EQ(pairs.find("07", pairs.begin(), 1), pairs.end());
}

// More elements than its header can count.
TEST(Listpack, CountsBeyondItsHeader) {
  Listpack list;
  for (int i = 0; i < 65'540; i++) list.push_back("x");
  EXPECT_EQ(list.size(), 65'540U);
  list.erase(list.begin(), 10);
  EXPECT_EQ(list.size(), 65'530U);
  EXPECT_TRUE(Listpack::parse(list.block()));
}

RC_GTEST_PROP(ListpackProperty, AgreesWithAVector, ()) {
  const std::vector<std::string> words = edge_texts();
  Listpack list;
  std::vector<std::string> model;
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 5), rc::gen::inRange(0, 1000), rc::gen::inRange(0, 1000)));
  for (const auto& [action, place, word] : steps) {
    const std::string& text = words[static_cast<size_t>(word) % words.size()];
    const size_t index = static_cast<size_t>(place) % (model.size() + 1);
    const auto at = list.at(static_cast<int64_t>(index));
    const auto here = model.begin() + static_cast<ptrdiff_t>(index);
    if (action <= 2) {
      RC_ASSERT(list.insert(at, text) == at);
      model.insert(here, text);
    } else if (index < model.size() && action == 3) {
      list.replace(at, text);
      *here = text;
    } else if (index < model.size()) {
      list.erase(at);
      model.erase(here);
    }
    RC_ASSERT(list.size() == model.size());
  }
  RC_ASSERT(contents(list) == model);
  std::vector<std::string> backwards;
  for (auto at = list.last(); at != list.end(); at = list.previous(at)) {
    NumberText digits;
    backwards.emplace_back(list.get(at).text(digits));
  }
  RC_ASSERT(backwards == std::vector<std::string>(model.rbegin(), model.rend()));
  const auto parsed = Listpack::parse(list.block());
  RC_ASSERT(parsed.has_value() && contents(*parsed) == model);
  const Listpack copy = list;
  RC_ASSERT(copy.block() == list.block());
}

// Foreign bytes: each that is accepted can be walked through, and no other harms.
TEST(Listpack, SeesEveryDamage) {
  Listpack list;
  for (const std::string& text : edge_texts()) {
    if (text.size() < 200) list.push_back(text);
  }
  const std::string good(list.block());
  for (size_t size = 0; size < good.size(); size++) {
    EXPECT_FALSE(Listpack::parse(good.substr(0, size))) << "cut to " << size;
  }
  EXPECT_FALSE(Listpack::parse(good + std::string(1, '\xff')));
  for (size_t i = 0; i < good.size(); i++) {
    for (int bit = 0; bit < 8; bit++) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const auto parsed = Listpack::parse(bad);
      if (!parsed) continue;
      EXPECT_EQ(contents(*parsed).size(), parsed->size());
    }
  }
}

}  // namespace
}  // namespace seatrial::kv
