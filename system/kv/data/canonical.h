// A value in one text: equal for equal values of a type, whatever their encoding or the order in a
// table, and for no others. For those who compare data from outside.
#pragma once

#include "kv/data/entry.h"

#include <string>

namespace seatrial::kv {

std::string canonical_text(const Entry& entry);

}  // namespace seatrial::kv
