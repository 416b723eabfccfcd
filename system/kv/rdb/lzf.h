// LZF, the compression of strings in an RDB.
//
// Decompression is liblzf's. Its compressor is of no use here: it keeps 256 KiB on the stack,
// which is all that a fiber has, and does not initialise them, so that the same string may
// give different bytes each time.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <string>
#include <vector>

namespace seatrial::kv::rdb {

// The longest output that so many bytes can stand for.
uint64_t lzf_bytes_max(uint64_t compressed_bytes);

// False: these bytes do not decompress to exactly `size` ones.
bool lzf_decompress(base::Bytes compressed, size_t size, std::string& into);

class LzfCompressor {
 public:
  LzfCompressor() : places_(kPlaces) {}

  // The compressed form of `bytes`, good until the next call; empty if it would be longer than
  // `bytes_max`.
  base::Bytes compress(base::Bytes bytes, size_t bytes_max);

 private:
  static constexpr size_t kPlaceBits = 14;
  static constexpr size_t kPlaces = size_t{1} << kPlaceBits;

  static size_t slot_of(const char* at);
  bool emit_literals(base::Bytes bytes, size_t bytes_max);
  bool emit_match(size_t distance, size_t length, size_t bytes_max);

  std::string out_;
  // Where three bytes with this hash were last seen, counted through all strings ever
  // compressed: what is below `begin_` belongs to an earlier one.
  std::vector<uint64_t> places_;
  uint64_t begin_ = 1;
};

}  // namespace seatrial::kv::rdb
