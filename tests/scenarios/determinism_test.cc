#include "scenarios/determinism.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace seatrial::scenarios
