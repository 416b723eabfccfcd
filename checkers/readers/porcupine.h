// Readers for the two formats of Porcupine's test data, as histories of type "kv".
//
//  - Jepsen's log of one compare-and-set register ("INFO jepsen.util - 0 :invoke :read nil"):
//    key "r"; read, write and cas become get, set and cas. A failed cas is an observation: it
//    answered 0. A failed read (timed out) is dropped by its outcome.
//  - Maps with get, put and append ("{:process 0, :type :invoke, :f :get, :key "0", :value nil}"):
//    put becomes set; "" is what an absent key reads as, here nil.
//
// Neither has clock values: an event's time is its number.
#pragma once

#include "checkers/history.h"

#include <string_view>

namespace seatrial::checkers {

bool is_jepsen_register_log(std::string_view bytes);
Result<History> read_jepsen_register_log(std::string_view bytes);

bool is_porcupine_kv(std::string_view bytes);
Result<History> read_porcupine_kv(std::string_view bytes);

}  // namespace seatrial::checkers
