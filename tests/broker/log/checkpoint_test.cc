#include "broker/log/checkpoint.h"

#include <gtest/gtest.h>

namespace seatrial::broker {
namespace {

const Checkpoint kSome{
    .flushed_offset = 1234,
    .segment = 1200,
    .position = 5678,
    .sealed = {{.base_offset = 0,
                .end_offset = 700,
                .bytes = 2147483647,
                .max_timestamp = 1700000000000,
                .sums = {.offsets = 0xdeadbeef, .times = 1}},
               {.base_offset = 700, .end_offset = 1200, .bytes = 61, .sums = {}}}};

TEST(Checkpoint, ComesBackAsItWas) {
  EXPECT_EQ(*parse_checkpoint(format_checkpoint(kSome), "checkpoint"), kSome);
  EXPECT_EQ(*parse_checkpoint(format_checkpoint({}), "checkpoint"), Checkpoint{});
  EXPECT_EQ(format_checkpoint(kSome),
            "seatrial log checkpoint 1\n"
            "flushed 1234 1200 5678\n"
            "segment 0 700 2147483647 1700000000000 deadbeef 00000001\n"
            "segment 700 1200 61 -1 00000000 00000000\n"
            "crc 66953da5\n");
}

TEST(Checkpoint, EveryChangeIsSeen) {
  const std::string text = format_checkpoint(kSome);
  for (size_t at = 0; at < text.size(); ++at) {
    EXPECT_FALSE(parse_checkpoint(text.substr(0, at), "checkpoint")) << at;
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(parse_checkpoint(changed, "checkpoint")) << at;
    changed = text;
    changed.insert(at, "1");
    EXPECT_FALSE(parse_checkpoint(changed, "checkpoint")) << at;
  }
  EXPECT_FALSE(parse_checkpoint(text + "\n", "checkpoint"));
}

TEST(Checkpoint, ErrorsNameTheLine) {
  const auto parsed =
      parse_checkpoint("seatrial log checkpoint 1\nflushed 1 x 2\n", "a/checkpoint");
  ASSERT_FALSE(parsed);
  EXPECT_TRUE(parsed.error().message().starts_with(
      "a/checkpoint:2: damaged: expected 'flushed' and 3 numbers"))
      << parsed.error().message();
}

}  // namespace
}  // namespace seatrial::broker
