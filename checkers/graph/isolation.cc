#include "checkers/graph/isolation.h"

#include "base/check.h"

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

struct LevelRow {
  Isolation level;
  std::string_view name;
};

constexpr std::array kLevels = {
    LevelRow{Isolation::kNone, "none"},
    LevelRow{Isolation::kReadUncommitted, "read uncommitted"},
    LevelRow{Isolation::kReadCommitted, "read committed"},
    LevelRow{Isolation::kSnapshotIsolation, "snapshot isolation"},
    LevelRow{Isolation::kStrongSessionSnapshotIsolation, "strong session snapshot isolation"},
    LevelRow{Isolation::kStrongSnapshotIsolation, "strong snapshot isolation"},
    LevelRow{Isolation::kSerializable, "serializable"},
    LevelRow{Isolation::kStrongSessionSerializable, "strong session serializable"},
    LevelRow{Isolation::kStrictSerializable, "strict serializable"},
};

struct AnomalyRow {
  std::string_view name;
  Isolation strongest;
};

// Of those that are no cycles; cycles are judged by the graph itself.
constexpr std::array kAnomalies = {
    AnomalyRow{"internal", Isolation::kNone},
    AnomalyRow{"garbage", Isolation::kNone},
    AnomalyRow{"duplicate-elements", Isolation::kNone},
    AnomalyRow{"incompatible-order", Isolation::kNone},
    AnomalyRow{"G1a", Isolation::kReadUncommitted},
    AnomalyRow{"dirty-update", Isolation::kReadUncommitted},
    AnomalyRow{"G1b", Isolation::kReadUncommitted},
    AnomalyRow{"lost-update", Isolation::kReadCommitted},
};

}  // namespace

std::string_view to_string(Isolation level) { return kLevels[static_cast<size_t>(level)].name; }

void IsolationSet::rule_out_above(Isolation level) {
  for (const LevelRow& row : kLevels) {
    if (row.level > level) rule_out(row.level);
  }
}

Isolation IsolationSet::strongest() const {
  for (size_t i = kLevels.size(); i-- > 1;) {
    if (holds(kLevels[i].level)) return kLevels[i].level;
  }
  return Isolation::kNone;
}

Isolation strongest_with(std::string_view anomaly) {
  const auto row = std::ranges::find(kAnomalies, anomaly, &AnomalyRow::name);
  CHECK_MSG(row != kAnomalies.end(), "anomaly {}", anomaly);
  return row->strongest;
}

}  // namespace seatrial::checkers
