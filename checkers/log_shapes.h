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
//   send            {"acks":-1|0|1,"v":[record...],"by"?,"tries"?,"key"?,"pid"?,"epoch"?,"seq"?}
//                   -> base offset; acks 0: null
//   poll            {"from"?,"by"?,"group"?,"wait"?,"final"?} -> {"recs":[...],"hw"?,"start"?,
//                   "rebalanced"?}, or "out-of-range"
//   list_offsets    "earliest", "latest" or a timestamp -> offset or [offset,timestamp]; -1: none
//   create_topic    partitions -> "OK"
//   describe_topic  -> partitions; 0: no such topic
//   protest         what was wrong with an answer -> "OK"
//
// Transactions and consumers; all but commit and committed without a key of their own:
//
//   txn             {"ops":[["send",partition,{"v":[record...]}] or ["poll",partition,{"from"?}]
//                   ...],"by"?} -> for each: a base offset or null; {"recs":[...]}. ok: committed,
//                   fail: aborted
//   assign          {"by":consumer,"keys":[partition...]} -> "OK"
//   subscribe       {"by":consumer,"topics":[topic...]} -> "OK"
//   join            {"group","member","topics":[topic...],"wait"?} -> {"generation":number,
//                   "owned":[partition...],"members"?}: a rebalance, from asking to its end
//   commit          {"group","offset","generation"?} -> "OK"
//   committed       {"group"} -> offset; -1: none
//
// A record is [value,timestamp?,hash?]; what a poll found stands behind its offset: [offset,value,
// timestamp?,hash?]. The hash is of all that was sent and came back: key, value, headers,
// timestamp. "by": whose order counts: a producer's connection, a consumer between two assignments.
// "wait": milliseconds for which an answer may take. "final": the last reading of everything.
// "tries": how often it was sent; absent: once. "key": of all its records. "pid", "epoch", "seq":
// of an idempotent producer; the same again is the same batch again. "hw": where records end that
// can be found. "rebalanced": 1 where the consumer's partitions changed meanwhile. "members": how
// many the generation has.
//
// A header's "offsets":"sparse" says that offsets have holes (markers of transactions, records
// that expired or that others wrote): only records that are known can then be missed.
#pragma once

#include "checkers/history.h"

#include <string_view>

namespace seatrial::checkers {

inline constexpr int64_t kOffsetMax = int64_t{1} << 62;

// Whether the header's members of a log's history are such as there can be; the error names them.
Result<void> check_log_header(std::string_view members);
// Whether the header says that offsets have holes.
bool is_sparse_log(const History& history);

bool is_log_argument(Function function, const Value& argument);
bool is_log_result(Function function, const Value& argument, const Value& result);
// In words, for messages.
std::string_view log_argument_shape(Function function);
std::string_view log_result_shape(Function function);

}  // namespace seatrial::checkers
