#include "kv/rdb/writer.h"

#include "kv/rdb/format.h"
#include "kv/rdb/types/type.h"

#include <fmt/format.h>

#include <string>

namespace seatrial::kv::rdb {
namespace {

void write_aux(Encoder& encoder, std::string_view name, base::Bytes value) {
  encoder.byte(kAux);
  encoder.string(name);
  encoder.string(value);
}

template <typename Number>
void write_aux(Encoder& encoder, std::string_view name, const std::optional<Number>& value) {
  if (value) write_aux(encoder, name, std::to_string(*value));
}

void write_info(const Info& info, Encoder& encoder) {
  write_aux(encoder, "redis-ver", info.redis_version);
  write_aux(encoder, "redis-bits", std::optional(info.bits));
  write_aux(encoder, "ctime", info.created_seconds);
  write_aux(encoder, "used-mem", info.used_memory_bytes);
  write_aux(encoder, "repl-stream-db", info.replication_database);
  if (!info.replication_id.empty()) write_aux(encoder, "repl-id", info.replication_id);
  write_aux(encoder, "repl-offset", info.replication_offset);
  write_aux(encoder, "aof-base", info.aof_base ? "1" : "0");
}

void write_key(const Entry& entry, Encoder& encoder) {
  if (encoder.failed()) return;
  if (const auto deadline = entry.deadline()) {
    encoder.byte(kExpireMilliseconds);
    encoder.little_endian_64(static_cast<uint64_t>(*deadline));
  }
  const ValueType& type = value_type(entry.type());
  encoder.byte(type.code(entry));
  encoder.string(entry.key());
  type.write(entry, encoder);
}

void write_database(const Database& database, size_t index, Encoder& encoder) {
  encoder.byte(kSelectDatabase);
  encoder.length(index);
  encoder.byte(kResizeDatabase);
  encoder.length(database.size());
  encoder.length(database.timed());
  database.entries().for_each([&](const Entry* entry) { write_key(*entry, encoder); });
}

}  // namespace

base::Result<void> write(const Keyspace& keyspace, const Info& info, Sink& sink,
                         const WriteOptions& options) {
  Encoder encoder(sink, options);
  encoder.raw(fmt::format("{}{:04}", kMagic, kVersionWritten));
  write_info(info, encoder);
  for (size_t i = 0; i < keyspace.count() && !encoder.failed(); ++i) {
    const Database& database = keyspace.at(static_cast<int>(i));
    if (!database.empty()) write_database(database, i, encoder);
  }
  encoder.byte(kEnd);
  return encoder.finish();
}

}  // namespace seatrial::kv::rdb
