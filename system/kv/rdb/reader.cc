#include "kv/rdb/reader.h"

#include "kv/rdb/decoder.h"
#include "kv/rdb/format.h"
#include "kv/rdb/types/type.h"
#include "os/mark.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace seatrial::kv::rdb {
namespace {

constexpr uint64_t kAuxBytesMax = uint64_t{512} * 1024 * 1024;
constexpr size_t kShownBytesMax = 64;

// A key for a message.
std::string shown(std::string_view key) {
  std::string text;
  for (const char c : key.substr(0, kShownBytesMax)) {
    const bool plain = c >= ' ' && c <= '~' && c != '\\' && c != '\'';
    text += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  }
  return fmt::format("'{}{}'", text, key.size() > kShownBytesMax ? "..." : "");
}

class Reading {
 public:
  Reading(Source& source, Keyspace& into, const ReadOptions& options)
      : decoder_(source), into_(into), options_(options) {}

  base::Result<Info> run();

 private:
  base::Result<void> header();
  base::Result<void> aux();
  base::Result<void> select();
  base::Result<void> resize();
  base::Result<void> key(uint8_t code, uint64_t begin);
  base::Result<void> checksum();
  // What stands before a key and belongs to it.
  base::Result<bool> attribute(uint8_t code);
  // An opcode between keys; false: it is the end.
  base::Result<bool> item();

