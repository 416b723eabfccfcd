// Puts the elements of an RDB, lengths and strings, into a sink. Gathers them in a buffer; keeps
// the checksum. Errors are sticky: after one nothing more is put, and finish() tells it.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "kv/rdb/lzf.h"
#include "kv/rdb/sink.h"
#include "resp/buffer.h"

#include <cstdint>
#include <memory>

namespace seatrial::kv::rdb {

struct WriteOptions {
  bool compress = true;  // rdbcompression
  bool checksum = true;  // rdbchecksum; 0 stands for it otherwise.
};

class Encoder {
 public:
  Encoder(Sink& sink, const WriteOptions& options);

  void raw(base::Bytes bytes);
  void byte(uint8_t value) { raw({reinterpret_cast<const char*>(&value), 1}); }
  void little_endian_64(uint64_t value);
  void length(uint64_t value);
  // In its shortest form: as a number where it is one, compressed where that helps.
  void string(base::Bytes bytes);
  // The string that these digits are.
  void integer(int64_t value);

  bool failed() const { return !outcome_.has_value(); }
  // The checksum, then all that is left in the buffer.
  base::Result<void> finish();

 private:
  bool short_integer(int64_t value);
  void drain();

  Sink& sink_;
  const WriteOptions options_;
  resp::Buffer buffer_;
  std::unique_ptr<LzfCompressor> compressor_;
  uint64_t crc_ = 0;
  base::Result<void> outcome_;
};

}  // namespace seatrial::kv::rdb
