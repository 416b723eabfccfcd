// Step 5: the hash table under every keyspace. Holds pointers to items that carry their own key.
//
// A bucket is one cache line: seven slots and one byte of each item's hash, so a look-up touches
// the bucket and then, but for one in 256, only the item it wants. A full bucket gives up its last
// slot for a link to another bucket. Growing and shrinking are incremental: a second table is
// filled bucket by bucket, one at each operation, so no single one takes long.
//
// Invariants: an item is in exactly one slot of one table; while resizing, buckets of the old
// table below `moved_` are empty. The order of items depends on the seed and on nothing else that
// differs between runs.
#pragma once

#include "base/check.h"
#include "base/random.h"
#include "kv/data/hash.h"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace seatrial::kv {

// KeyOf: std::string_view operator()(const Item&).
template <typename Item, typename KeyOf>
class Dict {
 public:
  explicit Dict(uint64_t seed) : seed_(seed) {}
  ~Dict() {
    tables_[0].release();
    tables_[1].release();
  }
  Dict(const Dict&) = delete;
  Dict& operator=(const Dict&) = delete;

  size_t size() const { return tables_[0].size + tables_[1].size; }
  bool empty() const { return size() == 0; }
  bool resizing() const { return tables_[1].buckets != nullptr; }
  // Of the tables, without the items.
  size_t bytes() const { return tables_[0].bytes() + tables_[1].bytes(); }

  // The slot that holds the item of `key`; whoever replaces the item keeps its key.
  Item** find(std::string_view key) {
    if (empty()) return nullptr;
    step();
    const uint64_t hash = hash_bytes(key, seed_);
    for (Table& table : tables_) {
      if (table.size == 0) continue;  // Most often the second one.
      const Position at = find_in(table, key, hash);
      if (at.bucket != nullptr) return &at.bucket->slots[at.slot];
    }
    return nullptr;
  }

  // As find(), but leaves a resize under way where it is.
  const Item* peek(std::string_view key) const {
    const uint64_t hash = hash_bytes(key, seed_);
    for (const Table& table : tables_) {
      if (table.size == 0) continue;
      const Position at = find_in(table, key, hash);
      if (at.bucket != nullptr) return at.bucket->slots[at.slot];
    }
    return nullptr;
  }

  // Hints for a find() that will come: first all buckets, then all items.
  uint64_t hash(std::string_view key) const { return hash_bytes(key, seed_); }
  void prefetch_bucket(uint64_t hash) const {
    for (const Table& table : tables_) {
      if (table.size > 0) __builtin_prefetch(&table.buckets[hash & (table.count - 1)]);
    }
  }
  void prefetch_items(uint64_t hash) const {
    for (const Table& table : tables_) {
      if (table.size == 0) continue;
      const Bucket& bucket = table.buckets[hash & (table.count - 1)];
      for (unsigned bits = candidates(bucket, tag_of(hash)); bits != 0; bits &= bits - 1) {
        __builtin_prefetch(bucket.slots[std::countr_zero(bits)]);
      }
    }
  }

  // The caller has made sure that the key is not there.
  void insert(Item* item) {
    grow_if_full();
    step();
    Table& table = tables_[resizing() ? 1 : 0];
    put(table, item, hash_bytes(KeyOf{}(*item), seed_));
  }

  // Takes the item out; nullptr: not there.
  Item* take(std::string_view key) {
    if (empty()) return nullptr;
    step();
    const uint64_t hash = hash_bytes(key, seed_);
    for (Table& table : tables_) {
      if (table.size == 0) continue;
      const Position at = find_in(table, key, hash);
      if (at.bucket == nullptr) continue;
      Item* const item = at.bucket->slots[at.slot];
      remove(table, at, hash);
      shrink_if_sparse();
      return item;
    }
    return nullptr;
  }

  // Forgets all items; they are the caller's to free.
  void clear() {
    tables_[0].release();
    tables_[1].release();
  }

