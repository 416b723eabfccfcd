// RDBs in memory: a sink and a source over strings, and keyspaces as text to compare.
#pragma once

#include "kv/data/canonical.h"
#include "kv/data/hash_value.h"
#include "kv/data/set_value.h"
#include "kv/keyspace.h"
#include "kv/rdb/reader.h"
#include "kv/rdb/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace seatrial::kv::rdb {

class MemorySink final : public Sink {
 public:
  base::Result<void> put(base::Bytes piece) override {
    if (bytes.size() + piece.size() > bytes_max) return base::fail(base::Errc::kNoSpace);
    bytes += piece;
    return {};
  }
  std::string bytes;
  size_t bytes_max = SIZE_MAX;
};

// Gives at most `step` bytes at a time.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string bytes, size_t step = SIZE_MAX)
      : bytes_(std::move(bytes)), step_(step) {}

 private:
  base::Result<size_t> read(base::MutableBytes into) override {
    const size_t count = std::min({into.size(), step_, bytes_.size() - position_});
    bytes_.copy(into.data(), count, position_);
    position_ += count;
    return count;
  }

  std::string bytes_;
  size_t step_;
  size_t position_ = 0;
};

struct Data {
  Data() : keyspace(16, 1, effects) {}

  void set(int database, std::string_view key, std::string_view value,
           std::optional<WallMs> deadline = std::nullopt) {
    Entry* const entry = keyspace.at(database).find(key);
    if (entry == nullptr) {
      keyspace.at(database).insert(key, value, deadline);
    } else {
      keyspace.at(database).assign(entry, value, deadline);
    }
  }

  void set_field(int database, std::string_view key, std::string_view name,
                 std::string_view value) {
    Database& into = keyspace.at(database);
    Entry* entry = into.find(key);
    if (entry == nullptr) {
      entry =
          into.insert(Entry::make_collection(key, std::make_unique<HashValue>(1), std::nullopt));
    }
    into.edit(entry, [&] {
      static_cast<HashValue&>(entry->collection()).set(name, value, keyspace.collections().hash);
    });
  }

  void add_member(int database, std::string_view key, std::string_view member) {
    Database& into = keyspace.at(database);
    Entry* entry = into.find(key);
    if (entry == nullptr) {
      entry = into.insert(Entry::make_collection(key, std::make_unique<SetValue>(1), std::nullopt));
    }
    into.edit(entry, [&] {
      static_cast<SetValue&>(entry->collection())
          .add(member, keyspace.collections().set_numbers_max);
    });
  }

  Effects effects;
  Keyspace keyspace;
};

// "database key" to "value deadline".
inline std::map<std::string, std::string> contents(const Keyspace& keyspace) {
  std::map<std::string, std::string> all;
  for (size_t i = 0; i < keyspace.count(); ++i) {
    keyspace.at(static_cast<int>(i)).entries().for_each([&](const Entry* entry) {
      const auto deadline = entry->deadline();
      all[fmt::format("{} {}", i, entry->key())] =
          fmt::format("{} {}", canonical_text(*entry), deadline ? std::to_string(*deadline) : "-");
    });
  }
  return all;
}

inline std::string written(const Keyspace& keyspace, const Info& info = {},
                           const WriteOptions& options = {}) {
  MemorySink sink;
  const auto outcome = write(keyspace, info, sink, options);
  return outcome ? sink.bytes : "failed: " + outcome.error().message();
}

// The error of reading it, or "".
inline std::string problem(const std::string& bytes, Data& into, const ReadOptions& options = {}) {
  MemorySource source(bytes);
  const auto outcome = read(source, into.keyspace, options);
  return outcome ? "" : outcome.error().message();
}
inline std::string problem(const std::string& bytes) {
  Data data;
  return problem(bytes, data);
}

}  // namespace seatrial::kv::rdb
