// Holds the servers of a replicated store to its promise: equal (replication id, offset) means
// equal data. Judges what an observer inside each server saw, not what clients saw: a full
// resync later on would hide most mistakes from them.
//
// Nodes are observed after each unit that they write or apply, after each replacement of their
// data, and when they take another replication id. Rules, by the name of the anomaly:
//   diverged        Two nodes at one point of a history hold different data (keys, values,
//                   deadlines, database numbers). A point inside a unit (after its SELECT, or
//                   after a PING) must hold the data of the unit's end before it.
//   wrong-database  They apply the stream with different databases selected.
//   went-back       A node's offset falls although its data was not replaced.
//   skipped         A replica passes over the end of a unit that its history has, in its own part
//                   or in what it branched from.
//   ahead           A replica claims an offset that its primary had not reached.
//   unknown-history A replica follows an id that nobody has written under.
//   split-history   Two nodes, or two lives of one, write under the same id.
//   renamed-data    Data or offset change as the id does.
//   foreign-resync  A node goes on under another id although that history does not have the point
//                   that it stands at: a partial resync (or a promotion) that does not fit.
//   not-converged   After the calm nodes differ in id, offset or data.
// A replacement of the data (a full resync, a start) may set a node anywhere that a history has.
#pragma once

#include "checkers/models/replication_tree.h"
#include "checkers/verdict.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::checkers {

// A key whose value or deadline is another than at the node's observation before.
struct KeyChange {
  uint32_t key = 0;                  // Of ReplicationLog::keys.
  std::optional<std::string> value;  // Nothing: it is not there.
  Micros gone_at = Micros::max();    // The first instant at which its deadline hides it.
};

struct ReplicationObservation {
  enum class Reason : uint8_t {
    kStarted,   // A process begins; nothing is known of its data.
    kApplied,   // It wrote or applied a unit, or moved its offset by one without data.
    kReplaced,  // Its data was replaced: read at a start, or by a full resync.
    kRenamed,   // It has another replication id for what it holds.
  };
  Micros time{0};
  Life life;
  Reason reason = Reason::kApplied;
  bool primary = false;
  std::string id;      // Empty: what it holds belongs to no history yet.
  int64_t offset = 0;  // Of the last byte of the stream that it holds.
  int selected = -1;   // The stream's database; -1: not known, it is selected anew.
  uint64_t digest = 0;
  std::vector<KeyChange> changes;  // In a life's first observation: all keys.
};

std::string_view to_string(ReplicationObservation::Reason reason);

// How far a node's wall clock was ahead of the time of the observations, at least and at most.
struct ClockErrors {
  Micros least{0};
  Micros most{0};
};

// In the order in which things happened.
struct ReplicationLog {
  std::vector<std::string> nodes;  // Names.
  std::vector<std::string> keys;   // "3/name": database and key.
  std::vector<ReplicationObservation> observations;
  std::vector<ClockErrors> clocks;  // By node; empty: all were right.
};

struct ReplicationOptions {
  // Points kept of one history. Beyond it the oldest are dropped; a node that comes to a dropped
  // point makes the verdict undecided.
  size_t points_max = size_t{1} << 20;
  // At some instant from the first to the second, after the calm, all nodes must agree.
  std::optional<std::pair<Micros, Micros>> calm;
};

Verdict check_replication(const ReplicationLog& log, const ReplicationOptions& options = {});

// The tree that a log shows, as far as it could be followed.
ReplicationTree replication_tree(const ReplicationLog& log, const ReplicationOptions& options = {});

// "kv1 at 1.234567 s: replica, 12ab...@345, applied", for summaries.
std::string describe(const ReplicationLog& log, const ReplicationObservation& observation);

}  // namespace seatrial::checkers
