// Step 7 of a request: replies to bytes. A handler states what it answers, in order; the bytes
// gather here and leave in one write once the connection may send them.
#pragma once

#include "base/bytes.h"
#include "resp/buffer.h"

#include <cstdint>
#include <string_view>

namespace seatrial::resp {

class Writer {
 public:
  void ok() { buffer_.append("+OK\r\n"); }
  void simple(std::string_view text);
  // `text` starts with its code: "ERR no such key". Line breaks become blanks.
  void error(std::string_view text);
  void integer(int64_t value);
  void bulk(std::string_view bytes);
  void null() { buffer_.append("$-1\r\n"); }
  void null_array() { buffer_.append("*-1\r\n"); }
  // The header; that many replies follow.
  void array(size_t count) { header('*', count); }
  // The header of `pairs` keys with their values.
  void map(size_t pairs) { header('*', pairs * 2); }
  // Bytes that are a reply already.
  void raw(base::Bytes bytes) { buffer_.append(bytes); }

  // A request in the form that it is sent in: an array of bulk strings.
  template <typename Words>
  void request(const Words& words) {
    header('*', words.size());
    for (const auto& word : words) bulk(word);
  }

  base::Bytes bytes() const { return buffer_.bytes(); }
  size_t size() const { return buffer_.size(); }
  bool empty() const { return buffer_.empty(); }
  void clear() { buffer_.clear(); }
  // Forgets what was written after it was `size` long.
  void truncate(size_t size) { buffer_.truncate(size); }
  void consume(size_t count) { buffer_.consume(count); }
  void shrink_to(size_t bytes) { buffer_.shrink_to(bytes); }
  size_t capacity() const { return buffer_.capacity(); }
  // How many errors were written so far.
  uint64_t errors() const { return errors_; }

 private:
  void header(char type, uint64_t count);

  Buffer buffer_;
  uint64_t errors_ = 0;
};

}  // namespace seatrial::resp
