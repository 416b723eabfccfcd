#include "broker/log/segment_index.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace seatrial::broker {
namespace {

struct Batch {
  BatchHeader header;
  uint32_t position;
};

// Batches behind each other from `base_offset` on.
std::vector<Batch> some_batches(int64_t base_offset, const std::vector<uint16_t>& draws) {
  std::vector<Batch> batches;
  int64_t offset = base_offset;
  uint32_t position = 0;
  for (const uint16_t draw : draws) {
    Batch batch{.header = {}, .position = position};
    batch.header.base_offset = offset;
    batch.header.record_count = 1 + draw % 7;
    batch.header.last_offset_delta = batch.header.record_count - 1;
    batch.header.length = 50 + draw % 300;
    batch.header.max_timestamp = draw / 16 % 50 - 1;
    offset = batch.header.next_offset();
    position += static_cast<uint32_t>(batch.header.bytes());
    batches.push_back(batch);
  }
  return batches;
}

RC_GTEST_PROP(SegmentIndexProperty, LeadsToOrBeforeWhatIsLookedFor,
              (std::vector<uint16_t> draws, uint8_t interval, bool from_files)) {
  constexpr int64_t kBase = 5'000'000'000;
  const auto batches = some_batches(kBase, draws);
  SegmentIndex index(kBase, interval * 4U);
  uint32_t bytes = 0;
  for (const Batch& batch : batches) {
    index.add(batch.header, batch.position);
    bytes += static_cast<uint32_t>(batch.header.bytes());
  }
  index.complete();
  if (from_files) {
    auto parsed = SegmentIndex::parse(kBase, bytes, index.offset_file(), index.time_file());
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->max_timestamp() == index.max_timestamp());
    RC_ASSERT(parsed->offset_file() == index.offset_file());
    RC_ASSERT(parsed->time_file() == index.time_file());
    index = *parsed;
  }
  const auto batch_at = [&](SegmentIndex::Landing landing) {
    const auto found = std::ranges::find(batches, landing.position, &Batch::position);
    RC_ASSERT(found != batches.end());
    RC_ASSERT(landing.position == 0 || found->header.last_offset() == landing.last_offset);
    return *found;
  };
  for (const Batch& batch : batches) {
    for (int64_t at = batch.header.base_offset; at <= batch.header.last_offset(); ++at) {
      const auto landing = index.find(at);
      RC_ASSERT(landing.position <= batch.position);
      // And not far before: one interval and one batch.
      RC_ASSERT(batch.position - landing.position <= interval * 4U + 2 * 400U);
      batch_at(landing);
    }
  }
  if (batches.empty()) return;
  for (int64_t time = -1; time <= 50; ++time) {
    const Batch landed = batch_at(index.find_time(time));
    for (const Batch& batch : batches) {
      if (batch.position >= landed.position) break;
      RC_ASSERT(batch.header.max_timestamp < time);
    }
  }
}

TEST(SegmentIndex, FilesAreAsKafkaHasThem) {
  SegmentIndex index(1000, 100);
  const auto add = [&](int64_t offset, int32_t count, uint32_t position, int64_t timestamp) {
    BatchHeader header{.base_offset = offset, .length = 68, .last_offset_delta = count - 1};
    header.max_timestamp = timestamp;
    header.record_count = count;
    index.add(header, position);
  };
  add(1000, 1, 0, 70);
  add(1001, 5, 80, 50);
  add(1006, 2, 160, 60);  // More than 100 bytes since the beginning.
  add(1008, 1, 240, 90);
  add(1009, 10, 320, 80);  // And since the entry before.
  add(1019, 1, 400, 95);
  index.complete();
  EXPECT_EQ(index.offset_file(), std::string("\0\0\0\x07\0\0\0\xa0\0\0\0\x12\0\0\1\x40", 16));
  EXPECT_EQ(index.time_file(), std::string("\0\0\0\0\0\0\0\x46\0\0\0\x00"
                                           "\0\0\0\0\0\0\0\x5a\0\0\0\x08"
                                           "\0\0\0\0\0\0\0\x5f\0\0\0\x13",
                                           36));
}

TEST(SegmentIndex, RefusesFilesThatCannotBe) {
  const auto entry = [](int32_t offset, int32_t position) {
    std::string bytes(8, '\0');
    bytes[3] = static_cast<char>(offset);
    bytes[7] = static_cast<char>(position);
    return bytes;
  };
  const auto accepted = [](const std::string& offsets, const std::string& times) {
    return SegmentIndex::parse(0, 100, offsets, times).has_value();
  };
  EXPECT_TRUE(accepted("", ""));
  EXPECT_TRUE(accepted(entry(3, 50) + entry(4, 99), ""));
  EXPECT_FALSE(accepted(entry(3, 50) + entry(4, 100), ""));  // Past the end.
  EXPECT_FALSE(accepted(entry(3, 50) + entry(3, 60), ""));
  EXPECT_FALSE(accepted(entry(3, 50) + entry(4, 50), ""));
  EXPECT_FALSE(accepted(entry(3, 50) + entry(2, 60), ""));
  EXPECT_FALSE(accepted(entry(3, 50) + "x", ""));
  EXPECT_FALSE(accepted("\x80" + entry(3, 50).substr(1), ""));
  const auto time = [](int8_t timestamp, int32_t offset) {
    std::string bytes(12, '\0');
    bytes[7] = static_cast<char>(timestamp);
    bytes[11] = static_cast<char>(offset);
    return bytes;
  };
  EXPECT_TRUE(accepted("", time(5, 1) + time(6, 1)));
  EXPECT_FALSE(accepted("", time(5, 1) + time(5, 2)));
  EXPECT_FALSE(accepted("", time(5, 2) + time(6, 1)));
  EXPECT_FALSE(accepted("", time(5, 2) + "x"));
}

}  // namespace
}  // namespace seatrial::broker
