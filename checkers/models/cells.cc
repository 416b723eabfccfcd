#include "checkers/models/cells.h"

#include "base/check.h"
#include "base/random.h"
#include "checkers/models/cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

namespace seatrial::checkers {
namespace {

using Kind = CellEffect::Kind;

const Value kPresent = Value::integer(1);

std::string text_of(const Value& value) {
  return value.is_integer() ? fmt::format("{}", value.as_integer()) : std::string(value.as_text());
}

using CellValues = std::vector<std::pair<Value, Value>>;

bool less(const std::pair<Value, Value>& a, const std::pair<Value, Value>& b) {
  return text_of(a.first) < text_of(b.first);
}

// Sorted by cell; false where one stands twice.
bool order(CellValues& cells) {
  std::ranges::sort(cells, less);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  return std::ranges::adjacent_find(cells, same) == cells.end();
}

// By score, then by the member's bytes.
bool is_ranked(std::span<const Value> items) {
  const auto before = [](const Value& a, const Value& b) {
    const int64_t score_a = a.items()[1].as_integer();
    const int64_t score_b = b.items()[1].as_integer();
    if (score_a != score_b) return score_a < score_b;
    return text_of(a.items()[0]) < text_of(b.items()[0]);
  };
  for (size_t i = 1; i < items.size(); i++) {
    if (!before(items[i - 1], items[i])) return false;
  }
  return true;
}

}  // namespace

bool reads_all_cells(Function function) {
  return function == Function::kHgetall || function == Function::kSmembers ||
         function == Function::kZrange;
}

CellEffect cell_effect(const Operation& operation, bool known) {
  const Value& argument = operation.argument;
  const Value& result = operation.result;
  const bool one = known && result == Value::integer(1);
  const bool zero = known && result == Value::integer(0);
  if (known && !one && !zero && operation.function != Function::kHget &&
      operation.function != Function::kZscore) {
    return {};
  }
  const Kind put = one ? Kind::kWriteNew : zero ? Kind::kWriteOver : Kind::kWrite;
  switch (operation.function) {
    case Function::kHset:
      return {put, canonical(argument.items()[0]), canonical(argument.items()[1])};
    case Function::kZadd:
      return {put, canonical(argument.items()[1]), canonical(argument.items()[0])};
    case Function::kHget:
    case Function::kZscore: return {Kind::kRead, canonical(argument), canonical(result)};
    case Function::kSismember: return {Kind::kRead, canonical(argument), one ? kPresent : Value()};
    case Function::kSadd:
      // One that changed nothing found the element.
      return {zero ? Kind::kRead : put, canonical(argument), kPresent};
    case Function::kHdel:
    case Function::kSrem:
    case Function::kZrem:
      if (zero) return {Kind::kRead, canonical(argument), Value()};
      return {one ? Kind::kWriteOver : Kind::kWrite, canonical(argument), Value()};
    default: break;
  }
  UNREACHABLE("{} touches no cell", to_string(operation.function));
}

std::optional<CellValues> cells_read(const Operation& operation) {
  CellValues cells;
  const std::span<const Value> items = operation.result.items();
  switch (operation.function) {
    case Function::kHgetall:
      for (size_t i = 0; i < items.size(); i += 2) {
        cells.emplace_back(canonical(items[i]), canonical(items[i + 1]));
      }
      break;
    case Function::kSmembers:
      for (const Value& item : items) cells.emplace_back(canonical(item), kPresent);
      break;
    case Function::kZrange:
      if (!is_ranked(items)) return std::nullopt;
      for (const Value& item : items) {
        cells.emplace_back(canonical(item.items()[0]), canonical(item.items()[1]));
      }
      break;
    default: UNREACHABLE("{} does not read all cells", to_string(operation.function));
  }
  if (!order(cells)) return std::nullopt;
  return cells;
}

uint32_t PairTable::intern(uint32_t left, uint32_t right) {
  if ((pairs_.size() + 1) * 2 > table_.size()) grow();
  const uint64_t pair = uint64_t{left} << 32 | right;
  uint32_t& at = slot(pair);
  if (at == 0) {
    pairs_.push_back(pair);
    at = static_cast<uint32_t>(pairs_.size());
  }
  return at - 1;
}

uint32_t& PairTable::slot(uint64_t pair) {
  const size_t mask = table_.size() - 1;
  for (size_t i = base::mix64(pair) & mask;; i = (i + 1) & mask) {
    if (table_[i] == 0 || pairs_[table_[i] - 1] == pair) return table_[i];
  }
}

void PairTable::grow() {
  table_.assign(std::max<size_t>(table_.size() * 2, 64), 0);
  for (uint32_t i = 0; i < pairs_.size(); i++) slot(pairs_[i]) = i + 1;
}

Cells::Cells(std::span<const Claim> operations, const Value* only) {
  find_cells(operations, only);
  find_contents(operations, only);
  while ((size_t{1} << depth_) < cells_.size()) depth_++;
  // The tree's unused leaves all hold the first cell's nil.
  std::vector<uint32_t> level(size_t{1} << depth_, 0);
  for (uint32_t cell = 0; cell < cells_.size(); cell++) level[cell] = 2 * cell;
  for (; level.size() > 1; level.resize(level.size() / 2)) {
    for (size_t i = 0; i < level.size() / 2; i++) {
      level[i] = pairs_.intern(level[2 * i], level[2 * i + 1]);
    }
  }
  initial_ = level[0];
  for (const Claim& claim : operations) add(claim, only);
  needed_.resize(content_count_);
  made_.resize(content_count_);
  give_classes();
  give_blocks();
  for (uint32_t step = 0; step < steps_.size(); step++) {
    if (actions_[step].kind == Kind::kImpossible) continue;
    const int32_t one = 1;
    if (actions_[step].all) {
      for_each(actions_[step].content, depth_, 0,
               [&](Content content) { needed_[content] += one; });
    } else {
      (writes(step) ? made_ : needed_)[actions_[step].content] += one;
    }
  }
}

void Cells::find_cells(std::span<const Claim> operations, const Value* only) {
  if (only != nullptr) {
    cell_of(*only);
    return;
  }
  for (const auto& [operation, completion] : operations) {
    if (!reads_all_cells(operation->function)) {
      cell_of(cell_effect(*operation, false).cell);
    } else if (completion == Completion::kOk) {
      if (const auto cells = cells_read(*operation)) {
        for (const auto& [cell, value] : *cells) cell_of(cell);
      }
    }
  }
}

// The contents that operations ask for, so that all others can count as one.
void Cells::find_contents(std::span<const Claim> operations, const Value* only) {
  contents_.resize(cells_.size());
  content_count_ = 2 * static_cast<uint32_t>(cells_.size());
  for (const auto& [operation, completion] : operations) {
    if (completion != Completion::kOk) continue;
    if (!reads_all_cells(operation->function)) {
      const CellEffect effect = cell_effect(*operation, true);
      if (effect.kind != Kind::kRead) continue;
      if (only == nullptr || effect.cell == *only) intern(cell_of(effect.cell), effect.value);
      continue;
    }
    if (const auto cells = cells_read(*operation)) {
      for (const auto& [cell, value] : *cells) {
        if (only == nullptr || cell == *only) intern(cell_of(cell), value);
      }
    }
  }
}

uint32_t Cells::cell_of(const Value& name) {
  return cells_.try_emplace(name, static_cast<uint32_t>(cells_.size())).first->second;
}

Cells::Content Cells::intern(uint32_t cell, const Value& value) {
  if (value.is_nil()) return 2 * cell;
  const auto [at, is_new] = contents_[cell].try_emplace(value, content_count_);
  if (is_new) content_count_++;
  return at->second;
}

Cells::Content Cells::find(uint32_t cell, const Value& value) const {
  if (value.is_nil()) return 2 * cell;
  const auto found = contents_[cell].find(value);
  return found == contents_[cell].end() ? 2 * cell + 1 : found->second;
}

void Cells::add(const Claim& claim, const Value* only) {
  const Operation& operation = *claim.operation;
  const bool ok = claim.completion == Completion::kOk;
  CHECK(claim.completion != Completion::kFailed && (!ok || operation.ok()));
  Action action;
  if (reads_all_cells(operation.function)) {
    if (!ok) return;
    const auto cells = cells_read(operation);
    if (cells && only != nullptr) {
      const auto found = std::ranges::find(*cells, *only, [](const auto& c) { return c.first; });
      action = {.kind = Kind::kRead, .cell = 0};
      action.content = find(0, found == cells->end() ? Value() : found->second);
    } else if (cells) {
      action = {.kind = Kind::kRead, .all = true, .content = initial_};
      for (const auto& [cell, value] : *cells) {
        const uint32_t number = cell_of(cell);
        action.content = with(action.content, depth_, number, find(number, value));
      }
    }
  } else {
    const CellEffect effect = cell_effect(operation, ok);
    if (only != nullptr && effect.cell != *only && effect.kind != Kind::kImpossible) return;
    const bool reads = operation.function == Function::kHget ||
                       operation.function == Function::kSismember ||
                       operation.function == Function::kZscore;
    if (reads && !ok) return;
    action.kind = effect.kind;
    if (effect.kind != Kind::kImpossible) {
      action.cell = cell_of(effect.cell);
      action.content = find(action.cell, effect.value);
    }
  }
  Step step;
  step.call = EventTimes::at(operation.invoke_at);
  if (ok) step.ret = EventTimes::at(operation.complete_at);
  steps_.push_back(step);
  actions_.push_back(action);
  sources_.push_back(&operation);
}

void Cells::give_classes() {
  std::map<std::tuple<bool, Kind, uint32_t, Content>, uint32_t> classes;
  for (uint32_t i = 0; i < steps_.size(); i++) {
    const Action& action = actions_[i];
    if (!writes(i)) continue;
    const auto number = static_cast<uint32_t>(classes.size());
    const auto key = std::tuple(steps_[i].required(), action.kind, action.cell, action.content);
    steps_[i].same_class = classes.try_emplace(key, number).first->second;
  }
}

void Cells::give_blocks() {
  block_of_.resize(content_count_, Blocks::kNone);
  std::vector<uint32_t> writers(content_count_, 0);
  for (uint32_t i = 0; i < steps_.size(); i++) {
    if (writes(i)) writers[actions_[i].content]++;
  }
  const auto has_block = [&](Content content) {
    return content >= 2 * cells_.size() && writers[content] == 1;
  };
  for (uint32_t i = 0; i < steps_.size(); i++) {
    if (!writes(i)) continue;
    Action& action = actions_[i];
    action.block = blocks_.add(action.cell);
    blocks_.include(action.block, steps_[i].call, steps_[i].ret);
    if (has_block(action.content)) block_of_[action.content] = action.block;
  }
  const auto read = [&](Content content, const Step& step) {
    if (block_of_[content] != Blocks::kNone) {
      blocks_.include(block_of_[content], step.call, step.ret);
    }
  };
  for (uint32_t i = 0; i < steps_.size(); i++) {
    const Action& action = actions_[i];
    if (action.kind != Kind::kRead) continue;
    if (action.all) {
      for_each(action.content, depth_, 0, [&](Content content) { read(content, steps_[i]); });
    } else {
      read(action.content, steps_[i]);
    }
  }
  blocks_.seal();
}

void Cells::count(uint32_t step, int32_t change) {
  const Action& action = actions_[step];
  if (action.kind == Kind::kImpossible) return;
  const auto count_block = [&](uint32_t block) {
    if (block == Blocks::kNone) return;
    change < 0 ? blocks_.place(block) : blocks_.take_back(block);
  };
  const auto read = [&](Content content) {
    needed_[content] += change;
    count_block(block_of_[content]);
  };
  if (action.all) {
    for_each(action.content, depth_, 0, read);
  } else if (action.kind == Kind::kRead) {
    read(action.content);
  } else {
    made_[action.content] += change;
    count_block(action.block);
  }
}

Cells::Content Cells::at(uint32_t root, uint32_t cell) const {
  for (uint32_t bit = depth_; bit-- > 0;) {
    root = (cell >> bit & 1) != 0 ? pairs_.right(root) : pairs_.left(root);
  }
  return root;
}

uint32_t Cells::with(uint32_t root, uint32_t depth, uint32_t cell, Content content) {
  if (depth == 0) return content;
  const uint32_t left = pairs_.left(root);
  const uint32_t right = pairs_.right(root);
  if ((cell >> (depth - 1) & 1) != 0) {
    return pairs_.intern(left, with(right, depth - 1, cell, content));
  }
  return pairs_.intern(with(left, depth - 1, cell, content), right);
}

template <typename F>
void Cells::for_each(uint32_t root, uint32_t depth, uint32_t first_cell, const F& visit) const {
  if (first_cell >= cells_.size()) return;
  if (depth == 0) {
    visit(root);
    return;
  }
  for_each(pairs_.left(root), depth - 1, first_cell, visit);
  for_each(pairs_.right(root), depth - 1, first_cell + (1U << (depth - 1)), visit);
}

uint64_t Cells::step(uint64_t state, uint32_t step) {
  const Action& action = actions_[step];
  const auto root = static_cast<uint32_t>(state);
  if (action.kind == Kind::kImpossible) return kRefused;
  if (action.all) return root == action.content ? state : kRefused;
  const Content found = at(root, action.cell);
  switch (action.kind) {
    case Kind::kRead: return found == action.content ? state : kRefused;
    case Kind::kWriteNew:
      if (!is_nil(found)) return kRefused;
      break;
    case Kind::kWriteOver:
      if (is_nil(found)) return kRefused;
      break;
    default: break;
  }
  if (blocks_.must_wait(action.block)) return kRefused;
  return with(root, depth_, action.cell, action.content);
}

bool Cells::settled(uint64_t state, uint32_t step) const {
  const Action& action = actions_[step];
  if (action.kind != Kind::kRead) return false;
  const auto root = static_cast<uint32_t>(state);
  return (action.all ? root : at(root, action.cell)) == action.content;
}

bool Cells::hopeless(uint64_t from, uint64_t to) const {
  auto before = static_cast<uint32_t>(from);
  auto after = static_cast<uint32_t>(to);
  if (before == after) return false;
  for (uint32_t depth = depth_; depth > 0; depth--) {
    const bool left_differs = pairs_.left(before) != pairs_.left(after);
    before = left_differs ? pairs_.left(before) : pairs_.right(before);
    after = left_differs ? pairs_.left(after) : pairs_.right(after);
  }
  return needed_[before] > 0 && made_[before] == 0;
}

bool Cells::enables(uint32_t step, uint32_t front) const {
  const Action& wanted = actions_[front];
  if (wanted.kind == Kind::kImpossible) return false;
  const Action& action = actions_[step];
  if (wanted.kind == Kind::kRead) {
    // Whoever changes a cell last before it leaves there what is read.
    if (!writes(step)) return false;
    if (wanted.all) return at(wanted.content, action.cell) == action.content;
    return action.cell == wanted.cell && action.content == wanted.content;
  }
  // A write may also wait for readers of values that come before.
  if (action.all) return true;
  return action.cell == wanted.cell && action.kind != Kind::kImpossible;
}

}  // namespace seatrial::checkers
