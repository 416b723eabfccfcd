// Levels of isolation, and which of them an anomaly rules out.
//
// Adya, "Weak Consistency" (1999), in the form of dependency graphs; snapshot isolation as Cerone
// and Gotsman, "Analysing Snapshot Isolation" (2018): no cycle without two neighbouring rw edges.
// "Strong session" adds the order of each process, "strong" and "strict" the order of real time
// (Daudjee and Salem, VLDB 2006). Repeatable read is serializable here: these workloads read
// items, never predicates.
#pragma once

#include <cstdint>
#include <string_view>

namespace seatrial::checkers {

// From weak to strong, in one line: of two that cannot be compared, the one with the more cycles
// ruled out at one instant comes later.
enum class Isolation : uint8_t {
  kNone,
  kReadUncommitted,
  kReadCommitted,
  kSnapshotIsolation,
  kStrongSessionSnapshotIsolation,
  kStrongSnapshotIsolation,
  kSerializable,
  kStrongSessionSerializable,
  kStrictSerializable,
};

// "strict serializable", "read committed"...
std::string_view to_string(Isolation level);

// The levels that a history can still have.
class IsolationSet {
 public:
  void rule_out(Isolation level) { out_ |= uint16_t{1} << static_cast<unsigned>(level); }
  // All levels above `level`.
  void rule_out_above(Isolation level);
  bool holds(Isolation level) const { return (out_ >> static_cast<unsigned>(level) & 1) == 0; }
  // The last that holds; kNone always does.
  Isolation strongest() const;

 private:
  uint16_t out_ = 0;
};

// The strongest level that allows an anomaly of that name, with or without "-process" or
// "-realtime": G1a -> read uncommitted.
Isolation strongest_with(std::string_view anomaly);

}  // namespace seatrial::checkers
