// Record batches, version 2: what producers send, what the log keeps, what consumers get. The
// same bytes all the way; only the base offset and the leader epoch are the broker's to set, and
// the checksum does not cover them.
//
//   at  bytes                        at  bytes
//    0    8  base offset             21    2  attributes          43    8  producer id
//    8    4  length of what follows  23    4  last offset delta   51    2  producer epoch
//   12    4  leader epoch            27    8  base timestamp      53    4  base sequence
//   16    1  magic: 2                35    8  max timestamp       57    4  count of records
//   17    4  CRC32C from 21 on                                    61    …  records
//
// All numbers are big-endian. Compressed records are one opaque block.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace seatrial::broker {

inline constexpr size_t kBatchHeaderBytes = 61;
inline constexpr size_t kBatchPrefixBytes = 12;  // What the length does not count.

enum class Compression : unsigned char { kNone = 0, kGzip, kSnappy, kLz4, kZstd };

struct BatchHeader {
  int64_t base_offset = 0;
  int32_t length = 0;
  int32_t leader_epoch = 0;
  int8_t magic = 0;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp = 0;  // Milliseconds since 1970, as all timestamps here; -1: none.
  int64_t max_timestamp = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;

  // Of the whole batch. Only for a length that well_formed() has passed.
  size_t bytes() const { return kBatchPrefixBytes + static_cast<size_t>(length); }
  int64_t last_offset() const { return base_offset + last_offset_delta; }
  int64_t next_offset() const { return last_offset() + 1; }
  int compression_code() const { return attributes & 0x07; }
  bool compressed() const { return compression_code() != 0; }
  bool log_append_time() const { return (attributes & 0x08) != 0; }
  bool transactional() const { return (attributes & 0x10) != 0; }
  bool control() const { return (attributes & 0x20) != 0; }
};

// Whole batches, one behind the other, with dense offsets.
struct BatchRun {
  std::string bytes;
  int64_t next_offset = 0;  // One past the last record; where there is none, what was asked for.
};

// Reads a header from the front of at least kBatchHeaderBytes. Judges nothing.
BatchHeader read_batch_header(base::Bytes bytes);

// How long the batch at the front is, of bytes that were checked before.
size_t batch_bytes(base::Bytes bytes);

// What is wrong with a header by itself, in words; empty: nothing. The magic, a length that holds
// at least a header, and as many offsets as records, at least one.
std::string_view batch_header_problem(const BatchHeader& header);
// Whether the checksum of a whole batch is right.
bool batch_crc_matches(base::Bytes batch, const BatchHeader& header);

// The broker's own fields, in the bytes of a batch.
void set_base_offset(base::MutableBytes batch, int64_t offset);
void set_leader_epoch(base::MutableBytes batch, int32_t epoch);
// These change what the checksum covers; it is made anew.
void set_log_append_time(base::MutableBytes batch, int64_t timestamp);
void set_max_timestamp(base::MutableBytes batch, int64_t timestamp);

// Why a batch is refused, as Kafka's error codes tell it apart.
enum class BatchProblem : unsigned char {
  kCorrupt,                 // CORRUPT_MESSAGE: cut, or its checksum is wrong.
  kTooLarge,                // MESSAGE_TOO_LARGE
  kInvalidRecord,           // INVALID_RECORD: intact, but not what a producer may send.
  kUnsupportedFormat,       // UNSUPPORTED_FOR_MESSAGE_FORMAT: an older magic.
  kUnsupportedCompression,  // UNSUPPORTED_COMPRESSION_TYPE
};
struct BatchRefusal {
  BatchProblem problem = BatchProblem::kCorrupt;
  std::string message;
};

// The one batch of a partition in a Produce request, checked: the header, the size, the checksum
// and, where they are not compressed, every record (dense offset deltas; the sizes within agree).
// A view: the bytes stay the caller's.
class ProducedBatch {
 public:
  // `bytes`: all that the request holds for the partition.
  static std::expected<ProducedBatch, BatchRefusal> check(base::Bytes bytes,
                                                          size_t batch_bytes_max);

  base::Bytes bytes() const { return bytes_; }
  const BatchHeader& header() const { return header_; }
  // The greatest timestamp of its records; as the header claims where they are compressed.
  int64_t max_timestamp() const { return max_timestamp_; }

 private:
  ProducedBatch() = default;
  base::Bytes bytes_;
  BatchHeader header_;
  int64_t max_timestamp_ = 0;
};

}  // namespace seatrial::broker
