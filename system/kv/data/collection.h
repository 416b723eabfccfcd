// A value that does not fit into its entry: lists, sets, hashes, sorted sets.
//
// Small ones are compact: one block without pointers, searched from its beginning. One that has
// outgrown the limits of its kind becomes a table or a tree, and stays one.
#pragma once

#include "kv/data/types.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace seatrial::kv {

// Up to which a collection stays compact. From the settings *-max-listpack-entries and -value.
struct CompactLimits {
  size_t entries = 128;
  size_t value_bytes = 64;
};

// What collections are made with.
struct CollectionSettings {
  uint64_t seed = 0;  // Of their tables.
  CompactLimits hash;
  size_t set_numbers_max = 512;  // Of a set that is compact.
};

class Collection {
 public:
  virtual ~Collection() = default;

  virtual Type type() const = 0;
  // As OBJECT ENCODING names it.
  virtual std::string_view encoding() const = 0;
  // Elements, or pairs.
  virtual size_t size() const = 0;
  // Shares nothing with this one.
  virtual std::unique_ptr<Collection> copy() const = 0;
  // Memory that it takes; takes no longer for a large one.
  virtual size_t bytes() const = 0;

 protected:
  Collection() = default;
  Collection(const Collection&) = default;
  Collection& operator=(const Collection&) = default;
};

}  // namespace seatrial::kv
