// Step 5: a list of short strings and numbers in one block of memory, for collections that are
// small. It is laid out byte for byte as Redis's listpack, so an RDB holds it as it is
// (github.com/antirez/listpack, listpack.md):
//
//   total bytes (4) | elements (2; 65535: unknown) | element... | 0xff
//
// An element is its encoding, its data, and its length again, to be read backwards: seven bits a
// byte. A string that is a number in its shortest form is stored as one.
//
// Invariant: total bytes is the block's size, and the block is what parse() accepts.
#pragma once

#include "base/error.h"
#include "kv/data/types.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace seatrial::kv {

class Listpack {
 public:
  // Bytes from the block's beginning to an element, or to the end. Any change makes all positions
  // but those that it returns invalid.
  using Position = uint32_t;

  struct Element {
    std::string_view bytes;  // Of a string.
    int64_t number = 0;
    bool is_number = false;

    // As a string; good until the listpack changes or `digits` goes.
    std::string_view text(NumberText& digits) const;
    bool equals(std::string_view other) const;
  };

  Listpack();
  Listpack(const Listpack& other);
  Listpack& operator=(const Listpack& other);
  Listpack(Listpack&& other) noexcept = default;
  Listpack& operator=(Listpack&& other) noexcept = default;
  ~Listpack() = default;

  // Of foreign bytes, each of which is checked.
  static base::Result<Listpack> parse(std::string_view block);

  // Counts where there are too many for the header.
  size_t size() const;
  bool empty() const { return begin() == end(); }
  std::string_view block() const { return {block_.get(), total()}; }
  size_t bytes() const { return total(); }

  Position begin() const { return kHeaderBytes; }
  Position end() const { return total() - 1; }
  Position next(Position at) const;
  // Of begin(): end().
  Position previous(Position at) const;
  Position last() const { return empty() ? end() : previous(end()); }
  // Counted from 0, or from -1 backwards; end() where there is none.
  Position at(int64_t index) const;
  Element get(Position at) const;
  // The first one from `from` on that is `wanted`, looking at one, then leaving out `skip`.
  Position find(std::string_view wanted, Position from, unsigned skip = 0) const;

  // Before the element there; returns where the new one stands.
  Position insert(Position at, std::string_view value);
  Position insert(Position at, int64_t value);
  void push_back(std::string_view value) { insert(end(), value); }
  void push_front(std::string_view value) { insert(begin(), value); }
  Position replace(Position at, std::string_view value);
  Position replace(Position at, int64_t value);
  // Returns where the next one stands now.
  Position erase(Position at, size_t count = 1);

  // What an element of `value` takes at most: to keep within a limit of bytes.
  static size_t bytes_of(std::string_view value) { return value.size() + kElementOverheadMax; }
  static constexpr size_t kBytesMax = size_t{1} << 30;

 private:
  static constexpr Position kHeaderBytes = 6;
  static constexpr size_t kElementOverheadMax = 10;
  static constexpr uint16_t kCountUnknown = 65535;

  struct Free {
    void operator()(char* block) const { std::free(block); }
  };
  struct Encoded;

  uint32_t total() const;
  // Bytes of the element there without its length at the end.
  size_t body_bytes(Position at) const;
  Position put(Position at, size_t removed, const Encoded& encoded);
  // Makes `added` bytes of `removed`; counts `elements` more.
  void splice(Position at, size_t removed, size_t added, int64_t elements);

  std::unique_ptr<char[], Free> block_;
};

}  // namespace seatrial::kv