  Decoder decoder_;
  Keyspace& into_;
  const ReadOptions& options_;
  Info info_{.redis_version = {}};
  int database_ = 0;
  std::optional<WallMs> deadline_;  // Of the next key.
  std::string key_;
  std::string word_;
};

base::Result<Info> Reading::run() {
  TRY(header());
  while (TRY(item())) {
  }
  TRY(checksum());
  return std::move(info_);
}

base::Result<void> Reading::header() {
  constexpr std::string_view kExpected = "the header 'REDIS' and a version of four digits";
  const std::string head(TRY(decoder_.raw(kMagic.size() + 4, kExpected)));
  if (!head.starts_with(kMagic)) {
    return Decoder::fail(0, fmt::format("expected {}: this is no RDB file", kExpected));
  }
  for (const char c : head.substr(kMagic.size())) {
    if (c < '0' || c > '9') {
      return Decoder::fail(kMagic.size(),
                           fmt::format("expected {}, found {}", kExpected, shown(head)));
    }
    info_.version = info_.version * 10 + (c - '0');
  }
  if (info_.version < 1 || info_.version > kVersionReadMax) {
    return Decoder::fail(kMagic.size(),
                         fmt::format("RDB version {} cannot be read, only 1 to {}: it was made by "
                                     "another version of the server",
                                     info_.version, kVersionReadMax));
  }
  return {};
}

base::Result<bool> Reading::item() {
  const uint64_t begin = decoder_.offset();
  const uint8_t code = TRY(decoder_.byte("a key, an opcode or the end"));
  if (TRY(attribute(code))) return true;
  if (deadline_ && code >= kFunction2) {
    return Decoder::fail(begin,
                         fmt::format("expected a key behind its deadline, found opcode {}", code));
  }
  switch (code) {
    case kEnd: return false;
    case kAux: TRY(aux()); return true;
    case kSelectDatabase: TRY(select()); return true;
    case kResizeDatabase: TRY(resize()); return true;
    case kModuleAux:
      return Decoder::fail(begin, "data of a module, which this server does not have");
    case kFunction:
    case kFunction2:
      return Decoder::fail(begin, "a library of functions, which this server does not have");
    default: break;
  }
  TRY(key(code, begin));
  return true;
}

base::Result<bool> Reading::attribute(uint8_t code) {
  switch (code) {
    case kExpireMilliseconds:
      deadline_ = TRY(decoder_.little_endian<int64_t>("a deadline in milliseconds"));
      return true;
    case kExpireSeconds:
      deadline_ = int64_t{1000} * TRY(decoder_.little_endian<int32_t>("a deadline in seconds"));
      return true;
    // How recently or how often it was used: for eviction.
    case kIdle: TRY(decoder_.length("an idle time")); return true;
    case kFrequency: TRY(decoder_.byte("a frequency of use")); return true;
    default: return false;
  }
}

base::Result<void> Reading::select() {
  const uint64_t begin = decoder_.offset();
  const uint64_t index = TRY(decoder_.length("the number of a database"));
  if (index >= into_.count()) {
    return Decoder::fail(begin, fmt::format("database {}, but the setting 'databases' allows only "
                                            "{}: raise it to load this",
                                            index, into_.count()));
  }
  database_ = static_cast<int>(index);
  return {};
}

// Only hints, and not to be believed: nothing is reserved for them.
base::Result<void> Reading::resize() {
  TRY(decoder_.length("a number of keys"));
  TRY(decoder_.length("a number of keys with a deadline"));
  return {};
}

base::Result<void> Reading::aux() {
  TRY(decoder_.string(word_, kAuxBytesMax, "the name of an aux field"));
  const std::string name = std::exchange(word_, {});
  TRY(decoder_.string(word_, kAuxBytesMax, "the value of an aux field"));
  const auto number = resp::parse_integer(word_);
  if (name == "redis-ver") {
    info_.redis_version = word_;
  } else if (name == "repl-id") {
    info_.replication_id = word_;
  } else if (name == "redis-bits" && number) {
    info_.bits = *number;
  } else if (name == "ctime") {
    info_.created_seconds = number;
  } else if (name == "used-mem" && number) {
    info_.used_memory_bytes = static_cast<uint64_t>(*number);
  } else if (name == "repl-stream-db") {
    info_.replication_database = number;
  } else if (name == "repl-offset") {
    info_.replication_offset = number;
  } else if (name == "aof-base" || name == "aof-preamble") {
    info_.aof_base = number == 1;
  }
  // Whoever wrote other fields has said that they may be skipped.
  return {};
}

base::Result<void> Reading::key(uint8_t code, uint64_t begin) {
  const ValueType* const type = find_value_type(code);
  const std::string_view known = type_name(code);
  if (type == nullptr && known.empty()) {
    return Decoder::fail(begin,
                         fmt::format("expected a value's type or an opcode, found byte {}", code));
  }
  TRY(decoder_.string(key_, Entry::kKeyMax, "a key"));
  if (type == nullptr) {
    return Decoder::fail(begin, fmt::format("the key {} of database {} has a value of type {} "
                                            "({}), which this server does not have",
                                            shown(key_), database_, code, known));
  }
  auto read =
      type->read(code, key_, std::exchange(deadline_, std::nullopt), into_.collections(), decoder_);
  if (!read) return base::fail(read.error().in(fmt::format("key {}", shown(key_))));
  ++info_.keys;
  if (options_.expire_at && Keyspace::expired(**read, *options_.expire_at)) {
    MARK("rdb: expired key left out");
    ++info_.keys_expired;
    return {};
  }
  Database& database = into_.at(database_);
  if (database.find(key_) != nullptr) {
    return Decoder::fail(
        begin, fmt::format("the key {} stands twice in database {}", shown(key_), database_));
  }
  database.insert(std::move(*read));
  return {};
}

base::Result<void> Reading::checksum() {
  if (info_.version < kVersionWithChecksum) return {};
  const uint64_t computed = decoder_.crc();
  const uint64_t begin = decoder_.offset();
  const uint64_t stored = TRY(decoder_.little_endian<uint64_t>("the checksum"));
  if (stored == computed || stored == 0) return {};
  return Decoder::fail(begin, fmt::format("the checksum is {:016x}, expected {:016x}: some byte "
                                          "before it is damaged",
                                          stored, computed));
}

}  // namespace

base::Result<Info> read(Source& source, Keyspace& into, const ReadOptions& options) {
  // On the heap: a fiber's stack is small.
  const auto reading = std::make_unique<Reading>(source, into, options);
  return reading->run();
}

}  // namespace seatrial::kv::rdb
