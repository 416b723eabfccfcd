// What an append-only file of ours looks like, for the one who writes it and the one who reads.
//
// The file is RESP commands, so that Redis 7 loads it. The log is written batch by batch; behind
// each batch stands a line that Redis skips as an annotation:
//
//   #seatrial:<offset of the batch>:<durable>:<xxh3 of the batch and of this line up to here>\r\n
//
// `durable` is the length of file that was known to be on disk when the batch was written: what
// lies below it has been synced, so damage there is no torn write. A file begins with the line of
// an empty batch, synced before the manifest names the file, and so tells whose it is.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace seatrial::kv {

inline constexpr std::string_view kAnnotationPrefix = "#seatrial:";
inline constexpr size_t kAnnotationBytesMax = 80;  // Prefix, two numbers, hash, end of line.

struct Annotation {
  uint64_t begin = 0;    // Of its batch in the file.
  uint64_t durable = 0;  // At most `begin`.
  uint64_t hash = 0;
  size_t signed_bytes = 0;  // Of the line: what the hash covers.
  size_t bytes = 0;         // Of the whole line.
};

// The hash over a batch that is fed in pieces, and then its line.
class BatchHash {
 public:
  BatchHash();
  ~BatchHash();
  BatchHash(const BatchHash&) = delete;
  BatchHash& operator=(const BatchHash&) = delete;
  void add(base::Bytes bytes);
  uint64_t value() const;

 private:
  void* state_;
};

// The line for `batch`, which stands at `begin`.
std::string make_annotation(base::Bytes batch, uint64_t begin, uint64_t durable);
// Reads a line from the front of `bytes`; nullopt: there is none, or it is damaged. Whether its
// hash is right is the caller's to find out.
std::optional<Annotation> parse_annotation(base::Bytes bytes);

}  // namespace seatrial::kv
