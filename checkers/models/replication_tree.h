// The histories that replication goes by: each has an id, was written by one life of one node,
// and may begin as the branch of another one. Up to its branch an id means its parent's data, so
// that a point (id, offset) has one canonical place in the tree.
#pragma once

#include "base/error.h"
#include "checkers/history.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace seatrial::checkers {

// One life of a node: from its process's start to its end.
struct Life {
  uint32_t node = 0;
  uint64_t incarnation = 0;
  friend bool operator==(const Life&, const Life&) = default;
};

// The end of a unit in a history, as the history's author saw it.
struct HistoryPoint {
  uint64_t digest = 0;
  int selected = -1;
};

struct ReplicatedHistory {
  std::string id;
  Life author;
  const ReplicatedHistory* parent = nullptr;
  int64_t branch = 0;  // Up to this offset it is its parent's.
  // Where its author stood. The first may be within a unit of the parent's: behind a SELECT whose
  // command had not come.
  std::map<int64_t, HistoryPoint> points;
  int64_t forgotten = INT64_MIN;  // Points at and below this offset are not kept any more.
};

class ReplicationTree {
 public:
  // `points_max`: of one history; beyond it the lowest offsets are forgotten.
  explicit ReplicationTree(size_t points_max) : points_max_(points_max) {}

  ReplicatedHistory* find(std::string_view id);
  const ReplicatedHistory* find(std::string_view id) const;
  // An id that nobody had before.
  ReplicatedHistory& add(std::string_view id, Life author);
  void keep(ReplicatedHistory& history, int64_t offset, const HistoryPoint& point);

  // The history that (id, offset) lies in; null where the id is not known.
  const ReplicatedHistory* canonical(std::string_view id, int64_t offset) const;
  // An end of a unit that `id` has between the two offsets, both excluded.
  std::optional<int64_t> end_between(std::string_view id, int64_t from, int64_t to) const;
  // Whether whoever stands at (id, offset) has all that was written up to the other point.
  bool holds(std::string_view id, int64_t offset, std::string_view other_id,
             int64_t other_offset) const;

 private:
  size_t points_max_;
  std::map<std::string, ReplicatedHistory, std::less<>> histories_;
};

}  // namespace seatrial::checkers
