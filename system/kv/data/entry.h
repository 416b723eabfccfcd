// A key with its value and deadline, in one block of memory where the value allows it:
//
//   head (8 bytes) | deadline (8, if any) | body | key bytes | embedded value bytes
//
// The body is an integer, a pointer to a value of its own, or one byte: the length of a short
// string that follows the key. An entry therefore moves when it gains or loses a deadline or
// changes its encoding; Database owns all entries and puts the new address where the old one was.
#pragma once

#include "kv/data/collection.h"
#include "kv/data/types.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace seatrial::kv {

enum class Encoding : uint8_t {
  kInteger,   // A string that is a 64-bit number in its shortest form.
  kEmbedded,  // A short string.
  kText,      // A string of its own.
  kOwn,       // A collection, which has encodings of its own.
};

class Entry {
 public:
  struct Free {
    void operator()(Entry* entry) const { destroy(entry); }
  };
  using Owner = std::unique_ptr<Entry, Free>;

  // A string in the encoding that fits it best.
  static Owner make_string(std::string_view key, std::string_view value,
                           std::optional<WallMs> deadline);
  // A string longer than kEmbeddedMax, whose bytes it takes.
  static Owner make_text(std::string_view key, std::string value, std::optional<WallMs> deadline);
  static Owner make_integer(std::string_view key, int64_t value, std::optional<WallMs> deadline);
  static Owner make_collection(std::string_view key, std::unique_ptr<Collection> value,
                               std::optional<WallMs> deadline);
  static void destroy(Entry* entry);
  // Shares nothing with the original.
  static Owner copy(const Entry& entry);

  // The same value and deadline under another key; consumes `entry`.
  static Owner with_key(Owner entry, std::string_view key);
  // The same key and value with another deadline, or none; consumes `entry`.
  static Owner with_deadline(Owner entry, std::optional<WallMs> deadline);

  std::string_view key() const { return {key_bytes(), key_length_}; }
  Type type() const { return static_cast<Type>(type_); }
  Encoding encoding() const { return static_cast<Encoding>(encoding_); }
  std::optional<WallMs> deadline() const {
    if (!has_deadline_) return std::nullopt;
    return read<int64_t>(kHeadBytes);
  }
  bool has_deadline() const { return has_deadline_; }
  // Of an entry that has one already.
  void set_deadline(WallMs deadline);

  // Strings only. The view is good until the entry changes or `digits` goes.
  std::string_view text(NumberText& digits) const;
  size_t text_length() const;
  // kInteger only.
  int64_t integer() const;
  void set_integer(int64_t value);
  // kText only.
  std::string& own_text();
  // kOwn only.
  Collection& collection() { return *read<Collection*>(body_offset()); }
  const Collection& collection() const { return *read<Collection*>(body_offset()); }

  // Overwrites the value where the block has the shape and room for it already; false: it has
  // not, nothing was changed.
  bool assign_in_place(std::string_view value);

  // Memory that it takes, as allocated.
  size_t bytes() const;

  static constexpr size_t kEmbeddedMax = 128;
  static constexpr size_t kKeyMax = (size_t{1} << 30) - 1;

 private:
  static constexpr size_t kHeadBytes = 8;

  struct Shape {
    Encoding encoding;
    bool has_deadline;
    size_t key_length;
    size_t value_length;  // kEmbedded only.
    size_t block_bytes() const;
  };

  Entry() = default;
  // `key` may be the entry's own bytes.
  static Owner move_to(Owner entry, std::string_view key, std::optional<WallMs> deadline);
  static Owner allocate(const Shape& shape, std::string_view key, std::optional<WallMs> deadline);
  static size_t body_bytes(Encoding encoding) { return encoding == Encoding::kEmbedded ? 1 : 8; }
  Shape shape() const;

  size_t body_offset() const { return kHeadBytes + (has_deadline_ ? 8 : 0); }
  char* at(size_t offset) { return reinterpret_cast<char*>(this) + offset; }
  const char* at(size_t offset) const { return reinterpret_cast<const char*>(this) + offset; }
  template <typename T>
  T read(size_t offset) const {
    T value;
    __builtin_memcpy(&value, at(offset), sizeof value);
    return value;
  }
  template <typename T>
  void write(size_t offset, T value) {
    __builtin_memcpy(at(offset), &value, sizeof value);
  }
  const char* key_bytes() const { return at(body_offset() + body_bytes(encoding())); }
  char* key_bytes() { return at(body_offset() + body_bytes(encoding())); }

  uint32_t type_ : 4;
  uint32_t encoding_ : 4;
  uint32_t access_ : 24;  // When, or how often, it was used: for eviction.
  uint32_t key_length_ : 30;
  uint32_t has_deadline_ : 1;
  uint32_t spare_ : 1;
};
static_assert(sizeof(Entry) == 8);

struct EntryKey {
  std::string_view operator()(const Entry& entry) const { return entry.key(); }
};

}  // namespace seatrial::kv
