#include "sim/trace.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace seatrial::sim {
namespace {

uint64_t fast(int64_t time, TraceKind kind, uint64_t a, uint64_t b) {
  Trace trace;
  trace.event(VirtualTime(time), "node", kind, a, b, [] { return std::string(); });
  return trace.hash();
}

uint64_t with_bytes(int64_t time, std::string_view node, TraceKind kind, std::string_view bytes) {
  Trace trace;
  trace.event(VirtualTime(time), node, kind, bytes);
  return trace.hash();
}

TEST(Trace, EachFieldOfAFastEventChangesTheHash) {
  EXPECT_EQ(fast(1, TraceKind::kSend, 2, 3), fast(1, TraceKind::kSend, 2, 3));
  const std::set<uint64_t> hashes{fast(1, TraceKind::kSend, 2, 3), fast(2, TraceKind::kSend, 2, 3),
                                  fast(1, TraceKind::kDeliver, 2, 3),
                                  fast(1, TraceKind::kSend, 3, 3), fast(1, TraceKind::kSend, 2, 4)};
  EXPECT_EQ(hashes.size(), 5U);
}

TEST(Trace, EachFieldOfAnEventInWordsChangesTheHash) {
  EXPECT_EQ(with_bytes(1, "n", TraceKind::kNote, "x"), with_bytes(1, "n", TraceKind::kNote, "x"));
  const std::set<uint64_t> hashes{
      with_bytes(1, "n", TraceKind::kNote, "x"), with_bytes(2, "n", TraceKind::kNote, "x"),
      with_bytes(1, "m", TraceKind::kNote, "x"), with_bytes(1, "n", TraceKind::kMark, "x"),
      with_bytes(1, "n", TraceKind::kNote, "y"), with_bytes(1, "", TraceKind::kNote, "nx")};
  EXPECT_EQ(hashes.size(), 6U);
}

TEST(Trace, TheOrderOfEventsChangesTheHash) {
  Trace a;
  Trace b;
  a.event(VirtualTime(1), "", TraceKind::kNote, "x");
  a.event(VirtualTime(1), "", TraceKind::kNote, "y");
  b.event(VirtualTime(1), "", TraceKind::kNote, "y");
  b.event(VirtualTime(1), "", TraceKind::kNote, "x");
  EXPECT_NE(a.hash(), b.hash());
  EXPECT_EQ(a.events(), 2U);
}

TEST(Trace, AListenerHearsEverythingAndChangesNothing) {
  Trace silent;
  Trace heard;
  std::vector<std::string> lines;
  uint64_t last_hash = 0;
  heard.listen([&](const TraceEvent& event) {
    lines.push_back(std::to_string(event.number) + " " + std::to_string(event.time.count()) + " " +
                    std::string(event.node) + " " + std::string(to_string(event.kind)) + " " +
                    std::string(event.text));
    last_hash = event.hash;
  });
  EXPECT_TRUE(heard.listened());
  for (Trace* trace : {&silent, &heard}) {
    trace->event(VirtualTime(7), "kv0", TraceKind::kDisk, "sync aof");
    trace->event(VirtualTime(8), "kv0", TraceKind::kSend, 1, 2, [&] {
      EXPECT_EQ(trace, &heard) << "the text is made for listeners only";
      return std::string("12 bytes");
    });
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"1 7 kv0 disk sync aof", "2 8 kv0 send 12 bytes"}));
  EXPECT_EQ(last_hash, heard.hash());
  EXPECT_EQ(silent.hash(), heard.hash());
}

}  // namespace
}  // namespace seatrial::sim
