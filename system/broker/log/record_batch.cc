#include "broker/log/record_batch.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "broker/log/big_endian.h"
#include "broker/log/records.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::broker {
namespace {

constexpr int8_t kMagic = 2;
constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kCrcBegin = 21;  // Covered from here on.
constexpr size_t kAttributesAt = 21;
constexpr size_t kMaxTimestampAt = 35;
constexpr int16_t kLogAppendTime = 0x08;
constexpr int kCompressionMax = static_cast<int>(Compression::kZstd);

void make_crc(base::MutableBytes batch) {
  const base::Bytes covered(batch.data() + kCrcBegin, batch.size() - kCrcBegin);
  store_big_endian(batch, kCrcAt, base::crc32c(covered));
}

std::unexpected<BatchRefusal> refuse(BatchProblem problem, std::string message) {
  return std::unexpected(BatchRefusal{problem, std::move(message)});
}

// What a producer may not set in a batch that is otherwise intact; empty: nothing.
std::string_view attributes_problem(const BatchHeader& header) {
  if (header.control()) return "a producer may not send control batches";
  if (header.transactional()) return "transactions are not supported";
  if (header.log_append_time()) return "the timestamp type is the broker's to set";
  return {};
}

// Goes through the records of a batch that is not compressed: their greatest timestamp, or what
// is wrong, in words.
std::expected<int64_t, std::string> walk_records(base::Bytes section, const BatchHeader& header) {
  RecordCursor cursor(section);
  int64_t greatest = INT64_MIN;
  int32_t count = 0;
  while (const auto record = cursor.next()) {
    if (record->offset_delta != count) {
      return std::unexpected(
          fmt::format("record {} has the offset delta {}", count, record->offset_delta));
    }
    // Deltas wrap as they do in Java.
    const auto timestamp = static_cast<int64_t>(static_cast<uint64_t>(header.base_timestamp) +
                                                static_cast<uint64_t>(record->timestamp_delta));
    greatest = std::max(greatest, timestamp);
    ++count;
  }
  if (!cursor.problem().empty()) {
    return std::unexpected(fmt::format("record {}: {}", count, cursor.problem()));
  }
  if (count != header.record_count) {
    return std::unexpected(
        fmt::format("{} records where the header says {}", count, header.record_count));
  }
  return greatest;
}

}  // namespace

BatchHeader read_batch_header(base::Bytes bytes) {
  CHECK(bytes.size() >= kBatchHeaderBytes);
  BatchHeader header;
  header.base_offset = load_big_endian<int64_t>(bytes, 0);
  header.length = load_big_endian<int32_t>(bytes, 8);
  header.leader_epoch = load_big_endian<int32_t>(bytes, 12);
  header.magic = load_big_endian<int8_t>(bytes, kMagicAt);
  header.crc = load_big_endian<uint32_t>(bytes, kCrcAt);
  header.attributes = load_big_endian<int16_t>(bytes, kAttributesAt);
  header.last_offset_delta = load_big_endian<int32_t>(bytes, 23);
  header.base_timestamp = load_big_endian<int64_t>(bytes, 27);
  header.max_timestamp = load_big_endian<int64_t>(bytes, kMaxTimestampAt);
  header.producer_id = load_big_endian<int64_t>(bytes, 43);
  header.producer_epoch = load_big_endian<int16_t>(bytes, 51);
  header.base_sequence = load_big_endian<int32_t>(bytes, 53);
  header.record_count = load_big_endian<int32_t>(bytes, 57);
  return header;
}

size_t batch_bytes(base::Bytes bytes) {
  return kBatchPrefixBytes + static_cast<size_t>(load_big_endian<int32_t>(bytes, 8));
}

std::string_view batch_header_problem(const BatchHeader& header) {
  constexpr auto kLengthMin = static_cast<int32_t>(kBatchHeaderBytes - kBatchPrefixBytes);
  if (header.magic != kMagic) return "the magic is not 2";
  if (header.length < kLengthMin) return "the length is less than a header's";
  if (header.record_count < 1) return "there is no record in the batch";
  if (header.last_offset_delta != header.record_count - 1) {
    return "the last offset delta is not the count of records less one";
  }
  return {};
}

bool batch_crc_matches(base::Bytes batch, const BatchHeader& header) {
  CHECK(batch.size() == header.bytes());
  return base::crc32c(batch.substr(kCrcBegin)) == header.crc;
}

void set_base_offset(base::MutableBytes batch, int64_t offset) {
  store_big_endian(batch, 0, offset);
}

void set_leader_epoch(base::MutableBytes batch, int32_t epoch) {
  store_big_endian(batch, kBatchPrefixBytes, epoch);
}

void set_log_append_time(base::MutableBytes batch, int64_t timestamp) {
  const auto attributes =
      load_big_endian<int16_t>(base::Bytes(batch.data(), batch.size()), kAttributesAt);
  store_big_endian(batch, kAttributesAt, static_cast<int16_t>(attributes | kLogAppendTime));
  set_max_timestamp(batch, timestamp);
}

void set_max_timestamp(base::MutableBytes batch, int64_t timestamp) {
  store_big_endian(batch, kMaxTimestampAt, timestamp);
  make_crc(batch);
}

std::expected<ProducedBatch, BatchRefusal> ProducedBatch::check(base::Bytes bytes,
                                                                size_t batch_bytes_max) {
  using enum BatchProblem;
  if (bytes.size() > kMagicAt && (bytes[kMagicAt] == 0 || bytes[kMagicAt] == 1)) {
    return refuse(kUnsupportedFormat,
                  fmt::format("messages of magic {}, expected a record batch of magic 2",
                              static_cast<int>(bytes[kMagicAt])));
  }
  if (bytes.size() < kBatchHeaderBytes) {
    return refuse(kCorrupt, fmt::format("{} bytes, fewer than the {} of a batch's header",
                                        bytes.size(), kBatchHeaderBytes));
  }
  ProducedBatch batch;
  batch.bytes_ = bytes;
  batch.header_ = read_batch_header(bytes);
  const BatchHeader& header = batch.header_;
  if (const auto problem = batch_header_problem(header); !problem.empty()) {
    return refuse(kCorrupt, std::string(problem));
  }
  if (header.bytes() > bytes.size()) {
    return refuse(kCorrupt, fmt::format("the batch says {} bytes, and {} are there", header.bytes(),
                                        bytes.size()));
  }
  if (header.bytes() < bytes.size()) {
    return refuse(kInvalidRecord, fmt::format("{} bytes behind the batch: expected exactly one",
                                              bytes.size() - header.bytes()));
  }
  if (bytes.size() > batch_bytes_max) {
    return refuse(kTooLarge, fmt::format("a batch of {} bytes, more than the {} allowed",
                                         bytes.size(), batch_bytes_max));
  }
  if (!batch_crc_matches(bytes, header)) {
    return refuse(kCorrupt, fmt::format("the checksum is not {:08x}", header.crc));
  }
  if (header.compression_code() > kCompressionMax) {
    return refuse(kUnsupportedCompression,
                  fmt::format("unknown compression {}", header.compression_code()));
  }
  if (const auto problem = attributes_problem(header); !problem.empty()) {
    return refuse(kInvalidRecord, std::string(problem));
  }
  batch.max_timestamp_ = header.max_timestamp;
  if (!header.compressed()) {
    auto greatest = walk_records(bytes.substr(kBatchHeaderBytes), header);
    if (!greatest) return refuse(kInvalidRecord, std::move(greatest).error());
    batch.max_timestamp_ = *greatest;
  }
  return batch;
}

}  // namespace seatrial::broker
