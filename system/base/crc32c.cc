#include "base/crc32c.h"

#include <isa-l/crc.h>

namespace seatrial::base {

uint32_t crc32c(Bytes bytes, uint32_t crc) {
  constexpr size_t kPieceBytes = 1 << 30;  // The library counts in ints.
  crc = ~crc;
  while (!bytes.empty()) {
    const Bytes piece = bytes.substr(0, kPieceBytes);
    // The library reads only; its signature is C's of old.
    auto* begin = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));
    crc = crc32_iscsi(begin, static_cast<int>(piece.size()), crc);
    bytes.remove_prefix(piece.size());
  }
  return ~crc;
}

}  // namespace seatrial::base
