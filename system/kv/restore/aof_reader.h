// Reads the structure of an append-only file: where each command and each annotation begins and
// ends. Looks only at lengths and line ends; what a command says is not its business. Works
// through a window, so that a file of any size, and values of any size, take little memory.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "os/disk.h"
#include "resp/buffer.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace seatrial::kv {

class AofReader {
 public:
  enum class Kind : unsigned char {
    kCommand,
    kComment,    // A line that starts with '#'; [begin, end) with its end of line.
    kEnd,        // The file ends here, between two items.
    kTruncated,  // The file ends within this item.
    kMalformed,  // No item looks like this.
  };
  struct Item {
    Kind kind;
    uint64_t begin;
    uint64_t end;
    std::string_view problem;  // kMalformed: what was expected.
  };

  AofReader(os::File& file, uint64_t size) : file_(file), size_(size) {}

  uint64_t size() const { return size_; }
  // The item at `offset`.
  base::Result<Item> item(uint64_t offset);
  // Up to `count` bytes at `offset`, fewer at the file's end; good until the next call.
  base::Result<base::Bytes> bytes(uint64_t offset, size_t count);
  // What comes next is read from the disk, not from what was read before.
  void forget() { window_.clear(); }
  // The position of `text` in [from, to), or `to`.
  base::Result<uint64_t> find(std::string_view text, uint64_t from, uint64_t to);

 private:
  enum class Line : unsigned char { kNumber, kTruncated, kMalformed };
  // Reads "<type><number>\r\n" at `offset` and moves behind it.
  base::Result<Line> number_line(char type, uint64_t& offset, int64_t& number);
  base::Result<Item> comment(uint64_t offset);

  os::File& file_;
  uint64_t size_;
  resp::Buffer window_;
  uint64_t window_begin_ = 0;
};

}  // namespace seatrial::kv
