#include "scenarios/record_batches.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace seatrial::scenarios {
namespace {

constexpr size_t kHeaderBytes = 61;
constexpr size_t kPrefixBytes = 12;  // Base offset and length: what the length does not count.
constexpr size_t kCrcCoversFrom = 21;
constexpr char kMagic = 2;

template <typename T>
void put(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<uint64_t>(value) >> shift);
  }
}

// Zigzag: small numbers of either sign take few bytes.
void put_varint(std::string& out, int64_t value) {
  auto word = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; word >= 0x80; word >>= 7) out += static_cast<char>(word | 0x80);
  out += static_cast<char>(word);
}

void put_text(std::string& out, const std::optional<std::string>& text) {
  put_varint(out, text ? static_cast<int64_t>(text->size()) : -1);
  if (text) out += *text;
}

std::string encode_record(const ClientRecord& record, int64_t offset_delta,
                          int64_t base_timestamp) {
  std::string body(1, '\0');  // Attributes.
  put_varint(body, record.timestamp - base_timestamp);
  put_varint(body, offset_delta);
  put_text(body, record.key);
  put_text(body, record.value);
  put_varint(body, static_cast<int64_t>(record.headers.size()));
  for (const auto& [name, value] : record.headers) {
    put_text(body, name);
    put_text(body, value);
  }
  std::string out;
  put_varint(out, static_cast<int64_t>(body.size()));
  return out + body;
}

// Takes fields off the front; after the first that is not there, all are zero and good() is false.
class Fields {
 public:
  explicit Fields(base::Bytes bytes) : bytes_(bytes) {}

  bool good() const { return good_; }
  bool empty() const { return bytes_.empty(); }

  base::Bytes take(int64_t count) {
    if (!good_ || count < 0 || static_cast<uint64_t>(count) > bytes_.size()) {
      good_ = false;
      return {};
    }
    const base::Bytes taken = bytes_.substr(0, static_cast<size_t>(count));
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  template <typename T>
  T number() {
    uint64_t value = 0;
    for (char c : take(sizeof(T))) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<T>(value);
  }
  int64_t varint() {
    uint64_t word = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const base::Bytes byte = take(1);
      if (byte.empty()) return 0;
      const auto bits = static_cast<unsigned char>(byte[0]);
      if (shift < 64) word |= static_cast<uint64_t>(bits & 0x7f) << shift;
      if ((bits & 0x80) == 0)
        return static_cast<int64_t>(word >> 1) ^ -static_cast<int64_t>(word & 1);
    }
    good_ = false;
    return 0;
  }
  std::optional<std::string> text() {
    const int64_t length = varint();
    if (length == -1) return std::nullopt;
    return std::string(take(length));
  }

 private:
  base::Bytes bytes_;
  bool good_ = true;
};

// Its header's fields that a reader needs.
struct Batch {
  int64_t base_offset;
  int32_t last_offset_delta;
  int64_t base_timestamp;
  int64_t max_timestamp;
  int32_t count;
};

// Empty: it could be read.
std::string decode_record(Fields& fields, const Batch& batch, int32_t index, FetchedBatches& into) {
  Fields body(fields.take(fields.varint()));
  (void)body.number<int8_t>();
  FetchedRecord fetched;
  fetched.record.timestamp = batch.base_timestamp + body.varint();
  const int64_t delta = body.varint();
  fetched.offset = batch.base_offset + delta;
  fetched.batch_end = batch.base_offset + batch.count;
  fetched.record.key = body.text();
  const std::optional<std::string> value = body.text();
  fetched.record.value = value.value_or("");
  const int64_t headers = body.varint();
  for (int64_t i = 0; i < headers && body.good(); ++i) {
    std::string name = body.text().value_or("");
    fetched.record.headers.emplace_back(std::move(name), body.text());
  }
  if (!body.good() || !body.empty() || !value || delta != index) {
    return fmt::format("record {} of the batch at {} is damaged", index, batch.base_offset);
  }
  into.records.push_back(std::move(fetched));
  return {};
}

