// The checksum at the end of an RDB: CRC-64 with Jones's polynomial, reflected, from 0 and with
// no final inversion, as Redis has it since RDB version 5. Eight bytes at a step.
#pragma once

#include "base/bytes.h"

#include <cstdint>

namespace seatrial::kv::rdb {

// Goes on from `crc`, which is 0 at first: crc64(crc64(0, a), b) is that of a and b together.
uint64_t crc64(uint64_t crc, base::Bytes bytes);

}  // namespace seatrial::kv::rdb
