#include "os/mark.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace seatrial::os {

// Known outside, so that the compiler keeps it although nobody calls it.
void never_called();
void never_called() { MARK("mark_test: never hit"); }

namespace {

// Looks in vain in a file that has not been run yet: the catalog is made by the linker.
const Mark* find(std::string_view name) {
  for (const Mark& mark : all_marks()) {
    if (name == mark.name) return &mark;
  }
  return nullptr;
}

void hit_one() { MARK("mark_test: hit by a test"); }

TEST(Mark, TheCatalogIsKnownBeforeAnythingRuns) {
  const Mark* mark = find("mark_test: never hit");
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->hits, 0u);
  EXPECT_NE(std::string(mark->file).find("mark_test.cc"), std::string::npos);
  EXPECT_GT(mark->line, 0);
}

TEST(Mark, CountsItsHits) {
  const Mark* mark = find("mark_test: hit by a test");
  ASSERT_NE(mark, nullptr);
  const uint64_t before = mark->hits;
  hit_one();
  hit_one();
  EXPECT_EQ(mark->hits, before + 2);
}

TEST(Mark, TellsTheListener) {
  static std::string heard;
  set_mark_listener([](const Mark& mark) { heard = mark.name; });
  hit_one();
  set_mark_listener(nullptr);
  EXPECT_EQ(heard, "mark_test: hit by a test");
  heard.clear();
  hit_one();
  EXPECT_EQ(heard, "");
}

TEST(Mark, NamesAreUnique) {
  std::vector<std::string> names;
  for (const Mark& mark : all_marks()) names.emplace_back(mark.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace seatrial::os
