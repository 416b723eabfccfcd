// What the functions of log histories take and answer.
//
// "log", a plain log; its partitions are the keys:
//
//   append          value -> offset
//   flush           -> durable end
//   read            [from, limit] -> {"hw":end,"recs":[[offset,value]...]}
//
// "kafka", as a client of Kafka has it; a key is "topic-partition", or a topic in the last three:
//
//   send            {"acks":-1|0|1,"v":[record...],"by"?,"tries"?} -> base offset; acks 0: null
//   poll            {"from"?,"by"?,"wait"?,"final"?} -> {"hw":end,"recs":[...],"start"?}, or
//                   "out-of-range"
//   list_offsets    "earliest", "latest" or a timestamp -> offset or [offset,timestamp]; -1: none
//
//   create_topic    partitions -> "OK"
//
//   describe_topic  -> partitions; 0: no such topic
//
//   protest         what was wrong with an answer -> "OK"
//
// A record is [value,timestamp?,hash?]; what a poll found stands behind its offset: [offset,value,
// timestamp?,hash?]. The hash is of all that was sent and came back: key, value, headers,
// timestamp. "by": whose order counts: a producer's connection, a consumer between two assignments.
// "wait": milliseconds for which a poll may wait for records. "final": the last reading of
// everything. "tries": how often it was sent; absent: once.
#pragma once

#include "checkers/history.h"

#include <string_view>

namespace seatrial::checkers {

inline constexpr int64_t kOffsetMax = int64_t{1} << 62;

bool is_log_argument(Function function, const Value& argument);
bool is_log_result(Function function, const Value& argument, const Value& result);
// In words, for messages.
std::string_view log_argument_shape(Function function);
std::string_view log_result_shape(Function function);

}  // namespace seatrial::checkers
