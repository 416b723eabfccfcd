#include "broker/log/record_batch.h"
#include "broker/log/big_endian.h"
#include "broker/log/records.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace seatrial::broker {
namespace {

std::string small_batch() {
  return make_batch(std::vector<NewRecord>{
      {.timestamp = 1000, .key = "k", .value = "v", .headers = {{"h", "x"}, {"n", std::nullopt}}},
      {.timestamp = 1005, .key = std::nullopt, .value = "", .headers = {}},
      {.timestamp = 1002, .key = "", .value = std::nullopt, .headers = {}}});
}

std::string reason(const std::string& bytes, size_t batch_bytes_max = 10'000) {
  const auto checked = ProducedBatch::check(bytes, batch_bytes_max);
  if (checked) return "ok";
  constexpr std::string_view kNames[] = {"corrupt", "too large", "invalid record",
                                         "unsupported format", "unsupported compression"};
  return std::string(kNames[static_cast<size_t>(checked.error().problem)]) + ": " +
         checked.error().message;
}

// With its checksum made right again.
std::string changed(std::string batch, size_t at, int change) {
  batch[at] = static_cast<char>(batch[at] + change);
  set_max_timestamp(batch, read_batch_header(batch).max_timestamp);
  return batch;
}

TEST(RecordBatch, AMadeBatchIsWhatItSays) {
  const std::string batch = small_batch();
  EXPECT_EQ(reason(batch), "ok");
  const ProducedBatch checked = *ProducedBatch::check(batch, 10'000);
  EXPECT_EQ(checked.header().base_offset, 0);
  EXPECT_EQ(checked.header().bytes(), batch.size());
  EXPECT_EQ(checked.header().record_count, 3);
  EXPECT_EQ(checked.header().last_offset(), 2);
  EXPECT_EQ(checked.header().base_timestamp, 1000);
  EXPECT_EQ(checked.max_timestamp(), 1005);
  EXPECT_EQ(checked.header().producer_id, -1);
}

// Bytes that Kafka's own client sent (kafka-python 2.0.2: one record, key "k", value "v", header
// "h": "x", timestamp 1234567890123), so that both sides of ours cannot be wrong together.
TEST(RecordBatch, ReadsWhatAnotherClientMade) {
  constexpr char kBytes[] =
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x3e\x00\x00\x00\x00\x02\xe6\xa8\x18\xd9\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x01\x1f\x71\xfb\x04\xcb\x00\x00\x01\x1f\x71\xfb\x04\xcb\xff"
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x01\x18\x00\x00\x00\x02"
      "\x6b\x02\x76\x02\x02\x68\x02\x78";
  const std::string batch(kBytes, sizeof kBytes - 1);
  EXPECT_EQ(reason(batch), "ok");
  std::string ours = make_batch(std::vector<NewRecord>{
      {.timestamp = 1234567890123, .key = "k", .value = "v", .headers = {{"h", "x"}}}});
  // Clients differ in the leader epoch only, which is not theirs to set.
  set_leader_epoch(ours, read_batch_header(batch).leader_epoch);
  EXPECT_EQ(ours, batch);
}

TEST(RecordBatch, EveryFlippedBitIsSeen) {
  const std::string batch = small_batch();
  for (size_t bit = 0; bit < 8 * batch.size(); ++bit) {
    std::string flipped = batch;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    // The base offset and the leader epoch are the broker's to set.
    const bool ignored = bit / 8 < 8 || (bit / 8 >= 12 && bit / 8 < 16);
    EXPECT_EQ(reason(flipped) == "ok", ignored) << bit;
  }
}

TEST(RecordBatch, EveryTruncationIsSeen) {
  const std::string batch = small_batch();
  for (size_t size = 0; size < batch.size(); ++size) {
    EXPECT_EQ(reason(batch.substr(0, size)).substr(0, 7), "corrupt") << size;
  }
}

TEST(RecordBatch, RefusesWhatAProducerMayNotSend) {
  const std::string batch = small_batch();
  EXPECT_EQ(reason(batch + batch).substr(0, 14), "invalid record");
  EXPECT_EQ(reason(batch, batch.size()), "ok");
  EXPECT_EQ(reason(batch, batch.size() - 1).substr(0, 9), "too large");
  std::string old = batch;
  old[16] = 1;
  EXPECT_EQ(reason(old).substr(0, 18), "unsupported format");
  EXPECT_EQ(reason(changed(batch, 22, 5)).substr(0, 23), "unsupported compression");
  EXPECT_EQ(reason(changed(batch, 22, 0x20)),
            "invalid record: a producer may not send control batches");
  EXPECT_EQ(reason(changed(batch, 22, 0x10)), "invalid record: transactions are not supported");
  EXPECT_EQ(reason(changed(batch, 22, 0x08)),
            "invalid record: the timestamp type is the broker's to set");
  // Compressed records are one opaque block.
  EXPECT_EQ(reason(changed(changed(batch, 22, 4), 65, 1)), "ok");
}

TEST(RecordBatch, RefusesRecordsThatDoNotAddUp) {
  const std::string batch = small_batch();
  // One record less, and one more, than the header says.
  EXPECT_EQ(reason(changed(changed(batch, 26, -1), 60, -1)).substr(0, 14), "invalid record");
  EXPECT_EQ(reason(changed(changed(batch, 26, 1), 60, 1)).substr(0, 14), "invalid record");
  EXPECT_EQ(reason(changed(batch, 60, 1)).substr(0, 7), "corrupt");
  EXPECT_EQ(reason(changed(changed(batch, 26, -3), 60, -3)).substr(0, 7), "corrupt");
  // The offset delta of the first record.
  EXPECT_EQ(reason(changed(batch, 64, 2)), "invalid record: record 0 has the offset delta 1");
}

TEST(RecordBatch, ChangedFieldsKeepTheChecksumRight) {
  std::string batch = small_batch();
  set_base_offset(batch, 123456789012345);
  set_leader_epoch(batch, 7);
  EXPECT_TRUE(batch_crc_matches(batch, read_batch_header(batch)));
  set_log_append_time(batch, 4242);
  const BatchHeader header = read_batch_header(batch);
  EXPECT_TRUE(batch_crc_matches(batch, header));
  EXPECT_EQ(header.base_offset, 123456789012345);
  EXPECT_EQ(header.leader_epoch, 7);
  EXPECT_EQ(header.max_timestamp, 4242);
  EXPECT_TRUE(header.log_append_time());
}

// Whatever the bytes are, nothing outside them is read (the sanitizers watch), and a changed
// record section that is taken has as many records as it says.
RC_GTEST_PROP(RecordBatchProperty, SurvivesAnyRecords, (std::string section, int position)) {
  std::string batch = small_batch();
  const size_t from =
      kBatchHeaderBytes + static_cast<size_t>(position & 0xff) % (batch.size() - kBatchHeaderBytes);
  batch.replace(from, section.size(), section);
  store_big_endian<int32_t>(batch, 8, static_cast<int32_t>(batch.size() - kBatchPrefixBytes));
  set_max_timestamp(batch, 0);
  const auto checked = ProducedBatch::check(batch, SIZE_MAX);
  if (!checked) return;
  RecordCursor cursor(base::Bytes(batch).substr(kBatchHeaderBytes));
  int32_t count = 0;
  while (cursor.next()) ++count;
  RC_ASSERT(count == 3);
}

using Field = std::optional<std::string>;

RC_GTEST_PROP(RecordBatchProperty, RecordsComeBackAsTheyWere, ()) {
  struct Given {
    uint32_t timestamp;
    Field key;
    Field value;
    std::vector<std::pair<std::string, Field>> headers;
  };
  const auto text = rc::gen::arbitrary<std::string>();
  const auto field = rc::gen::map(rc::gen::maybe(text), [](const rc::Maybe<std::string>& maybe) {
    return maybe ? Field(*maybe) : std::nullopt;
  });
  const auto given = *rc::gen::nonEmpty(rc::gen::container<std::vector<Given>>(
      rc::gen::construct<Given>(rc::gen::arbitrary<uint32_t>(), field, field,
                                rc::gen::container<std::vector<std::pair<std::string, Field>>>(
                                    rc::gen::pair(text, field)))));
  std::vector<NewRecord> records;
  int64_t greatest = 0;
  for (const Given& record : given) {
    greatest = std::max<int64_t>(greatest, record.timestamp);
    records.push_back(
        {.timestamp = record.timestamp, .key = record.key, .value = record.value, .headers = {}});
    for (const auto& [key, value] : record.headers) {
      records.back().headers.push_back({key, value});
    }
  }
  const std::string batch = make_batch(records, {.id = 5, .epoch = 1, .base_sequence = 9});
  const auto checked = ProducedBatch::check(batch, SIZE_MAX);
  RC_ASSERT(checked.has_value());
  RC_ASSERT(checked->max_timestamp() == greatest);
  RC_ASSERT(checked->header().producer_id == 5);
  RecordCursor cursor(base::Bytes(batch).substr(kBatchHeaderBytes));
  for (const Given& record : given) {
    const auto found = cursor.next();
    RC_ASSERT(found.has_value());
    RC_ASSERT(checked->header().base_timestamp + found->timestamp_delta == record.timestamp);
    RC_ASSERT(found->key == record.key);
    RC_ASSERT(found->value == record.value);
    const auto headers = record_headers(*found);
    RC_ASSERT(headers.size() == record.headers.size());
    for (size_t i = 0; i < headers.size(); ++i) {
      RC_ASSERT(headers[i].key == record.headers[i].first);
      RC_ASSERT(headers[i].value == record.headers[i].second);
    }
  }
  RC_ASSERT(!cursor.next().has_value());
}

}  // namespace
}  // namespace seatrial::broker
