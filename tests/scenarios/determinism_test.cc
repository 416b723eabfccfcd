#include "scenarios/determinism.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <string_view>

namespace seatrial::scenarios {
namespace {

std::string line_of(const sim::TraceEvent& event) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* file = open_memstream(&text, &size);
  write_event(file, event);
  std::fclose(file);
  std::string line(text, size);
  std::free(text);  // NOLINT: open_memstream() says so.
  return line;
}

TEST(WriteEvent, IsOneLine) {
  EXPECT_EQ(
      line_of({12, 0xabcdef, sim::VirtualTime(1'500), "kv0", sim::TraceKind::kDisk, "sync a"}),
      "12 0000000000abcdef 1500 kv0 disk sync a\n");
  EXPECT_EQ(line_of({1, 0, sim::VirtualTime(0), "", sim::TraceKind::kNote, "storm"}),
            "1 0000000000000000 0 - note storm\n");
}

std::string file_with(const std::string& name, std::string_view text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TEST(FirstDifference, IsNamedWithBothSides) {
  const std::string names[2] = {"g++", "clang++"};
  const std::string a = file_with("determinism.a", "1 x\n2 y\n3 z\n");
  const std::string b = file_with("determinism.b", "1 x\n2 q\n3 z\n");
  const std::string c = file_with("determinism.c", "1 x\n2 y\n");
  const std::string d = file_with("determinism.d", "0 x\n");
  EXPECT_EQ(first_difference(a, a, names), "");
  EXPECT_EQ(first_difference(a, b, names), "after [1 x], g++ had [2 y], clang++ had [2 q]");
  EXPECT_EQ(first_difference(a, c, names), "after [2 y], g++ had [3 z], clang++ had [its end]");
  EXPECT_EQ(first_difference(d, a, names),
            "after [the beginning], g++ had [0 x], clang++ had [1 x]");
}

TEST(IsCompared, AboutTheShareAndAlwaysTheSame) {
  int count = 0;
  for (uint64_t seed = 1; seed <= 10'000; ++seed) {
    count += is_compared(seed, 0.05) ? 1 : 0;
    EXPECT_EQ(is_compared(seed, 0.05), is_compared(seed, 0.05));
    EXPECT_TRUE(is_compared(seed, 1));
    EXPECT_FALSE(is_compared(seed, 0));
    EXPECT_TRUE(!is_compared(seed, 0.05) || is_compared(seed, 0.5)) << "a larger share has it too";
  }
  EXPECT_GT(count, 400);
  EXPECT_LT(count, 600);
}

}  // namespace
}  // namespace seatrial::scenarios
