// The records within a batch that is not compressed, and how a batch is made of records.
//
// A record: length, attributes (one byte, unused), timestamp delta, offset delta, key, value and
// headers; all numbers are zigzag varints, and a length of -1 stands for null.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::broker {

struct RecordHeader {
  base::Bytes key;
  std::optional<base::Bytes> value;
};

struct Record {
  int64_t timestamp_delta = 0;  // To the batch's base timestamp.
  int32_t offset_delta = 0;     // To its base offset.
  std::optional<base::Bytes> key;
  std::optional<base::Bytes> value;
  int32_t header_count = 0;
  base::Bytes headers;  // As they stand there; see record_headers().
};

// The headers of a record that a cursor gave.
std::vector<RecordHeader> record_headers(const Record& record);

// Goes through the records of a section. Every length is checked before it is believed.
class RecordCursor {
 public:
  explicit RecordCursor(base::Bytes section) : rest_(section) {}

  // The next record, or nullopt: at the end, or where the section is malformed.
  std::optional<Record> next();
  // In words; empty while there is nothing wrong.
  std::string_view problem() const { return problem_; }

 private:
  std::optional<Record> fail(std::string_view problem);

  base::Bytes rest_;
  std::string_view problem_;
};

struct NewRecord {
  int64_t timestamp = 0;
  std::optional<base::Bytes> key;
  std::optional<base::Bytes> value;
  std::vector<RecordHeader> headers;
};

// Who sends a batch; -1 where the producer is not idempotent.
struct ProducerStamp {
  int64_t id = -1;
  int16_t epoch = -1;
  int32_t base_sequence = -1;
};

// An uncompressed batch, as a producer sends it: base offset 0, leader epoch -1. At least one
// record; timestamps from 0 on.
std::string make_batch(std::span<const NewRecord> records, const ProducerStamp& stamp = {});

}  // namespace seatrial::broker
