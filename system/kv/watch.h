// Which sessions watch which keys, for WATCH and EXEC.
//
// A watch fails when its key is changed, removed, flushed or expires after WATCH; a key that was
// past its deadline at WATCH already counts as missing, so its removal alone changes nothing.
// Invariant: a watcher is listed under each key that it holds, once, and under no other.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seatrial::kv {

class Watcher {
 public:
  struct Key {
    int database;
    std::string name;
    bool missing_by_expiry;  // It was past its deadline when the watch began, and is still there.
  };

  const std::vector<Key>& keys() const { return keys_; }
  // A watched key has changed.
  bool failed() const { return failed_; }

 private:
  friend class Watches;
  std::vector<Key> keys_;
  bool failed_ = false;
};

class Watches {
 public:
  void watch(Watcher& watcher, int database, std::string_view key, bool missing_by_expiry);
  // Forgets its keys and whether one of them has changed.
  void unwatch(Watcher& watcher);

  // `exists`: after the change.
  void changed(int database, std::string_view key, bool exists) {
    if (!watchers_.empty()) [[unlikely]]
      fail_watchers(database, key, exists);
  }
  // All keys of the database are about to go; `exists(key)`: it is there, expired or not.
  template <typename Exists>
  void flushing(int database, Exists exists) {
    for (const auto& [place, watchers] : watchers_) {
      if (place.first == database && exists(place.second)) {
        fail_watchers(database, place.second, false);
      }
    }
  }
  // All data of the database is about to be replaced: whether a key is there now, and then.
  template <typename Leaving, typename Entering>
  void replacing(int database, Leaving leaving, Entering entering) {
    for (const auto& [place, watchers] : watchers_) {
      if (place.first != database) continue;
      const bool enters = entering(place.second);
      if (enters || leaving(place.second)) fail_watchers(database, place.second, enters);
    }
  }
  size_t keys() const { return watchers_.size(); }

 private:
  using Place = std::pair<int, std::string>;

  void fail_watchers(int database, std::string_view key, bool exists);

  std::map<Place, std::vector<Watcher*>> watchers_;
};

}  // namespace seatrial::kv
