// Record batches as a client makes and reads them: an encoder and a decoder of their own, which
// share nothing with the broker's but the checksum, so that each is held to Kafka's format and not
// to the other.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::scenarios {

struct ClientRecord {
  std::optional<std::string> key;
  std::string value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  int64_t timestamp = 0;  // Milliseconds since 1970.
};

// One batch of version 2, uncompressed, its base offset 0. Not of nothing.
std::string encode_batch(std::span<const ClientRecord> records);

struct FetchedRecord {
  int64_t offset = 0;
  int64_t batch_end = 0;  // One past its batch's last record.
  ClientRecord record;
};

struct FetchedBatches {
  std::vector<FetchedRecord> records;  // Of all batches, in their order.
  std::string problem;                 // Why the reading stopped before the end; empty: it did not.
};

// Reads whole batches and checks them: magic, CRC32C, counts, lengths. A batch that is cut off by
// the end of the bytes is left out, as consumers do.
FetchedBatches decode_batches(base::Bytes bytes);

// Over key, value, headers and timestamp.
int64_t payload_hash(const ClientRecord& record);

}  // namespace seatrial::scenarios
