// What the functions of a "prefix" history take and answer: a store whose writes the server itself
// numbers, seen over its crashes and restarts.
//
//   write   [command...]            -> [place, answer...]
//   view    [key...]                -> {"place":n, "order":[id...], "keys":[[value, deadline]...]}
//   save    "save" | "bgsave"       -> "OK"
//   start   {"log":L, "window_ms":w, "late_ms":l}            -> "OK"
//   stop    "end" | "end-saved" | "exit" | "kill" | "power"  -> "OK"
//
// A write is one transaction; its commands are ["set", key, value], ["set", key, value, deadline],
// ["del", key], ["incr", key], ["expireat", key, deadline] and ["persist", key], with an answer
// each, deadlines in milliseconds of the server's wall clock and far away. Its place is how many
// writes there had been with it. A view is one transaction as well: how many writes there were,
// which (the ids of their operations, in their order), and what the keys held: null and null where
// there was nothing, a deadline of null where there was none.
// A save that is answered was seen to be complete: a file holds what was there after it was asked
// for, or something newer. start and stop are the server's own, told by who watches it: a life is
// from a start to the next stop. L is how its writes are logged: "always", "everysec", "no", or
// "off" where only saves are kept; for "everysec", writes further apart than window_ms are not
// lost together, and none that was answered more than late_ms before the stop is. "end" is a stop
// that was asked for and came to its end, "end-saved" one for which a last save was made, "exit"
// one by a failure.
#pragma once

#include "checkers/history.h"

#include <string_view>

namespace seatrial::checkers {

bool is_prefix_argument(Function function, const Value& argument);
bool is_prefix_result(Function function, const Value& argument, const Value& result);
// In words, for messages.
std::string_view prefix_argument_shape(Function function);
std::string_view prefix_result_shape(Function function);

}  // namespace seatrial::checkers
