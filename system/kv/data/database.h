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
#include <span>
#include <string>
#include <string_view>
#include <utility>

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
  // Makes a string at least that long, with zeros at its end, and lets `write` change its bytes,
  // which it gets as a std::span<char>.
  template <typename Write>
  Entry* edit_text(Entry* entry, size_t bytes_min, Write write) {
    NumberText digits;
    const bool own = entry->encoding() == Encoding::kText;
    std::string copy(own ? std::string_view() : entry->text(digits));
    std::string& text = own ? entry->own_text() : copy;
    const size_t before = entry->bytes();
    if (text.size() < bytes_min) text.resize(bytes_min);
    write(std::span<char>(text));
    if (!own) return assign_text(entry, std::move(copy));
    entry_bytes_ += entry->bytes();
    entry_bytes_ -= before;
    return entry;
  }
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
  // Gives a string another value; the deadline stays.
  Entry* assign_text(Entry* entry, std::string text);
  // Puts `fresh` where `old` was, and frees `old`.
  Entry* replace(Entry* old, Entry::Owner fresh);

  Entries entries_;
  Entries timed_;
  size_t entry_bytes_ = 0;
};

}  // namespace seatrial::kv
