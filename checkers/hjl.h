// Histories as files: hjl/1, JSON with one object a line. The first line is a header,
// {"hdr":"hjl/1","type":T,"clients":N,"ops":M,...}; each other line is an event with t (virtual
// microseconds), p (process), id, e (invoke, ok, fail, info), on invocations f, k and a
// (function, key, argument), on ok r (result). A log's history has events of e = crash as well,
// with t, and k (the partition, or all where it is left out).
//
// Reading rejects what is not a history, with the line and what was expected there. Writing the
// same history gives the same bytes.
#pragma once

#include "checkers/history.h"

#include <span>
#include <string>
#include <string_view>

namespace seatrial::checkers {

Result<History> read_hjl(std::string_view bytes);
std::string write_hjl(const History& history);
// Only these operations, with their own times, in the history's order.
std::string write_hjl(const History& history, std::span<const OperationId> operations);

}  // namespace seatrial::checkers
