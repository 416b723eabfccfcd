// Step 5: one numbered database: its entries, and which of them have a deadline. Pure data: it
// knows no time, so nothing expires here.
//
// Invariant: `timed_` holds exactly the entries of `entries_` that have a deadline, at the same
// addresses. Every change that moves an entry goes through here and returns its new address.
#pragma once

#include "base/random.h"
#include "kv/data/dict.h"
#include "kv/data/entry.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace seatrial::kv {

class Database {
 public:
  using Entries = Dict<Entry, EntryKey>;

  explicit Database(uint64_t seed) : entries_(seed), timed_(seed) {}
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Entry* find(std::string_view key) {
    Entry** const slot = entries_.find(key);
    return slot == nullptr ? nullptr : *slot;
  }
  // A string under a key that is not there.
  Entry* insert(std::string_view key, std::string_view value, std::optional<WallMs> deadline);
  Entry* insert(Entry::Owner entry);
  // Gives an existing key a new string value and this deadline.
  Entry* assign(Entry* entry, std::string_view value, std::optional<WallMs> deadline);
  // Makes the value of an existing string an integer; the deadline stays.
  Entry* assign_integer(Entry* entry, int64_t value);
  // Appends to a string.
  Entry* append(Entry* entry, std::string_view tail);
  // Lets `edit` change a collection, and keeps account of the memory.
  template <typename Edit>
  void edit(Entry* entry, Edit edit) {
    entry_bytes_ -= entry->bytes();
    edit();
    entry_bytes_ += entry->bytes();
  }
  Entry* set_deadline(Entry* entry, std::optional<WallMs> deadline);
  // nullptr: it was not there.
  Entry::Owner take(std::string_view key);
  // False: it was not there.
  bool erase(std::string_view key);
  void clear();
  // Makes this empty one a deep copy.
  void copy_from(const Database& other);

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  size_t timed() const { return timed_.size(); }
  const Entries& entries() const { return entries_; }
  const Entries& timed_entries() const { return timed_; }
  // Goes on with resizing for a while; false: nothing was left to do.
  bool advance_resizing(size_t buckets);
  // Of the tables, without the entries.
  size_t table_bytes() const { return entries_.bytes() + timed_.bytes(); }
  size_t entry_bytes() const { return entry_bytes_; }

 private:
  // Puts `fresh` where `old` was, and frees `old`.
  Entry* replace(Entry* old, Entry::Owner fresh);

  Entries entries_;
  Entries timed_;
  size_t entry_bytes_ = 0;
};

}  // namespace seatrial::kv
