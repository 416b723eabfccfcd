#include "checkers/queue_order.h"

#include "checkers/collection_shapes.h"
#include "checkers/models/cell.h"
#include "checkers/models/cells.h"
#include "checkers/queue_lineup.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace seatrial::checkers {
namespace {

// To find the places of told lengths, for each item: most histories need two.
constexpr uint64_t kAttempts = 100;

// ---- The items, and who found none ----

class Items {
 public:
  explicit Items(std::span<const Claim> operations) : operations_(operations) {}

  // False where this way of judging does not apply; wrong() where they contradict each other.
  bool collect() {
    for (const Claim& claim : operations_) {
      if (claim.operation->function == Function::kRpush && !add_push(claim)) return false;
    }
    for (const Claim& claim : operations_) {
      if (claim.operation->function != Function::kRpush && !add_other(claim)) return false;
      if (wrong_) return true;
    }
    // What nobody took, and perhaps nobody pushed, is left out.
    const auto left_out = [](const QueueItem& item) {
      return item.ret == kNeverAt && item.pop == nullptr;
    };
    if (told_ > 0 &&
        std::ranges::any_of(items_, [](const QueueItem& i) { return i.length == 0; })) {
      return false;
    }
    std::erase_if(items_, left_out);
    std::ranges::sort(items_, {}, &QueueItem::call);
    std::ranges::sort(absences_, {}, &Operation::invoke_at);
    return true;
  }

  const std::optional<LevelsResult>& wrong() const { return wrong_; }
  bool tell_lengths() const { return told_ > 0; }
  const std::vector<QueueItem>& all() const { return items_; }
  const std::vector<const Operation*>& absences() const { return absences_; }

 private:
  bool add_push(const Claim& claim) {
    const Operation& push = *claim.operation;
    QueueItem item = {.push = &push, .call = push.invoke_at};
    if (claim.completion == Completion::kOk) {
      item.ret = push.complete_at;
      if (push.result.is_integer()) {
        if (push.result.as_integer() <= 0 || push.result.as_integer() > kNumberMax) return false;
        item.length = static_cast<uint32_t>(std::min<int64_t>(push.result.as_integer(), kNeverAt));
        told_++;
      }
    }
    const auto number = static_cast<uint32_t>(items_.size());
    items_.push_back(item);
    return numbers_.try_emplace(canonical(push.argument), number).second;
  }

  bool add_other(const Claim& claim) {
    const Operation& operation = *claim.operation;
    const bool ok = claim.completion == Completion::kOk;
    if (operation.function == Function::kLrange) {
      if (!ok) return true;
      if (operation.result.items().empty()) absences_.push_back(&operation);
      return operation.result.items().empty();
    }
    if (operation.function != Function::kLpop || !ok) return false;
    if (operation.result.is_nil()) {
      absences_.push_back(&operation);
      return true;
    }
    take(operation);
    return true;
  }

  void take(const Operation& pop) {
    const auto found = numbers_.find(canonical(pop.result));
    if (found == numbers_.end()) {
      wrong_ = conflict_of({&pop});
      return;
    }
    QueueItem& item = items_[found->second];
    if (item.pop != nullptr) wrong_ = conflict_of({item.pop, &pop});
    if (pop.complete_at < item.call) wrong_ = conflict_of({item.push, &pop});
    item.pop = &pop;
    item.pop_call = pop.invoke_at;
    item.pop_ret = pop.complete_at;
  }

  std::span<const Claim> operations_;
  std::vector<QueueItem> items_;
  std::unordered_map<Value, uint32_t, ValueHash> numbers_;
  std::vector<const Operation*> absences_;
  size_t told_ = 0;
  std::optional<LevelsResult> wrong_;
};

// Of items pushed one after the other by real time, the later one must not be taken first.
std::optional<LevelsResult> find_overtaking(const std::vector<QueueItem>& items) {
  std::vector<const QueueItem*> by_return;
  for (const QueueItem& item : items) by_return.push_back(&item);
  std::ranges::sort(by_return, {}, &QueueItem::ret);
  const QueueItem* last_taken = nullptr;  // Of those pushed before.
  size_t before = 0;
  for (const QueueItem& item : items) {  // By call.
    for (; before < by_return.size() && by_return[before]->ret < item.call; before++) {
      if (last_taken == nullptr || by_return[before]->pop_call > last_taken->pop_call) {
        last_taken = by_return[before];
      }
    }
    if (last_taken == nullptr || item.pop_ret >= last_taken->pop_call) continue;
    std::vector<const Operation*> conflict = {last_taken->push, item.push, item.pop};
    if (last_taken->pop != nullptr) conflict.push_back(last_taken->pop);
    return conflict_of(std::move(conflict));
  }
  return std::nullopt;
}

// Who found nothing must have had an instant at which nothing was certainly there.
std::optional<LevelsResult> find_full_absence(const std::vector<QueueItem>& items,
                                              const std::vector<const Operation*>& absences) {
  std::vector<const QueueItem*> present;  // From the push's return to the pop's call.
  for (const QueueItem& item : items) {
    if (item.ret < item.pop_call) present.push_back(&item);
  }
  std::ranges::sort(present, {}, &QueueItem::ret);
  // Rows of them, each of which begins before the last one has ended.
  struct Row {
    uint32_t from = 0;
    uint32_t until = 0;
    size_t first = 0;
  };
  std::vector<Row> rows;
  for (size_t i = 0; i < present.size(); i++) {
    if (rows.empty() || present[i]->ret > rows.back().until)
      rows.push_back({present[i]->ret, 0, i});
    rows.back().until = std::max(rows.back().until, present[i]->pop_call);
  }
  for (const Operation* absence : absences) {
    const auto after = std::ranges::upper_bound(rows, absence->invoke_at, {}, &Row::from);
    if (after == rows.begin()) continue;
    const Row& row = *std::prev(after);
    if (row.until < absence->complete_at) continue;
    std::vector<const Operation*> conflict = {absence};
    uint32_t reached = absence->invoke_at;
    for (size_t i = row.first;
         i < present.size() && present[i]->ret < reached && reached < absence->complete_at;) {
      // The one that stays longest of those that are there by then.
      const QueueItem* best = present[i];
      for (; i < present.size() && present[i]->ret < reached; i++) {
        if (present[i]->pop_call > best->pop_call) best = present[i];
      }
      reached = best->pop_call;
      conflict.push_back(best->push);
      if (best->pop != nullptr) conflict.push_back(best->pop);
    }
    return conflict_of(std::move(conflict));
  }
  return std::nullopt;
}

}  // namespace

std::optional<LevelsResult> check_queue_order(std::span<const Claim> operations) {
  Items items(operations);
  if (!items.collect()) return std::nullopt;
  if (items.wrong()) return items.wrong();
  if (const auto wrong = find_overtaking(items.all())) return wrong;
  if (const auto wrong = find_full_absence(items.all(), items.absences())) return wrong;
  if (!items.tell_lengths()) return LevelsResult{};
  QueueLineup lineup(items.all(), items.absences());
  if (lineup.find(kAttempts * items.all().size() + 10'000)) return LevelsResult{};
  return std::nullopt;
}

}  // namespace seatrial::checkers
