// Step 5: a set of whole numbers in one block of memory, sorted. It is laid out byte for byte as
// Redis's intset, so an RDB holds it as it is:
//
//   width (4: 2, 4 or 8) | count (4) | number...
//
// All numbers are as wide as the widest that ever was among them.
//
// Invariant: the block is what parse() accepts, or has no numbers.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace seatrial::kv {

class IntSet {
 public:
  IntSet();

  // Of foreign bytes, each of which is checked; there is at least one number.
  static base::Result<IntSet> parse(std::string_view block);

  size_t size() const;
  bool empty() const { return size() == 0; }
  std::string_view block() const { return block_; }
  size_t bytes() const { return block_.capacity(); }

  // The smallest one is at 0.
  int64_t at(size_t index) const;
  bool contains(int64_t number) const;
  // Whether it was not there.
  bool insert(int64_t number);
  // Whether it was there.
  bool erase(int64_t number);

  static constexpr size_t kCountMax = size_t{1} << 30;

 private:
  static constexpr size_t kHeaderBytes = 8;

  size_t width() const;
  size_t offset(size_t index) const { return kHeaderBytes + index * width(); }
  // Where it is, or would be.
  size_t lower_bound(int64_t number) const;
  void write(size_t index, int64_t number);
  void set_size(size_t count);
  void widen(size_t width);

  std::string block_;
};

}  // namespace seatrial::kv
