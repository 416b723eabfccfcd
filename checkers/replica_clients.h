// Holds the servers of a replicated store to what clients of single nodes may count on, by the
// clients' history (type "replica") beside what observers saw inside the servers.
//
// Anomalies:
//   went-back         A read shows what its node held before the read began, and no more.
//   no-such-state     A read shows what its node held at no instant of the read.
//   torn-exec         Each read of an EXEC fits, but no one state of the node fits them all.
//   outlived-deadline A read shows a key after its deadline.
//   early-expiry      A read misses a key that is there, before its deadline.
//   lost-watch        An EXEC ran although a watched key had changed, expired, or was replaced by
//                     a full resync.
//   spurious-abort    An EXEC was aborted, and nothing of that kind can have happened.
//   unseen-write      A node acknowledged a write that was never among its data.
//   broken-wait       WAIT counts more replicas than held the connection's writes by then.
//
// So reads on one connection never go back: each shows a state of its node within the read's own
// time, and by the rules of replication.h a node's states go forward. There is one exception,
// which no server with asynchronous replication can rule out: a full resync from a primary that
// has lost the tail of its writes, or from one that is behind, sets the node's own data back.
#pragma once

#include "checkers/replication.h"

namespace seatrial::checkers {

// Deadlines are those of the node that is read, by its own clock, as far off as the log says.
Verdict check_replica_clients(const ReplicationLog& log, const History& history);

}  // namespace seatrial::checkers
