// Reader for the histories that Jepsen stores (history.edn) and that Elle and Knossos take: maps
// of :process, :type (:invoke, :ok, :fail, :info), :f, :value and :time, one after the other or in
// one vector, plain or tagged. What becomes of them:
//
//   :f :txn, [:append k v] [:r k [v...]]   "appendtxn": exec of rpush and lrange; rpush answers
//                                          "OK", since no length is told
//   :f :txn, [:w k v] [:r k v]             "rwtxn": exec of set and get
//   :f :read, :write, :cas                 "kv": get, set, cas; on key "r", or with independent's
//                                          tuples [key value] on that key
//
// :fail took no effect, as Knossos takes it (a :cas that failed is no observation). Operations of
// processes that are no numbers (the nemesis) are left out. :time is in nanoseconds; where it is
// missing, an event's time is its number.
#pragma once

#include "checkers/history.h"

#include <string_view>

namespace seatrial::checkers {

bool is_jepsen_edn(std::string_view bytes);
// Errors say the line and what was expected there.
Result<History> read_jepsen_edn(std::string_view bytes);

}  // namespace seatrial::checkers
