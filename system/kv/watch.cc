#include "kv/watch.h"

#include "base/check.h"
#include "os/mark.h"

#include <algorithm>

namespace seatrial::kv {

void Watches::watch(Watcher& watcher, int database, std::string_view key, bool missing_by_expiry) {
  for (const Watcher::Key& held : watcher.keys_) {
    if (held.database == database && held.name == key) return;
  }
  watcher.keys_.push_back({database, std::string(key), missing_by_expiry});
  watchers_[Place(database, key)].push_back(&watcher);
}

void Watches::unwatch(Watcher& watcher) {
  for (const Watcher::Key& key : watcher.keys_) {
    const auto found = watchers_.find(Place(key.database, key.name));
    CHECK(found != watchers_.end());
    const auto gone = std::ranges::find(found->second, &watcher);
    CHECK(gone != found->second.end());
    found->second.erase(gone);
    if (found->second.empty()) watchers_.erase(found);
  }
  watcher.keys_.clear();
  watcher.failed_ = false;
}

void Watches::fail_watchers(int database, std::string_view key, bool exists) {
  const auto found = watchers_.find(Place(database, key));
  if (found == watchers_.end()) return;
  for (Watcher* const watcher : found->second) {
    const auto held = std::ranges::find_if(watcher->keys_, [&](const Watcher::Key& k) {
      return k.database == database && k.name == key;
    });
    CHECK(held != watcher->keys_.end());
    if (held->missing_by_expiry && !exists) {
      MARK("watch: key expired before it was watched is removed");
      held->missing_by_expiry = false;
      continue;
    }
    watcher->failed_ = true;
  }
}

}  // namespace seatrial::kv
