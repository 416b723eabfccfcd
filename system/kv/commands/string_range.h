// What the commands on strings and on parts of them share.
#pragma once

#include "kv/command.h"

#include <cstdint>
#include <string_view>

namespace seatrial::kv {

// Whether a string may become `offset` and `added` bytes long; if not, the error is answered. Who
// is obeyed may do what another server allowed.
bool length_allowed(Context& context, uint64_t offset, size_t added);

// Positions from `first` to `last`, both included; none if `first` is the greater one.
struct Span {
  int64_t first;
  int64_t last;
  bool empty() const { return first > last; }
};

// The positions that are meant among `length`; negative ones count from the end, and those before
// the beginning stand for the first one, as Redis has it.
Span clamp_span(int64_t first, int64_t last, int64_t length);

}  // namespace seatrial::kv
