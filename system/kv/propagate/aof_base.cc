#include "kv/propagate/aof_base.h"

#include "base/check.h"
#include "kv/data/hash_value.h"
#include "kv/data/set_value.h"
#include "kv/propagate/aof_format.h"
#include "kv/propagate/unit.h"
#include "kv/rdb/writer.h"
#include "resp/writer.h"

#include <array>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

constexpr size_t kBatchBytes = 64 * 1024;
constexpr uint64_t kSyncEveryBytes = 4 * 1024 * 1024;

// Writes to a file from its beginning, and syncs now and then, so that the sync at the end does
// not find everything unwritten.
class BaseSink final : public rdb::Sink {
 public:
  BaseSink(os::File& file, bool incremental_sync)
      : file_(file), incremental_sync_(incremental_sync) {}

  base::Result<void> put(base::Bytes bytes) override {
    TRY(os::pwrite_all(file_, size_, bytes));
    size_ += bytes.size();
    if (incremental_sync_ && size_ - synced_ >= kSyncEveryBytes) TRY(sync());
    return {};
  }
  base::Result<void> sync() {
    TRY(file_.sync_data());
    synced_ = size_;
    return {};
  }
  uint64_t size() const { return size_; }
  uint64_t synced() const { return synced_; }

 private:
  os::File& file_;
  const bool incremental_sync_;
  uint64_t size_ = 0;
  uint64_t synced_ = 0;
};

// Commands that make the data anew, batch by batch. Errors are sticky, as the walk through a
// database cannot be left.
class CommandBase {
 public:
  explicit CommandBase(BaseSink& sink) : sink_(sink) {}

  base::Result<void> write(const Keyspace& keyspace) {
    put_batch();
    for (size_t i = 0; i < keyspace.count(); ++i) {
      const Database& database = keyspace.at(static_cast<int>(i));
      if (database.empty()) continue;
      batch_.raw(select_command(static_cast<int>(i)));
      database.entries().for_each([this](const Entry* entry) { write_entry(*entry); });
    }
    if (batch_.size() > 0) put_batch();
    TRY(std::move(outcome_));
    // The line that ends a finished file; it may claim only what is on disk.
    TRY(sink_.sync());
    put_batch();
    TRY(std::move(outcome_));
    return sink_.sync();
  }

 private:
  void write_entry(const Entry& entry) {
    if (!outcome_) return;
    write_value(entry);
    if (const auto deadline = entry.deadline()) {
      request({"PEXPIREAT", entry.key(), std::to_string(*deadline)});
    }
    if (batch_.size() >= kBatchBytes) put_batch();
  }

  void write_value(const Entry& entry) {
    switch (entry.type()) {
      case Type::kString: {
        NumberText digits;
        return request({"SET", entry.key(), entry.text(digits)});
      }
      case Type::kHash:
        static_cast<const HashValue&>(entry.collection())
            .for_each([&](std::string_view name, std::string_view value) {
              gather("HSET", entry.key(), {name, value});
            });
        return put_gathered();
      case Type::kSet:
        static_cast<const SetValue&>(entry.collection()).for_each([&](std::string_view member) {
          gather("SADD", entry.key(), {member});
        });
        return put_gathered();
      case Type::kList:
      case Type::kZSet:
      case Type::kStream: break;
    }
    UNREACHABLE("no commands for type {}", to_string(entry.type()));
  }

  // Elements of a collection, many to a command. Views into compact ones do not last.
  void gather(std::string_view command, std::string_view key,
              std::initializer_list<std::string_view> words) {
    if (gathered_.empty()) gathered_ = {std::string(command), std::string(key)};
    gathered_.insert(gathered_.end(), words.begin(), words.end());
    if (gathered_.size() >= kWordsMax) put_gathered();
  }
  void put_gathered() {
    if (!gathered_.empty()) batch_.request(gathered_);
    gathered_.clear();
    if (batch_.size() >= kBatchBytes) put_batch();
  }

  void request(const std::array<std::string_view, 3>& words) { batch_.request(words); }

  void put_batch() {
    if (!outcome_) return;
    const std::string line = make_annotation(batch_.bytes(), sink_.size(), sink_.synced());
    batch_.raw(line);
    outcome_ = sink_.put(batch_.bytes());
    batch_.clear();
  }

  static constexpr size_t kWordsMax = 128;  // Of one command.

  BaseSink& sink_;
  resp::Writer batch_;
  std::vector<std::string> gathered_;
  base::Result<void> outcome_;
};

}  // namespace

base::Result<void> write_base(os::Disk& disk, const std::string& path, const Keyspace& keyspace,
                              rdb::Info info, const BaseOptions& options) {
  const auto file = TRY(disk.open(path, os::kReplace));
  BaseSink sink(*file, options.incremental_sync);
  if (!options.rdb) return CommandBase(sink).write(keyspace);
  info.aof_base = true;
  TRY(rdb::write(keyspace, info, sink, options.rdb_options));
  return sink.sync();
}

}  // namespace seatrial::kv
