#include "checkers/levels.h"

#include "checkers/models/cell.h"
#include "checkers/models/cells.h"
#include "checkers/models/counter.h"

#include <algorithm>
#include <unordered_map>

namespace seatrial::checkers {
namespace {

// A climb from one level to a higher one, or a reading (from == to).
struct Move {
  const Operation* operation = nullptr;
  int64_t from = 0;
  int64_t to = 0;
  uint32_t ret = kNeverAt;  // kNeverAt: its outcome is unknown, but its level was seen.

  bool climbs() const { return to > from; }
};

struct Ladder {
  std::vector<Move> moves;
  std::vector<const Operation*> fillers;  // Unknown steps of one level each, at any time or never.
};

// In the only order there is: at each level its readings, by invocation, then the climb from it.
void put_in_order(std::vector<Move>& moves) {
  std::ranges::sort(moves, [](const Move& a, const Move& b) {
    if (a.from != b.from) return a.from < b.from;
    if (a.climbs() != b.climbs()) return b.climbs();
    return a.operation->invoke_at < b.operation->invoke_at;
  });
}

std::optional<LevelsResult> check_shape(const std::vector<Move>& moves) {
  if (!moves.empty() && moves.front().from < 0) return conflict_of({moves.front().operation});
  const Move* last_climb = nullptr;
  for (const Move& move : moves) {
    if (last_climb != nullptr && move.from < last_climb->to) {
      return conflict_of({last_climb->operation, move.operation});
    }
    if (move.climbs()) last_climb = &move;
  }
  return std::nullopt;
}

std::optional<LevelsResult> check_real_time(const std::vector<Move>& moves) {
  const Move* latest = nullptr;  // The one invoked last of those before.
  for (const Move& move : moves) {
    if (latest != nullptr && move.ret < latest->operation->invoke_at) {
      return conflict_of({latest->operation, move.operation});
    }
    if (latest == nullptr || move.operation->invoke_at > latest->operation->invoke_at) {
      latest = &move;
    }
  }
  return std::nullopt;
}

// Whether enough fillers are invoked before each level that needs them is certainly reached.
std::optional<LevelsResult> check_fillers(const Ladder& ladder) {
  const std::vector<Move>& moves = ladder.moves;
  std::vector<uint32_t> calls;
  for (const Operation* filler : ladder.fillers) calls.push_back(filler->invoke_at);
  std::ranges::sort(calls);
  std::vector<size_t> deadline(moves.size());  // Which move at or after each returns first.
  for (size_t i = moves.size(); i-- > 0;) {
    deadline[i] = i;
    if (i + 1 < moves.size() && moves[deadline[i + 1]].ret < moves[i].ret) {
      deadline[i] = deadline[i + 1];
    }
  }
  int64_t climbed = 0;
  for (size_t i = 0; i < moves.size(); i++) {
    const int64_t filled = moves[i].from - climbed;
    climbed += moves[i].to - moves[i].from;
    if (filled == 0) continue;
    const uint32_t until = moves[deadline[i]].ret;
    const bool enough = filled <= static_cast<int64_t>(calls.size()) &&
                        calls[static_cast<size_t>(filled) - 1] < until;
    if (enough) continue;
    // Later climbs count as what they are, too: else they might fill the gap.
    std::vector<const Operation*> conflict = {moves[i].operation, moves[deadline[i]].operation};
    for (size_t j = i; j < moves.size(); j++) {
      if (moves[j].climbs() && moves[j].operation->invoke_at < until) {
        conflict.push_back(moves[j].operation);
      }
    }
    return conflict_of(std::move(conflict));
  }
  return std::nullopt;
}

LevelsResult check_ladder(Ladder ladder) {
  put_in_order(ladder.moves);
  if (const auto wrong = check_shape(ladder.moves)) return *wrong;
  if (const auto wrong = check_real_time(ladder.moves)) return *wrong;
  if (const auto wrong = check_fillers(ladder)) return *wrong;
  return {};
}

class ListLadder {
 public:
  explicit ListLadder(std::span<const Claim> operations) : operations_(operations) {}

  std::optional<LevelsResult> check() {
    for (const auto& [operation, completion] : operations_) {
      if (operation->function == Function::kLpop) return std::nullopt;
      if (operation->function == Function::kLrange && completion == Completion::kOk) {
        if (longest_ == nullptr ||
            operation->result.items().size() > longest_->result.items().size()) {
          longest_ = operation;
        }
      }
    }
    if (const auto wrong = compare_readings()) return wrong;
    if (const auto wrong = place_known()) return wrong;
    if (!place_seen()) return std::nullopt;
    if (wrong_) return wrong_;
    return check_ladder(std::move(ladder_));
  }

 private:
  std::span<const Value> seen() const {
    return longest_ == nullptr ? std::span<const Value>() : longest_->result.items();
  }

