// The numbered databases, what expires in them, and who watches them. Everything that removes a
// key by its deadline happens here, and leaves a DEL among the effects.
#pragma once

#include "kv/data/database.h"
#include "kv/propagate/effect.h"
#include "kv/watch.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace seatrial::kv {

class Keyspace {
 public:
  // `now` of a caller for whom nothing has expired: while a log is replayed, which holds a DEL
  // for each key that did.
  static constexpr WallMs kNothingExpires = INT64_MIN;

  Keyspace(size_t databases, uint64_t hash_seed, Effects& effects);

  Database& at(int database) { return *databases_[static_cast<size_t>(database)]; }
  const Database& at(int database) const { return *databases_[static_cast<size_t>(database)]; }
  size_t count() const { return databases_.size(); }

  static bool expired(const Entry& entry, WallMs now) {
    const auto deadline = entry.deadline();
    return deadline && now > *deadline;
  }

  // The entry, if it is alive at `now`. An expired one is removed, or only hidden where that is
  // not for this server to decide.
  enum class Expired : uint8_t { kRemoved, kHidden };
  Entry* find(int database, std::string_view key, WallMs now,
              Expired expired_ones = Expired::kRemoved) {
    Entry* const entry = at(database).find(key);
    if (entry == nullptr || !entry->has_deadline() || !expired(*entry, now)) return entry;
    if (expired_ones == Expired::kRemoved) expire(database, key);
    return nullptr;
  }
  // Removes a key because its deadline has passed.
  void expire(int database, std::string_view key);
  bool erase(int database, std::string_view key);
  // As erase(), of a key that is there.
  Entry::Owner take(int database, std::string_view key);
  void flush(int database);
  // Puts the data of `fresh` in the place of this one's, which `fresh` then holds. Who watches a
  // key that is in either learns of it.
  void replace(Keyspace& fresh);
  // Makes this empty one, of as many databases, a deep copy of the data; nobody watches it.
  void copy_from(const Keyspace& other);
  // A key was written.
  void changed(int database, std::string_view key) { watches_.changed(database, key, true); }

  Watches& watches() { return watches_; }
  const CollectionSettings& collections() const { return collections_; }
  // For what is made, or grows, from now on.
  void configure(const CollectionSettings& collections) { collections_ = collections; }
  // A watched key has run into its deadline, but was not removed yet; or one that had, on a
  // replica, is there again, since the clock was set back.
  bool watched_expired(const Watcher& watcher, WallMs now);
  uint64_t expired_count() const { return expired_count_; }
  // Memory that entries and tables take.
  uint64_t bytes() const;
  uint64_t hash_seed() const { return collections_.seed; }

 private:
  std::vector<std::unique_ptr<Database>> databases_;
  Watches watches_;
  Effects& effects_;
  CollectionSettings collections_;
  uint64_t expired_count_ = 0;
};

}  // namespace seatrial::kv
