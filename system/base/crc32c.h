// CRC32C (Castagnoli), as Kafka's record batches carry it.
#pragma once

#include "base/bytes.h"

#include <cstdint>

namespace seatrial::base {

// The checksum of what `crc` covers followed by `bytes`; 0 is that of nothing.
uint32_t crc32c(Bytes bytes, uint32_t crc = 0);

}  // namespace seatrial::base