  // Visits every item; `visit` must not change the dict.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Table& table : tables_) {
      for (size_t i = 0; i < table.count; ++i) visit_chain(table.buckets[i], visit);
    }
  }

  // Visits the items of a few buckets and returns where to go on; 0: all round. Items that stay
  // in the dict from one return of 0 to the next are visited at least once, also when it is
  // resized in between. `visit` must not change the dict. (The cursor counts in reverse-bit
  // order, Pieter Noordhuis' scheme, so that a table of twice the size continues it.)
  template <typename Visit>
  uint64_t scan(uint64_t cursor, Visit visit) const {
    if (empty()) return 0;
    const Table* small = &tables_[0];
    if (!resizing()) {
      visit_chain(small->buckets[cursor & (small->count - 1)], visit);
      return next_cursor(cursor, small->count - 1);
    }
    const Table* large = &tables_[1];
    if (small->count > large->count) std::swap(small, large);
    const uint64_t small_mask = small->count - 1;
    const uint64_t large_mask = large->count - 1;
    visit_chain(small->buckets[cursor & small_mask], visit);
    do {
      visit_chain(large->buckets[cursor & large_mask], visit);
      cursor = next_cursor(cursor, large_mask);
    } while ((cursor & (small_mask ^ large_mask)) != 0);
    return cursor;
  }

  // Some item: a random place, then the first item from there on. Near enough to uniform for
  // sampling. The dict is not empty.
  Item* sample(base::RandomStream& random) const {
    CHECK(!empty());
    const size_t total = tables_[0].count + tables_[1].count;
    size_t index = random.below(total);
    while (true) {
      const bool first = index < tables_[0].count;
      const Bucket& bucket =
          first ? tables_[0].buckets[index] : tables_[1].buckets[index - tables_[0].count];
      Item* found[kSampleMax];
      size_t count = 0;
      auto collect = [&](Item* item) {
        if (count < kSampleMax) found[count++] = item;
      };
      visit_chain(bucket, collect);
      if (count > 0) return found[random.below(count)];
      index = index + 1 == total ? 0 : index + 1;
    }
  }

  // Moves up to `buckets` buckets of a resize under way; false: there is nothing to do.
  bool advance(size_t buckets) {
    for (; buckets > 0 && resizing(); --buckets) step();
    return resizing();
  }

 private:
  static constexpr size_t kSlots = 7;
  static constexpr uint8_t kLinked = 0x80;  // In `present`: the last slot is a link.
  static constexpr size_t kSampleMax = 32;

  struct alignas(64) Bucket {
    uint8_t present;  // One bit a slot.
    uint8_t tags[kSlots];
    Item* slots[kSlots];

    bool linked() const { return (present & kLinked) != 0; }
    Bucket* link() const { return reinterpret_cast<Bucket*>(slots[kSlots - 1]); }
    void set_link(Bucket* next) {
      slots[kSlots - 1] = reinterpret_cast<Item*>(next);
      present |= kLinked;
    }
    // One bit for each slot that may hold an item.
    uint8_t usable() const { return linked() ? 0x3f : 0x7f; }
  };
  static_assert(sizeof(Bucket) == 64);
  static_assert(std::endian::native == std::endian::little);

  struct Position {
    Bucket* bucket;
    unsigned slot;
  };

  struct Table {
    Bucket* buckets = nullptr;
    void* memory = nullptr;
    size_t count = 0;  // A power of two.
    size_t links = 0;
    size_t size = 0;

    // calloc: a large table comes as untouched pages, not zeroed here and now.
    void allocate(size_t bucket_count) {
      CHECK(std::has_single_bit(bucket_count));
      memory = std::calloc(bucket_count + 1, sizeof(Bucket));
      CHECK(memory != nullptr);
      const auto address = reinterpret_cast<uintptr_t>(memory);
      buckets = reinterpret_cast<Bucket*>((address + 63) & ~uintptr_t{63});
      count = bucket_count;
    }
    void release() {
      for (size_t i = 0; links > 0 && i < count; ++i) release_links(buckets[i]);
      std::free(memory);
      *this = Table();
    }
    void release_links(Bucket& bucket) {
      if (!bucket.linked()) return;
      Bucket* next = bucket.link();
      while (next != nullptr) {
        Bucket* const after = next->linked() ? next->link() : nullptr;
        delete next;
        --links;
        next = after;
      }
    }
    size_t bytes() const { return (count + links) * sizeof(Bucket); }
  };

  static uint8_t tag_of(uint64_t hash) { return static_cast<uint8_t>(hash >> 56); }

  // One bit for each slot of `bucket` with this tag and an item.
  static unsigned candidates(const Bucket& bucket, uint8_t tag) {
    uint64_t word;
    std::memcpy(&word, &bucket, sizeof word);
    constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7fU;
    const uint64_t x = word ^ (0x0101010101010101U * tag);
    // The high bit of each byte that is zero, and of no other.
    const uint64_t zero = ~(((x & kLow) + kLow) | x | kLow);
    // Gathers the high bits of bytes 1 to 7 into bits 0 to 6.
    const auto bits = static_cast<unsigned>((((zero >> 15) * 0x0000040810204081U) >> 42) & 0x7f);
    return bits & bucket.present & bucket.usable();
  }

  static Position find_in(const Table& table, std::string_view key, uint64_t hash) {
    Bucket* bucket = &table.buckets[hash & (table.count - 1)];
    const uint8_t tag = tag_of(hash);
    while (true) {
      for (unsigned bits = candidates(*bucket, tag); bits != 0; bits &= bits - 1) {
        const auto slot = static_cast<unsigned>(std::countr_zero(bits));
        if (KeyOf{}(*bucket->slots[slot]) == key) return {bucket, slot};
      }
      if (!bucket->linked()) return {nullptr, 0};
      bucket = bucket->link();
    }
  }

  static void put(Table& table, Item* item, uint64_t hash) {
    Bucket* bucket = &table.buckets[hash & (table.count - 1)];
    while (true) {
      const unsigned vacant = ~unsigned{bucket->present} & bucket->usable();
      if (vacant != 0) {
        const auto slot = static_cast<unsigned>(std::countr_zero(vacant));
        bucket->slots[slot] = item;
        bucket->tags[slot] = tag_of(hash);
        bucket->present |= static_cast<uint8_t>(1U << slot);
        ++table.size;
        return;
      }
      if (!bucket->linked()) add_link(table, *bucket);
      bucket = bucket->link();
    }
  }

  static void add_link(Table& table, Bucket& bucket) {
    auto* const next = new Bucket();
    next->slots[0] = bucket.slots[kSlots - 1];
    next->tags[0] = bucket.tags[kSlots - 1];
    next->present = 1;
    bucket.present &= 0x3f;
    bucket.set_link(next);
    ++table.links;
  }

  // Empties the slot; a linked bucket without items is unlinked.
  static void remove(Table& table, Position at, uint64_t hash) {
    at.bucket->present &= static_cast<uint8_t>(~(1U << at.slot));
    --table.size;
    Bucket* before = &table.buckets[hash & (table.count - 1)];
    if (at.bucket == before || (at.bucket->present & 0x7f) != 0) return;
    while (before->link() != at.bucket) before = before->link();
    if (at.bucket->linked()) {
      before->set_link(at.bucket->link());
    } else {
      before->present &= 0x3f;
    }
    delete at.bucket;
    --table.links;
  }

  template <typename Visit>
  static void visit_chain(const Bucket& first, Visit& visit) {
    for (const Bucket* bucket = &first;; bucket = bucket->link()) {
      for (unsigned bits = bucket->present & bucket->usable(); bits != 0; bits &= bits - 1) {
        visit(bucket->slots[std::countr_zero(bits)]);
      }
      if (!bucket->linked()) return;
    }
  }

  static uint64_t next_cursor(uint64_t cursor, uint64_t mask) {
    cursor |= ~mask;
    cursor = reverse_bits(cursor);
    ++cursor;
    return reverse_bits(cursor);
  }
  static uint64_t reverse_bits(uint64_t v) {
    v = ((v >> 1) & 0x5555555555555555U) | ((v & 0x5555555555555555U) << 1);
    v = ((v >> 2) & 0x3333333333333333U) | ((v & 0x3333333333333333U) << 2);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0fU) | ((v & 0x0f0f0f0f0f0f0f0fU) << 4);
    return __builtin_bswap64(v);
  }

  // Grows at 5.6 items a bucket of 7, when about one bucket in five has a link.
  void grow_if_full() {
    if (resizing()) return;
    Table& table = tables_[0];
    if (table.buckets == nullptr) {
      table.allocate(1);
    } else if (table.size * 5 >= table.count * 28) {
      start_resize(table.count * 2);
    }
  }
  // Shrinks to an eighth of the room or less at a time when it is nearly empty.
  void shrink_if_sparse() {
    if (resizing()) return;
    const Table& table = tables_[0];
    if (table.count <= 1 || table.size * 2 >= table.count) return;
    start_resize(std::bit_ceil(table.size / 4 + 1));
  }
  void start_resize(size_t count) {
    if (count == tables_[0].count) return;
    tables_[1].allocate(count);
    moved_ = 0;
  }

  // Moves one bucket, or skips up to ten empty ones.
  void step() {
    if (!resizing()) [[likely]]
      return;
    Table& old = tables_[0];
    for (int visited = 0; moved_ < old.count && visited < 10; ++visited) {
      Bucket& bucket = old.buckets[moved_++];
      const bool had_items = (bucket.present & bucket.usable()) != 0 || bucket.linked();
      if (!had_items) continue;
      auto move = [&](Item* item) { put(tables_[1], item, hash_bytes(KeyOf{}(*item), seed_)); };
      const size_t before = tables_[1].size;
      visit_chain(bucket, move);
      old.size -= tables_[1].size - before;
      old.release_links(bucket);
      bucket.present = 0;
      break;
    }
    if (moved_ < old.count) return;
    CHECK(old.size == 0);
    old.release();
    std::swap(tables_[0], tables_[1]);
  }

  Table tables_[2];
  size_t moved_ = 0;
  uint64_t seed_;
};

}  // namespace seatrial::kv
