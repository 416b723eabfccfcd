#include "broker/log/records.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "broker/log/big_endian.h"
#include "broker/log/record_batch.h"

#include <algorithm>

namespace seatrial::broker {
namespace {

// A zigzag varint from the front of `bytes`, which it leaves behind; nullopt: cut, or longer than
// its type holds.
std::optional<int64_t> take_varint(base::Bytes& bytes, size_t bytes_max) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size() && i < bytes_max; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    bytes.remove_prefix(i + 1);
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  return std::nullopt;
}
constexpr size_t kVarintBytes = 5;
constexpr size_t kVarlongBytes = 10;

// A field with its length in front. False: malformed.
bool take_field(base::Bytes& bytes, std::optional<base::Bytes>& field) {
  const auto length = take_varint(bytes, kVarintBytes);
  if (!length || *length < -1) return false;
  if (*length == -1) {
    field.reset();
    return true;
  }
  const auto size = static_cast<uint64_t>(*length);
  if (size > bytes.size()) return false;
  field = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

bool take_header(base::Bytes& bytes, RecordHeader& header) {
  std::optional<base::Bytes> key;
  if (!take_field(bytes, key) || !key) return false;
  header.key = *key;
  return take_field(bytes, header.value);
}

void put_varint(std::string& to, int64_t value) {
  uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (bits >= 0x80) {
    to += static_cast<char>(bits | 0x80);
    bits >>= 7;
  }
  to += static_cast<char>(bits);
}

void put_field(std::string& to, const std::optional<base::Bytes>& field) {
  put_varint(to, field ? static_cast<int64_t>(field->size()) : -1);
  if (field) to += *field;
}

}  // namespace

std::optional<Record> RecordCursor::fail(std::string_view problem) {
  problem_ = problem;
  rest_ = {};
  return std::nullopt;
}

std::optional<Record> RecordCursor::next() {
  if (rest_.empty()) return std::nullopt;
  const auto length = take_varint(rest_, kVarintBytes);
  if (!length || *length < 1 || static_cast<uint64_t>(*length) > rest_.size()) {
    return fail("the length of a record reaches past the batch");
  }
  base::Bytes body = rest_.substr(0, static_cast<size_t>(*length));
  rest_.remove_prefix(body.size());
  body.remove_prefix(1);  // The attributes.
  Record record;
  const auto timestamp_delta = take_varint(body, kVarlongBytes);
  const auto offset_delta = take_varint(body, kVarintBytes);
  if (!timestamp_delta || !offset_delta) return fail("a record is cut");
  record.timestamp_delta = *timestamp_delta;
  record.offset_delta = static_cast<int32_t>(*offset_delta);
  if (!take_field(body, record.key)) return fail("the length of a key reaches past its record");
  if (!take_field(body, record.value)) return fail("the length of a value reaches past its record");
  const auto count = take_varint(body, kVarintBytes);
  // A header takes two bytes or more, so a count is believed only as far as there are bytes.
  if (!count || *count < 0 || static_cast<uint64_t>(*count) > body.size() / 2) {
    return fail("the count of headers reaches past the record");
  }
  record.header_count = static_cast<int32_t>(*count);
  record.headers = body;
  RecordHeader header;
  for (int64_t i = 0; i < *count; ++i) {
    if (!take_header(body, header)) return fail("a header of a record is malformed");
  }
  if (!body.empty()) return fail("a record is longer than what is in it");
  return record;
}

std::vector<RecordHeader> record_headers(const Record& record) {
  std::vector<RecordHeader> headers(static_cast<size_t>(record.header_count));
  base::Bytes rest = record.headers;
  for (RecordHeader& header : headers) CHECK(take_header(rest, header));
  return headers;
}

std::string make_batch(std::span<const NewRecord> records, const ProducerStamp& stamp) {
  CHECK(!records.empty());
  const int64_t base_timestamp = records[0].timestamp;
  int64_t max_timestamp = base_timestamp;
  std::string batch(kBatchHeaderBytes, '\0');
  std::string body;
  for (size_t i = 0; i < records.size(); ++i) {
    const NewRecord& record = records[i];
    max_timestamp = std::max(max_timestamp, record.timestamp);
    body.assign(1, '\0');
    put_varint(body, record.timestamp - base_timestamp);
    put_varint(body, static_cast<int64_t>(i));
    put_field(body, record.key);
    put_field(body, record.value);
    put_varint(body, static_cast<int64_t>(record.headers.size()));
    for (const RecordHeader& header : record.headers) {
      put_field(body, header.key);
      put_field(body, header.value);
    }
    put_varint(batch, static_cast<int64_t>(body.size()));
    batch += body;
  }
  const auto count = static_cast<int32_t>(records.size());
  store_big_endian<int32_t>(batch, 8, static_cast<int32_t>(batch.size() - kBatchPrefixBytes));
  store_big_endian<int32_t>(batch, 12, -1);
  batch[16] = 2;
  store_big_endian<int32_t>(batch, 23, count - 1);
  store_big_endian<int64_t>(batch, 27, base_timestamp);
  store_big_endian<int64_t>(batch, 35, max_timestamp);
  store_big_endian<int64_t>(batch, 43, stamp.id);
  store_big_endian<int16_t>(batch, 51, stamp.epoch);
  store_big_endian<int32_t>(batch, 53, stamp.base_sequence);
  store_big_endian<int32_t>(batch, 57, count);
  store_big_endian<uint32_t>(batch, 17, base::crc32c(base::Bytes(batch).substr(21)));
  return batch;
}

}  // namespace seatrial::broker
