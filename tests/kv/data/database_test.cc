#include "kv/data/database.h"
#include "resp/number.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <span>
#include <string>

namespace seatrial::kv {
namespace {

std::string text_of(const Entry* entry) {
  NumberText digits;
  return std::string(entry->text(digits));
}

TEST(Entry, ChoosesTheEncodingThatFits) {
  EXPECT_EQ(Entry::make_string("k", "123", {})->encoding(), Encoding::kInteger);
  EXPECT_EQ(Entry::make_string("k", "0123", {})->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(Entry::make_string("k", "", {})->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(Entry::make_string("k", std::string(128, 'x'), {})->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(Entry::make_string("k", std::string(129, 'x'), {})->encoding(), Encoding::kText);
}

TEST(Entry, SmallKeysTakeLittle) {
  // Redis: an entry, a key string and a value object of 24, 24 and 40 bytes or more.
  EXPECT_LE(Entry::make_string("key:000000012345", "xxx", {})->bytes(), 32U);
  EXPECT_LE(Entry::make_string("key:000000012345", std::string(16, 'v'), {})->bytes(), 48U);
}

struct Value {
  std::string text;
  std::optional<WallMs> deadline;
};

std::string random_value() {
  return *rc::gen::element<std::string>("", "0", "12", "-7", "abc", std::string(127, 'a'),
                                        std::string(129, 'b'), std::string(300, 'c'),
                                        "9223372036854775807", "007");
}

RC_GTEST_PROP(DatabaseProperty, AgreesWithAMap, ()) {
  Database database(11);
  std::map<std::string, Value> model;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 7), rc::gen::inRange(0, 8)));
  for (const auto& [action, number] : steps) {
    const std::string key = "key" + std::to_string(number);
    Entry* const entry = database.find(key);
    RC_ASSERT((entry != nullptr) == model.contains(key));
    const auto deadline =
        *rc::gen::element<std::optional<WallMs>>(std::nullopt, WallMs{5}, WallMs{-9});
    if (action == 0 || entry == nullptr) {
      const std::string value = random_value();
      const Entry* const made = entry == nullptr ? database.insert(key, value, deadline)
                                                 : database.assign(entry, value, deadline);
      RC_ASSERT(made->key() == key);
      model[key] = {value, deadline};
    } else if (action == 1) {
      RC_ASSERT(database.erase(key));
      model.erase(key);
    } else if (action == 2) {
      database.set_deadline(entry, deadline);
      model[key].deadline = deadline;
    } else if (action == 3) {
      const std::string tail = random_value();
      database.append(entry, tail);
      model[key].text += tail;
    } else if (action == 4) {
      database.assign_integer(entry, 42);
      model[key].text = "42";
    } else if (action == 5) {
      const auto bytes_min = *rc::gen::element<size_t>(0, 1, 2, 128, 129, 400);
      const auto digit = static_cast<char>('0' + number);
      const auto write = [&](std::span<char> text) {
        if (!text.empty()) text.back() = digit;
      };
      database.edit_text(entry, bytes_min, write);
      std::string& text = model[key].text;
      if (text.size() < bytes_min) text.resize(bytes_min);
      write(std::span<char>(text));
    } else if (*rc::gen::inRange(0, 20) == 0) {
      database.clear();
      model.clear();
    }
    size_t timed = 0;
    for (const auto& [name, value] : model) {
      const Entry* const found = database.find(name);
      RC_ASSERT(found != nullptr);
      RC_ASSERT(text_of(found) == value.text);
      RC_ASSERT(found->text_length() == value.text.size());
      RC_ASSERT(found->deadline() == value.deadline);
      timed += value.deadline.has_value();
    }
    RC_ASSERT(database.size() == model.size());
    RC_ASSERT(database.timed() == timed);
    size_t bytes = 0;
    database.entries().for_each([&](const Entry* found) { bytes += found->bytes(); });
    RC_ASSERT(database.entry_bytes() == bytes);
  }
}

}  // namespace
}  // namespace seatrial::kv
