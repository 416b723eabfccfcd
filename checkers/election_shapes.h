// What the functions of election histories take and answer. A key is a group of nodes that wants
// one primary: "mymaster", "shard-3".
//
//   promote   {"epoch":E,"node":N} -> "OK": the node accepted to be the primary of that epoch
//   observe   {"by":B} -> {"epoch":E,"primary":N}, N null where B knows of none: what B, a
//             sentinel, a proxy, a client or a node, takes for the primary
//   calm      {"within":microseconds} -> "OK": from here on nothing disturbs the nodes, and from
//             `within` later on one of them is the primary and everybody agrees
//
// Names are texts or numbers, epochs are numbers from 0 on. The header may name what stands at the
// beginning: "epoch":E,"primary":N.
#pragma once

#include "checkers/history.h"

#include <string_view>

namespace seatrial::checkers {

bool is_election_argument(Function function, const Value& argument);
bool is_election_result(Function function, const Value& result);
// In words, for messages.
std::string_view election_argument_shape(Function function);
std::string_view election_result_shape(Function function);

}  // namespace seatrial::checkers