std::string decode_batch(base::Bytes bytes, FetchedBatches& into) {
  Fields fields(bytes);
  Batch batch{};
  batch.base_offset = fields.number<int64_t>();
  fields.take(8);  // Length and leader epoch.
  const char magic = fields.number<char>();
  const auto crc = fields.number<uint32_t>();
  const auto attributes = fields.number<int16_t>();
  batch.last_offset_delta = fields.number<int32_t>();
  batch.base_timestamp = fields.number<int64_t>();
  batch.max_timestamp = fields.number<int64_t>();
  fields.take(14);  // Of idempotent producers.
  batch.count = fields.number<int32_t>();
  const std::string at = fmt::format("the batch at {}", batch.base_offset);
  if (magic != kMagic) return fmt::format("{} has magic {}", at, static_cast<int>(magic));
  if (crc != base::crc32c(bytes.substr(kCrcCoversFrom))) return at + " does not match its checksum";
  if (attributes != 0) return fmt::format("{} has attributes {}", at, attributes);
  if (batch.count < 1 || batch.last_offset_delta != batch.count - 1) {
    return fmt::format("{} has {} records and a last offset delta of {}", at, batch.count,
                       batch.last_offset_delta);
  }
  const size_t before = into.records.size();
  for (int32_t i = 0; i < batch.count; ++i) {
    std::string problem = decode_record(fields, batch, i, into);
    if (!problem.empty()) return problem;
  }
  int64_t greatest = into.records[before].record.timestamp;
  for (size_t i = before; i < into.records.size(); ++i) {
    greatest = std::max(greatest, into.records[i].record.timestamp);
  }
  if (greatest != batch.max_timestamp) {
    return fmt::format("{} claims a greatest timestamp of {}, it is {}", at, batch.max_timestamp,
                       greatest);
  }
  return fields.empty() ? std::string() : at + " has bytes behind its records";
}

}  // namespace

std::string encode_batch(std::span<const ClientRecord> records) {
  CHECK(!records.empty());
  const int64_t base_timestamp = records[0].timestamp;
  const int64_t max_timestamp = std::ranges::max(records, {}, &ClientRecord::timestamp).timestamp;
  std::string covered;  // By the checksum.
  put<int16_t>(covered, 0);
  put(covered, static_cast<int32_t>(records.size()) - 1);
  put(covered, base_timestamp);
  put(covered, max_timestamp);
  put<int64_t>(covered, -1);  // Producer id, epoch, sequence: none.
  put<int16_t>(covered, -1);
  put<int32_t>(covered, -1);
  put(covered, static_cast<int32_t>(records.size()));
  for (size_t i = 0; i < records.size(); ++i) {
    covered += encode_record(records[i], static_cast<int64_t>(i), base_timestamp);
  }
  std::string out;
  put<int64_t>(out, 0);
  put(out, static_cast<int32_t>(kCrcCoversFrom - kPrefixBytes + covered.size()));
  put<int32_t>(out, -1);  // Leader epoch.
  out += kMagic;
  put(out, base::crc32c(covered));
  return out + covered;
}

FetchedBatches decode_batches(base::Bytes bytes) {
  FetchedBatches fetched;
  while (bytes.size() >= kPrefixBytes) {
    Fields prefix(bytes.substr(8));
    const auto length = prefix.number<int32_t>();
    if (length < static_cast<int32_t>(kHeaderBytes - kPrefixBytes)) {
      fetched.problem = fmt::format("a batch says that it is {} bytes long", length);
      break;
    }
    const size_t size = kPrefixBytes + static_cast<size_t>(length);
    if (bytes.size() < size) break;
    fetched.problem = decode_batch(bytes.substr(0, size), fetched);
    if (!fetched.problem.empty()) break;
    bytes.remove_prefix(size);
  }
  return fetched;
}

int64_t payload_hash(const ClientRecord& record) {
  uint64_t hash = base::mix64(static_cast<uint64_t>(record.timestamp));
  const auto add = [&hash](base::Bytes bytes) {
    // With its length, so that nothing can move from one part to the next unseen.
    hash = base::mix64(hash ^ bytes.size());
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), sizeof hash))) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof word));
      hash = base::mix64(hash ^ word);
    }
  };
  const auto add_optional = [&](const std::optional<std::string>& text) {
    hash = base::mix64(hash ^ (text ? 1U : 2U));
    if (text) add(*text);
  };
  add_optional(record.key);
  add(record.value);
  for (const auto& [name, value] : record.headers) {
    add(name);
    add_optional(value);
  }
  return static_cast<int64_t>(hash >> 1);
}

}  // namespace seatrial::scenarios
