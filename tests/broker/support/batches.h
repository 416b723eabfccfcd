// Batches to produce, and the values in those that were fetched.
#pragma once

#include "base/check.h"
#include "broker/log/record_batch.h"
#include "broker/log/records.h"
#include "broker/wire/messages/fetch.h"
#include "broker/wire/messages/produce.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace seatrial::broker {

// A batch of one record.
inline std::string one_record(base::Bytes value, int64_t timestamp = 1000) {
  return make_batch(std::vector<NewRecord>{
      {.timestamp = timestamp, .key = std::nullopt, .value = value, .headers = {}}});
}

// The batch is a view: it must outlive the request.
inline ProduceRequest produce_one(std::string topic, base::Bytes batch, int16_t acks = -1,
                                  int32_t timeout_ms = 5000, int32_t partition = 0) {
  ProduceRequest request{.acks = acks, .timeout_ms = timeout_ms};
  request.topics.push_back({std::move(topic), {{partition, batch}}});
  return request;
}

inline FetchRequest fetch_one(std::string topic, int64_t offset, int32_t wait_max_ms = 0,
                              int32_t bytes_min = 1) {
  FetchRequest request{.wait_max_ms = wait_max_ms, .bytes_min = bytes_min};
  request.topics.push_back(
      {std::move(topic), {{.index = 0, .offset = offset, .bytes_max = 1'000'000}}});
  return request;
}

// "0:a 1:b"
inline std::string fetched_values(const FetchReply::Partition& partition) {
  std::string text;
  base::Bytes batches = partition.records.value_or(base::Bytes());
  while (!batches.empty()) {
    const BatchHeader header = read_batch_header(batches);
    CHECK(header.bytes() <= batches.size());
    RecordCursor cursor(batches.substr(kBatchHeaderBytes, header.bytes() - kBatchHeaderBytes));
    while (const auto record = cursor.next()) {
      if (!text.empty()) text += ' ';
      text += fmt::format("{}:{}", header.base_offset + record->offset_delta,
                          record->value.value_or("null"));
    }
    batches.remove_prefix(header.bytes());
  }
  return text;
}

}  // namespace seatrial::broker
