#include "scenarios/record_batches.h"
#include "broker/log/record_batch.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::scenarios {
namespace {

std::vector<ClientRecord> some_records() {
  return {
      {.key = "k", .value = "one", .headers = {{"h", "v"}, {"", std::nullopt}}, .timestamp = 1000},
      {.key = "", .value = "two", .headers = {}, .timestamp = 900},
      {.key = std::nullopt, .value = std::string(300, '\xff'), .headers = {}, .timestamp = 1200}};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned char c : bytes) {
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

// The bytes are worked out by hand from the format; their checksum by another implementation.
TEST(RecordBatches, AreKafkasBytes) {
  const std::vector<ClientRecord> records = {
      {.key = "a", .value = "bc", .headers = {}, .timestamp = 1}};
  EXPECT_EQ(hex(encode_batch(records)),
            "0000000000000000"
            "0000003b"
            "ffffffff"
            "02"
            "d9b87538"
            "0000"
            "00000000"
            "0000000000000001"
            "0000000000000001"
            "ffffffffffffffff"
            "ffff"
            "ffffffff"
            "00000001"
            "12"
            "00"
            "00"
            "00"
            "0261"
            "046263"
            "00");
}

TEST(RecordBatches, ComeBackAsTheyWent) {
  const std::vector<ClientRecord> records = some_records();
  std::string bytes = encode_batch(records) + encode_batch(records);
  const FetchedBatches fetched = decode_batches(bytes);
  EXPECT_EQ(fetched.problem, "");
  ASSERT_EQ(fetched.records.size(), 6U);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(fetched.records[i].offset, static_cast<int64_t>(i % 3));
    EXPECT_EQ(fetched.records[i].batch_end, 3);
    EXPECT_EQ(payload_hash(fetched.records[i].record), payload_hash(records[i % 3]));
    EXPECT_EQ(fetched.records[i].record.headers, records[i % 3].headers);
  }
}

TEST(RecordBatches, TheBrokerTakesThem) {
  const std::string bytes = encode_batch(some_records());
  const auto batch = broker::ProducedBatch::check(bytes, 1 << 20);
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->header().record_count, 3);
  EXPECT_EQ(batch->max_timestamp(), 1200);
}

TEST(RecordBatches, ACutBatchIsLeftOut) {
  const std::string whole = encode_batch(some_records());
  const std::string two = whole + whole;
  for (size_t size = 0; size <= two.size(); ++size) {
    const FetchedBatches fetched = decode_batches(std::string_view(two).substr(0, size));
    EXPECT_EQ(fetched.problem, "") << size;
    EXPECT_EQ(fetched.records.size(), size / whole.size() * 3) << size;
  }
}

// Only base offset, leader epoch and length are outside the checksum.
TEST(RecordBatches, EveryChangedBitIsFound) {
  const std::string whole = encode_batch(some_records());
  for (size_t at = 16; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_NE(decode_batches(damaged).problem, "") << at;
  }
}

TEST(RecordBatches, TheHashIsOfEverything) {
  const ClientRecord record = some_records()[0];
  const auto changed = [&](auto change) {
    ClientRecord other = record;
    change(other);
    return payload_hash(other) != payload_hash(record);
  };
  EXPECT_TRUE(changed([](ClientRecord& r) { r.key = std::nullopt; }));
  EXPECT_TRUE(changed([](ClientRecord& r) { r.key = ""; }));
  EXPECT_TRUE(changed([](ClientRecord& r) { r.value = "onf"; }));
  EXPECT_TRUE(changed([](ClientRecord& r) { r.value += '\0'; }));
  EXPECT_TRUE(changed([](ClientRecord& r) { r.timestamp++; }));
  EXPECT_TRUE(changed([](ClientRecord& r) { r.headers.pop_back(); }));
  EXPECT_TRUE(changed([](ClientRecord& r) { r.headers[1].second = ""; }));
}

}  // namespace
}  // namespace seatrial::scenarios
