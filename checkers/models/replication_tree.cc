#include "checkers/models/replication_tree.h"

#include "base/check.h"

#include <algorithm>

namespace seatrial::checkers {

ReplicatedHistory* ReplicationTree::find(std::string_view id) {
  const auto found = histories_.find(id);
  return found == histories_.end() ? nullptr : &found->second;
}

const ReplicatedHistory* ReplicationTree::find(std::string_view id) const {
  const auto found = histories_.find(id);
  return found == histories_.end() ? nullptr : &found->second;
}

ReplicatedHistory& ReplicationTree::add(std::string_view id, Life author) {
  const auto [place, added] = histories_.try_emplace(std::string(id));
  CHECK_MSG(added, "history {}", id);
  place->second.id = id;
  place->second.author = author;
  return place->second;
}

void ReplicationTree::keep(ReplicatedHistory& history, int64_t offset, const HistoryPoint& point) {
  history.points.insert_or_assign(offset, point);
  while (history.points.size() > points_max_) {
    history.forgotten = history.points.begin()->first;
    history.points.erase(history.points.begin());
  }
}

const ReplicatedHistory* ReplicationTree::canonical(std::string_view id, int64_t offset) const {
  const ReplicatedHistory* history = find(id);
  while (history != nullptr && history->parent != nullptr && offset <= history->branch) {
    history = history->parent;
  }
  return history;
}

std::optional<int64_t> ReplicationTree::end_between(std::string_view id, int64_t from,
                                                    int64_t to) const {
  for (const ReplicatedHistory* history = find(id); history != nullptr; history = history->parent) {
    const bool branches = history->parent != nullptr;
    const auto next =
        history->points.upper_bound(branches ? std::max(from, history->branch) : from);
    if (next != history->points.end() && next->first < to) return next->first;
    if (branches) to = std::min(to, history->branch + 1);
  }
  return std::nullopt;
}

bool ReplicationTree::holds(std::string_view id, int64_t offset, std::string_view other_id,
                            int64_t other_offset) const {
  if (offset < other_offset) return false;
  const ReplicatedHistory* const history = canonical(id, other_offset);
  return history != nullptr && history == canonical(other_id, other_offset);
}

}  // namespace seatrial::checkers