  // Each reading begins as the longest does.
  std::optional<LevelsResult> compare_readings() {
    for (const auto& [operation, completion] : operations_) {
      if (operation->function != Function::kLrange || completion != Completion::kOk) continue;
      const std::span<const Value> items = operation->result.items();
      for (size_t i = 0; i < items.size(); i++) {
        if (!(items[i] == seen()[i]) && !(canonical(items[i]) == canonical(seen()[i]))) {
          return conflict_of({operation, longest_});
        }
      }
      const auto level = static_cast<int64_t>(items.size());
      ladder_.moves.push_back({operation, level, level, operation->complete_at});
    }
    return std::nullopt;
  }

  // Appends whose answer tells their place.
  std::optional<LevelsResult> place_known() {
    taken_.resize(seen().size());
    for (const auto& [operation, completion] : operations_) {
      if (operation->function != Function::kRpush) continue;
      const bool known = completion == Completion::kOk && operation->result.is_integer();
      if (!known) {
        unplaced_[canonical(operation->argument)].push_back({operation, completion});
        continue;
      }
      const int64_t to = operation->result.as_integer();
      ladder_.moves.push_back({operation, to - 1, to, operation->complete_at});
      if (to <= 0 || static_cast<size_t>(to) > seen().size()) continue;
      const auto place = static_cast<size_t>(to) - 1;
      if (!(canonical(seen()[place]) == canonical(operation->argument))) {
        return conflict_of({operation, longest_});
      }
      taken_[place] = true;
    }
    return std::nullopt;
  }

  // What was seen at the other places was appended by somebody whose answer does not tell. False
  // where it could have been one or another.
  bool place_seen() {
    for (size_t place = 0; place < seen().size(); place++) {
      if (taken_[place]) continue;
      const Value item = canonical(seen()[place]);
      const auto found = unplaced_.find(item);
      if (found == unplaced_.end() || found->second.empty()) {
        wrong_ = from_nowhere(item);
        return true;
      }
      if (found->second.size() > 1) return false;
      const auto [operation, completion] = found->second.back();
      found->second.clear();
      const auto level = static_cast<int64_t>(place);
      const uint32_t ret = completion == Completion::kOk ? operation->complete_at : kNeverAt;
      ladder_.moves.push_back({operation, level, level + 1, ret});
    }
    for (const auto& [operation, completion] : operations_) {
      if (operation->function != Function::kRpush) continue;
      const auto found = unplaced_.find(canonical(operation->argument));
      if (found == unplaced_.end()) continue;
      const bool is_left =
          std::ranges::find(found->second, operation, &Claim::operation) != found->second.end();
      if (!is_left) continue;
      if (completion == Completion::kOk) return false;  // It happened, nobody tells where.
      ladder_.fillers.push_back(operation);
    }
    return true;
  }

  // The reading, and the appends of that value whose place is another.
  LevelsResult from_nowhere(const Value& item) const {
    std::vector<const Operation*> conflict = {longest_};
    for (const auto& [operation, completion] : operations_) {
      if (operation->function == Function::kRpush && canonical(operation->argument) == item) {
        conflict.push_back(operation);
      }
    }
    return conflict_of(std::move(conflict));
  }

  std::span<const Claim> operations_;
  const Operation* longest_ = nullptr;
  std::vector<bool> taken_;  // Places in the longest reading whose append is known.
  std::unordered_map<Value, std::vector<Claim>, ValueHash> unplaced_;  // By what they append.
  std::optional<LevelsResult> wrong_;
  Ladder ladder_;
};

}  // namespace

LevelsResult conflict_of(std::vector<const Operation*> operations) {
  std::ranges::sort(operations, {}, &Operation::invoke_at);
  const auto same = std::ranges::unique(operations);
  operations.erase(same.begin(), same.end());
  return {.linearizable = false, .conflict = std::move(operations)};
}

std::optional<LevelsResult> check_counter_levels(std::span<const Claim> operations) {
  Ladder ladder;
  for (const auto& [operation, completion] : operations) {
    const bool ok = completion == Completion::kOk;
    const CounterEffect effect = counter_effect(*operation, ok);
    if (!effect.possible || effect.amount < 0) return std::nullopt;
    if (ok) {
      const int64_t to = *effect.found + effect.amount;
      ladder.moves.push_back({operation, *effect.found, to, operation->complete_at});
    } else if (effect.amount == 1) {
      ladder.fillers.push_back(operation);
    } else if (effect.amount > 1) {
      return std::nullopt;
    }
  }
  return check_ladder(std::move(ladder));
}

std::optional<LevelsResult> check_list_levels(std::span<const Claim> operations) {
  return ListLadder(operations).check();
}

}  // namespace seatrial::checkers
