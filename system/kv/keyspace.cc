#include "kv/keyspace.h"

#include "base/check.h"
#include "os/mark.h"

#include <string>

namespace seatrial::kv {

Keyspace::Keyspace(size_t databases, uint64_t hash_seed, Effects& effects)
    : effects_(effects), collections_{.seed = hash_seed} {
  for (size_t i = 0; i < databases; ++i) {
    databases_.push_back(std::make_unique<Database>(hash_seed));
  }
}

void Keyspace::expire(int database, std::string_view key) {
  // `key` may be the entry's own bytes, which go with it.
  const std::string name(key);
  CHECK(at(database).erase(name));
  ++expired_count_;
  watches_.changed(database, name, false);
  effects_.record(database, {"DEL", name});
}

bool Keyspace::erase(int database, std::string_view key) {
  if (!at(database).erase(key)) return false;
  watches_.changed(database, key, false);
  return true;
}

Entry::Owner Keyspace::take(int database, std::string_view key) {
  Entry::Owner entry = at(database).take(key);
  CHECK(entry != nullptr);
  watches_.changed(database, key, false);
  return entry;
}

void Keyspace::flush(int database) {
  Database& emptied = at(database);
  watches_.flushing(database, [&](const std::string& key) { return emptied.find(key) != nullptr; });
  emptied.clear();
}

void Keyspace::replace(Keyspace& fresh) {
  CHECK(fresh.count() == count());
  for (size_t i = 0; i < count(); ++i) {
    const int database = static_cast<int>(i);
    Database& entering = fresh.at(database);
    Database& leaving = at(database);
    watches_.replacing(
        database, [&](const std::string& key) { return leaving.find(key) != nullptr; },
        [&](const std::string& key) { return entering.find(key) != nullptr; });
  }
  databases_.swap(fresh.databases_);
}

void Keyspace::copy_from(const Keyspace& other) {
  CHECK(count() == other.count());
  for (size_t i = 0; i < count(); ++i) databases_[i]->copy_from(*other.databases_[i]);
}

uint64_t Keyspace::bytes() const {
  uint64_t bytes = 0;
  for (const auto& database : databases_)
    bytes += database->entry_bytes() + database->table_bytes();
  return bytes;
}

bool Keyspace::watched_expired(const Watcher& watcher, WallMs now) {
  for (const Watcher::Key& key : watcher.keys()) {
    const Entry* const entry = at(key.database).find(key.name);
    if (entry == nullptr) continue;
    if (key.missing_by_expiry) {
      if (expired(*entry, now)) continue;
      MARK("watch: the clock was set back, an expired key is there again");
      return true;
    }
    if (expired(*entry, now)) {
      MARK("watch: expired key aborts exec");
      return true;
    }
  }
  return false;
}

}  // namespace seatrial::kv
