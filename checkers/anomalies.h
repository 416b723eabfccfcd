// The name of what is wrong with one key, told from the operations that contradict each other.
//
//   phantom-read, aborted-read, future-read  a value that nobody wrote; that only failed operations
//                                            wrote; that was written later
//   stale-read, lost-write   an older value, or none, although a write that left another had ended
//   stale-member             the same of a set
//   lost-update              two took away the same value, which was there once
//   lost-append              a list without what was appended before; two appends with one length
//   dup-append, dup-pop      an item twice, though it was pushed once
//   reorder                  a list whose order differs from that of its appends or other readings
//   fifo-swap                a queue's items taken in another order than they were pushed
//   lost-item                a queue was empty, though it held an item
//   wrong-order              a sorted set not in its order
#pragma once

#include "checkers/explain.h"

#include <optional>
#include <span>
#include <string_view>

namespace seatrial::checkers {

using Guilty = std::span<const Operation* const>;

// What the values alone tell: those from nowhere, twice, out of order; updates that were lost.
std::optional<std::string_view> name_by_values(const CellHistory& cell, Guilty guilty,
                                               uint32_t events);
// What real time tells: old values after new ones.
std::optional<std::string_view> name_by_order(const CellHistory& cell, Guilty guilty);

}  // namespace seatrial::checkers
