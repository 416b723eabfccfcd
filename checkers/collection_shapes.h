// What the functions of collections and of counters take and answer; a key is one collection.
//
// "list" and "queue":
//
//   rpush      value -> length after, or "OK" where it is not told
//   lpop       -> the first value or null
//   lrange     -> [value...], the whole list ("list" only)
//
// "hash":
//
//   hset       [field, value] -> 1 if the field is new, else 0
//   hget       field -> value or null
//   hdel       field -> 1 if there was such a field, else 0
//   hgetall    -> {field: value...}
//
// "set":
//
//   sadd, srem element -> 1 if that changed the set, else 0
//   sismember  element -> 1 or 0
//   smembers   -> [element...], in any order
//
// "zset", a sorted set; scores are whole numbers:
//
//   zadd       [score, member] -> 1 if the member is new, else 0; either way it has that score
//   zrem       member -> 1 or 0
//   zscore     member -> score or null
//   zrange     -> [[member, score]...], the whole set by score, then by the member's bytes
//
// "counter":
//
//   incr       -> the new number
//   incrby, decrby  amount -> the new number
//   get        -> the number; null is 0
#pragma once

#include "checkers/history.h"

#include <string_view>

namespace seatrial::checkers {

// Amounts lie within +-kAmountMax and numbers within +-kNumberMax: so many amounts as a history
// can have of operations never overflow a sum.
inline constexpr int64_t kAmountMax = int64_t{1} << 29;
inline constexpr int64_t kNumberMax = int64_t{1} << 61;

bool is_collection_function(Function function);
bool is_collection_argument(Function function, const Value& argument);
bool is_collection_result(Function function, const Value& result);
// In words, for messages.
std::string_view collection_argument_shape(Function function);
std::string_view collection_result_shape(Function function);

}  // namespace seatrial::checkers
