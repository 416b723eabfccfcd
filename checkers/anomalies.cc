#include "checkers/anomalies.h"

#include "checkers/models/cell.h"
#include "checkers/models/cells.h"
#include "checkers/sights.h"

#include <algorithm>

namespace seatrial::checkers {
namespace {

using Name = std::optional<std::string_view>;

// Operations that might have left what was seen and were invoked before `until`.
size_t count_leaving(const CellHistory& cell, const Sight& sight, const Operation* reader,
                     uint32_t until) {
  const auto leaves = [&](const Claim& claim) {
    return claim.operation != reader && claim.operation->invoke_at < until &&
           may_leave(*claim.operation, sight);
  };
  return static_cast<size_t>(std::ranges::count_if(cell.operations, leaves));
}

// Values from nowhere, from failed writes, or from the future.
Name name_unwritten(const CellHistory& cell, const Operation& reader) {
  for (const Sight& sight : sights_of(reader)) {
    if (sight.value.is_nil()) continue;
    // Where one cell is judged alone, who wrote the others is not among its operations.
    if (cell.only && sight.cell != *cell.only) continue;
    if (count_leaving(cell, sight, &reader, reader.complete_at) > 0) continue;
    const bool failed = std::ranges::any_of(cell.failed, [&](const Operation* operation) {
      return operation->invoke_at < reader.complete_at && may_leave(*operation, sight);
    });
    if (failed) return "aborted-read";
    return count_leaving(cell, sight, &reader, kNeverAt) > 0 ? "future-read" : "phantom-read";
  }
  return std::nullopt;
}

// Two took the same value away, and only once was it there.
Name name_lost_update(Guilty guilty) {
  const auto takes = [](const Operation& operation) {
    switch (operation.function) {
      case Function::kIncr:
      case Function::kIncrby:
      case Function::kDecrby:
      case Function::kCas:
      case Function::kGetset: return true;
      default: return false;
    }
  };
  for (size_t i = 0; i < guilty.size(); i++) {
    for (size_t j = i + 1; j < guilty.size(); j++) {
      if (!takes(*guilty[i]) || !takes(*guilty[j])) continue;
      const bool both_first = guilty[i]->function == Function::kIncr &&
                              guilty[j]->function == Function::kIncr &&
                              guilty[i]->result == guilty[j]->result;
      const std::vector<Sight> a = sights_of(*guilty[i]);
      const std::vector<Sight> b = sights_of(*guilty[j]);
      if (both_first || (!a.empty() && !b.empty() && a[0].value == b[0].value)) {
        return "lost-update";
      }
    }
  }
  return std::nullopt;
}

const Operation* find_push(const CellHistory& cell, const Value& item) {
  const auto found = std::ranges::find_if(cell.operations, [&](const Claim& claim) {
    return may_leave(*claim.operation, {Value(), item});
  });
  return found == cell.operations.end() ? nullptr : found->operation;
}

bool pushed_in_order(const CellHistory& cell, const Value& first, const Value& second) {
  const Operation* a = find_push(cell, first);
  const Operation* b = find_push(cell, second);
  return a != nullptr && b != nullptr && a->precedes(*b);
}

size_t count_of(std::span<const Sight> sights, const Value& value) {
  return static_cast<size_t>(std::ranges::count(sights, value, &Sight::value));
}

// A list that was read holds an item too often, or its items in an order that cannot be.
Name name_list_read(const CellHistory& cell, Guilty guilty, const Operation& reader) {
  const std::vector<Sight> items = sights_of(reader);
  for (const Sight& item : items) {
    if (count_of(items, item.value) > count_leaving(cell, item, &reader, reader.complete_at)) {
      return "dup-append";
    }
  }
  for (size_t i = 1; i < items.size(); i++) {
    if (pushed_in_order(cell, items[i].value, items[i - 1].value)) return "reorder";
  }
  for (const Operation* other : guilty) {
    if (other == &reader || other->function != Function::kLrange) continue;
    const std::vector<Sight> theirs = sights_of(*other);
    const size_t both = std::min(items.size(), theirs.size());
    for (size_t i = 0; i < both; i++) {
      if (!(items[i].value == theirs[i].value)) return "reorder";
    }
  }
  for (const Operation* push : guilty) {
    if (push->function != Function::kRpush || !push->precedes(reader)) continue;
    if (count_of(items, canonical(push->argument)) == 0) return "lost-append";
  }
  return std::nullopt;
}

Name name_pops(const CellHistory& cell, const Operation& a, const Operation& b) {
  const Value first = canonical(a.result);
  const Value second = canonical(b.result);
  if (first.is_nil() || second.is_nil()) return std::nullopt;
  if (first == second) {
    return count_leaving(cell, {Value(), first}, nullptr, kNeverAt) < 2 ? Name("dup-pop")
                                                                        : std::nullopt;
  }
  if (a.precedes(b) && pushed_in_order(cell, second, first)) return "fifo-swap";
  if (b.precedes(a) && pushed_in_order(cell, first, second)) return "fifo-swap";
  return std::nullopt;
}

Name name_list(const CellHistory& cell, Guilty guilty) {
  std::vector<const Operation*> pops;
  std::vector<const Operation*> pushes;
  for (const Operation* operation : guilty) {
    if (operation->function == Function::kLpop) pops.push_back(operation);
    if (operation->function == Function::kRpush) pushes.push_back(operation);
  }
  for (size_t i = 0; i < pops.size(); i++) {
    for (size_t j = i + 1; j < pops.size(); j++) {
      if (const Name name = name_pops(cell, *pops[i], *pops[j])) return name;
    }
  }
  for (const Operation* operation : guilty) {
    if (operation->function != Function::kLrange) continue;
    if (const Name name = name_list_read(cell, guilty, *operation)) return name;
  }
  for (const Operation* pop : pops) {
    for (const Operation* push : pushes) {
      if (pop->result.is_nil() && push->precedes(*pop)) return "lost-item";
      // Another item was in front of the one that came out.
      if (!pop->result.is_nil() &&
          pushed_in_order(cell, canonical(push->argument), canonical(pop->result))) {
        return "fifo-swap";
      }
    }
  }
  const bool only_pushes = pops.empty() && pushes.size() == guilty.size();
  if (only_pushes && pushes.size() > 1) return "lost-append";
  return std::nullopt;
}

}  // namespace

Name name_by_values(const CellHistory& cell, Guilty guilty, uint32_t) {
  for (const Operation* reader : guilty) {
    if (const Name name = name_unwritten(cell, *reader)) return name;
  }
  for (const Operation* reader : guilty) {
    if (reader->function == Function::kZrange && !cells_read(*reader)) return "wrong-order";
    if (reader->function == Function::kSmembers && !cells_read(*reader)) return "dup-member";
  }
  if (const Name name = name_list(cell, guilty)) return name;
  return name_lost_update(guilty);
}

Name name_by_order(const CellHistory& cell, Guilty guilty) {
  const bool is_set = cell.history->type() == "set";
  for (const Operation* reader : guilty) {
    for (const Sight& sight : sights_of(*reader)) {
      // An older value although a write that left another had completed in between.
      for (const Operation* write : guilty) {
        if (write == reader || !write->precedes(*reader) || !touches(*write, sight.cell)) continue;
        if (may_leave(*write, sight)) continue;
        if (is_set) return "stale-member";
        return sight.value.is_nil() ? "lost-write" : "stale-read";
      }
    }
  }
  // Whoever reads all cells sees some to be absent by not naming them.
  for (const Operation* reader : guilty) {
    if (!reads_all_cells(reader->function) && !is_set) continue;
    for (const Operation* write : guilty) {
      if (write == reader || !write->precedes(*reader)) continue;
      if (is_set) return "stale-member";
      return reads_all_cells(write->function) ? "stale-read" : "lost-write";
    }
  }
  return std::nullopt;
}

}  // namespace seatrial::checkers
