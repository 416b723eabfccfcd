// Offsets of a partitioned log: what producers were told, what consumers found, and what the log
// said of itself, held against each other. Histories of type "kafka" and "log" (log_shapes.h).
//
// The promises. Offsets of a partition are 0, 1, 2... in one order, a batch's records side by side
// and all or none, a producer's batches in the order in which it sent them on one connection. A
// record can be found only once it is flushed, and is then there, the same, for ever. An answer to
// acks -1 says that it is flushed; one to acks 1 that it is appended, so that a crash (and nothing
// else) may take it away and its offset be given again; acks 0 says nothing. A send without an
// answer may have happened or not. Nothing is removed from the front of a log.
//
// Beside single sends and polls, a history may hold transactions, groups of consumers and the
// batches of idempotent producers (log_transactions.h, log_groups.h); its offsets may have holes,
// as a foreign log's have: what lies in a hole is nobody's, so only a record that somebody found,
// or that was acknowledged for good, can be skipped or lost there, and what is below a told start
// may have expired. Transactions leave holes, so a history with some has holes as well.
//
// It is linear in the history's length but for some sorting. The rules, the gravest first; a
// violation is named by the first that is broken:
//   garbage                a record was found that nobody sent there, or only later
//   aborted-read           a record was found whose send had failed
//   precommitted-read      a transaction found what it had itself sent and not committed
//   payload-changed        key, value, headers or timestamp did not come back as they were sent
//   inconsistent-offsets   one offset with two values, or a record elsewhere than its sender was
//                          told
//   lost-write             an acknowledged record is not where it was acknowledged, or its offset
//                          is not there any more; a visible record was removed
//   duplicate              one record at two offsets although it was sent once, or by an idempotent
//                          producer; or such a producer's retry was told another offset
//   torn-batch             a batch was found or shown in part, or its records in another order
//   offset-reused          a new record got an offset, or was found at one, that was visible before
//                          it was sent, or given away without a crash in between, or in spite of
//                          one to a record that was never lost
//   nonmonotonic-send      a connection's later batch stands before its earlier one
//   int-nonmonotonic-send  the same inside one transaction
//   hw-regress             the visible end went back, or the durable one
//   early-visible          visible before any flush can have covered it (where flushes are told)
//   beyond-hw              an answer holds records at or past the visible end that it tells
//   G1c                    transactions found each other's records in a circle
//   G1c-process            the same together with the order of a process
//   G1c-realtime           the same together with real time
//   int-poll-skip          inside an answer, between what was asked and its first record, or inside
//   int-nonmonotonic-poll  a transaction, offsets are left out, or do not rise
//   poll-skip              the same between a consumer's answers, unless it subscribed, or assigned
//   nonmonotonic-poll      itself other partitions in between
//   withheld               an answer holds nothing, or too little, although there are records
//   false-out-of-range     an offset within the log was refused
//   past-end-accepted      an offset beyond all that was ever sent was not refused
//   beyond-sent            an offset or an end was told that all that had been sent by then cannot
//                          reach, each record in one place
//   wrong-time-index       the offset for a timestamp is not that of the first record from then on
//   log-bounds             the log's start went back, or lies past its end
//   double-owner           a partition has two owners in one generation of a group
//   unowned                a partition has none although all members have joined
//   generation-regress     a member joined an earlier generation than one that stood already
//   stale-commit           a commit went through although a later generation stood
//   phantom-commit         a committed offset was told that nobody committed, or only in vain
//   lost-commit            the committed offset is not the last that was committed
//   undelivered            an offset was committed before all below it was delivered to the group
//   key-moved              records of one key went to two partitions of a topic that kept its size
//   lost-topic             a topic, or partitions of it, were gone
//   protocol-error         an answer that a client cannot take for one, or with more records than
//                          it asked for
//   unseen                 an acknowledged record was found by nobody, not even in the end
//   late                   in the calm: later than flush interval and latency allow, or than
//                          was to be waited for
//
// tests/checkers/logs_reference_test.cc holds it against a judge that tries everything: of sends
// and polls nothing goes by unseen but what only a search finds. That is, by design: where a send
// was open across a crash, or nobody was told how it ended, whether all that was told fits together
// before the crash or after it; and whether whole batches, not only as many records, fit between
// others. And a flush may cover less than there is.
//
// Values sent to one partition must be unique; where they are not, the verdict is kUndecided.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

Verdict check_offsets(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
