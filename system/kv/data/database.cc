#include "kv/data/database.h"

#include "base/check.h"

#include <string>
#include <utility>

namespace seatrial::kv {

Database::~Database() {
  entries_.for_each([](Entry* entry) { Entry::destroy(entry); });
}

Entry* Database::insert(std::string_view key, std::string_view value,
                        std::optional<WallMs> deadline) {
  return insert(Entry::make_string(key, value, deadline));
}

Entry* Database::insert(Entry::Owner owner) {
  Entry* const entry = owner.release();
  entries_.insert(entry);
  if (entry->has_deadline()) timed_.insert(entry);
  entry_bytes_ += entry->bytes();
  return entry;
}

Entry* Database::replace(Entry* old, Entry::Owner owner) {
  Entry* const fresh = owner.release();
  Entry** const slot = entries_.find(old->key());
  CHECK(slot != nullptr && *slot == old);
  *slot = fresh;
  if (old->has_deadline() && fresh->has_deadline()) {
    Entry** const timed_slot = timed_.find(old->key());
    CHECK(timed_slot != nullptr && *timed_slot == old);
    *timed_slot = fresh;
  } else if (old->has_deadline()) {
    CHECK(timed_.take(old->key()) == old);
  } else if (fresh->has_deadline()) {
    timed_.insert(fresh);
  }
  entry_bytes_ += fresh->bytes();
  entry_bytes_ -= old->bytes();
  Entry::destroy(old);
  return fresh;
}

Entry* Database::assign(Entry* entry, std::string_view value, std::optional<WallMs> deadline) {
  const size_t before = entry->bytes();
  if (entry->has_deadline() == deadline.has_value() && entry->assign_in_place(value)) {
    if (deadline) entry->set_deadline(*deadline);
    entry_bytes_ += entry->bytes();
    entry_bytes_ -= before;
    return entry;
  }
  return replace(entry, Entry::make_string(entry->key(), value, deadline));
}

Entry* Database::assign_integer(Entry* entry, int64_t value) {
  if (entry->encoding() == Encoding::kInteger) {
    entry->set_integer(value);
    return entry;
  }
  return replace(entry, Entry::make_integer(entry->key(), value, entry->deadline()));
}

Entry* Database::append(Entry* entry, std::string_view tail) {
  if (entry->encoding() == Encoding::kText) {
    const size_t before = entry->bytes();
    entry->own_text().append(tail);
    entry_bytes_ += entry->bytes();
    entry_bytes_ -= before;
    return entry;
  }
  NumberText digits;
  std::string joined(entry->text(digits));
  joined.append(tail);
  return assign(entry, joined, entry->deadline());
}

Entry* Database::assign_text(Entry* entry, std::string text) {
  if (text.size() <= Entry::kEmbeddedMax) return assign(entry, text, entry->deadline());
  return replace(entry, Entry::make_text(entry->key(), std::move(text), entry->deadline()));
}

Entry* Database::set_deadline(Entry* entry, std::optional<WallMs> deadline) {
  if (!entry->has_deadline() && !deadline) return entry;
  if (entry->has_deadline() && deadline) {
    entry->set_deadline(*deadline);
    return entry;
  }
  Entry** const slot = entries_.find(entry->key());
  CHECK(slot != nullptr && *slot == entry);
  if (entry->has_deadline()) CHECK(timed_.take(entry->key()) == entry);
  entry_bytes_ -= entry->bytes();
  Entry* const moved = Entry::with_deadline(Entry::Owner(entry), deadline).release();
  entry_bytes_ += moved->bytes();
  *slot = moved;
  if (deadline) timed_.insert(moved);
  return moved;
}

Entry::Owner Database::take(std::string_view key) {
  Entry::Owner entry(entries_.take(key));
  if (entry == nullptr) return entry;
  if (entry->has_deadline()) CHECK(timed_.take(key) == entry.get());
  entry_bytes_ -= entry->bytes();
  return entry;
}

bool Database::erase(std::string_view key) { return take(key) != nullptr; }

void Database::clear() {
  entries_.for_each([](Entry* entry) { Entry::destroy(entry); });
  entries_.clear();
  timed_.clear();
  entry_bytes_ = 0;
}

void Database::copy_from(const Database& other) {
  CHECK(empty());
  other.entries().for_each([&](const Entry* entry) { insert(Entry::copy(*entry)); });
}

bool Database::advance_resizing(size_t buckets) {
  const bool entries_left = entries_.advance(buckets);
  const bool timed_left = timed_.advance(buckets);
  return entries_left || timed_left;
}

}  // namespace seatrial::kv
