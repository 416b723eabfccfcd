#include "checkers/models/sequence.h"

#include "base/check.h"
#include "base/random.h"
#include "checkers/models/cell.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace seatrial::checkers {
namespace {

// Odd, so that no power of it is 0.
constexpr uint64_t kHashBase = 0x9e3779b97f4a7c15U;

}  // namespace

Sequences::Sequences() {
  buffers_.emplace_back();
  lists_.push_back({});
  grow();
}

uint64_t Sequences::power(uint32_t exponent) {
  uint64_t result = 1;
  for (uint64_t base = kHashBase; exponent > 0; exponent >>= 1, base *= base) {
    if ((exponent & 1) != 0) result *= base;
  }
  return result;
}

Sequences::Id Sequences::pushed(Id list, uint32_t item) {
  List next = lists_[list];
  next.hash = next.hash * kHashBase + base::mix64(item);
  std::vector<uint32_t>& buffer = buffers_[next.buffer];
  if (next.end == buffer.size()) {
    buffer.push_back(item);
    buffer_items_++;
    next.end++;
    const Id id = intern(next);
    return id;
  }
  if (buffer[next.end] == item) {
    next.end++;
    return intern(next);
  }
  // Another branch goes on where this list ends: it needs a buffer of its own.
  const std::span<const uint32_t> before = items(list);
  std::vector<uint32_t> copy(before.begin(), before.end());
  copy.push_back(item);
  next.buffer = static_cast<uint32_t>(buffers_.size());
  next.begin = 0;
  next.end = static_cast<uint32_t>(copy.size());
  buffer_items_ += copy.size();
  buffers_.push_back(std::move(copy));
  const Id id = intern(next);
  if (lists_[id].buffer != next.buffer) {
    buffer_items_ -= buffers_.back().size();
    buffers_.pop_back();
  }
  return id;
}

Sequences::Id Sequences::popped(Id list) {
  List next = lists_[list];
  CHECK(next.begin < next.end);
  const uint32_t length = next.end - next.begin;
  if (length == 1) return kEmpty;
  next.hash -= base::mix64(front(list)) * power(length - 1);
  next.begin++;
  return intern(next);
}

Sequences::Id Sequences::intern(const List& list) {
  if (lists_.size() * 2 > table_.size()) grow();
  const auto wanted = std::span(buffers_[list.buffer]).subspan(list.begin, list.end - list.begin);
  const size_t mask = table_.size() - 1;
  for (size_t i = base::mix64(list.hash) & mask;; i = (i + 1) & mask) {
    if (table_[i] == 0) {
      lists_.push_back(list);
      table_[i] = static_cast<uint32_t>(lists_.size());
      return table_[i] - 1;
    }
    const List& found = lists_[table_[i] - 1];
    if (found.hash != list.hash) continue;
    const bool same_place = found.buffer == list.buffer && found.begin == list.begin;
    if (same_place ? found.end == list.end : std::ranges::equal(items(table_[i] - 1), wanted)) {
      return table_[i] - 1;
    }
  }
}

void Sequences::grow() {
  table_.assign(std::max<size_t>(table_.size() * 2, 64), 0);
  const size_t mask = table_.size() - 1;
  for (uint32_t id = 0; id < lists_.size(); id++) {
    size_t i = base::mix64(lists_[id].hash) & mask;
    while (table_[i] != 0) i = (i + 1) & mask;
    table_[i] = id + 1;
  }
}

uint64_t Sequences::bytes() const {
  return lists_.capacity() * sizeof(List) + table_.capacity() * sizeof(uint32_t) +
         buffer_items_ * sizeof(uint32_t) + buffers_.capacity() * sizeof(std::vector<uint32_t>);
}

Sequence::Sequence(std::span<const Claim> operations) {
  for (const Claim& claim : operations) add(claim);
  pushes_left_.resize(items_.size());
  pops_left_.resize(items_.size());
  for (uint32_t i = 0; i < steps_.size(); i++) {
    if (actions_[i].kind == Kind::kPush) pushes_left_[actions_[i].item]++;
    if (actions_[i].kind == Kind::kPop) pops_left_[actions_[i].item]++;
  }
  pushes_ = pushes_left_;
  pops_ = pops_left_;
  give_classes();
  give_blocks();
  give_turns();
  give_hints();
}

uint32_t Sequence::intern(const Value& value) {
  return items_.try_emplace(canonical(value), static_cast<uint32_t>(items_.size())).first->second;
}

void Sequence::add(const Claim& claim) {
  const Operation& operation = *claim.operation;
  const bool ok = claim.completion == Completion::kOk;
  CHECK(claim.completion != Completion::kFailed && (!ok || operation.ok()));
  if (!ok && operation.function == Function::kLrange) return;
  Action action;
  if (ok) {
    action = known_action(operation);
  } else if (operation.function == Function::kRpush) {
    action = {.kind = Kind::kPush, .item = intern(operation.argument)};
  } else {
    action = {.kind = Kind::kPopSome};
  }
  Step step;
  step.call = EventTimes::at(operation.invoke_at);
  if (ok) step.ret = EventTimes::at(operation.complete_at);
  steps_.push_back(step);
  actions_.push_back(action);
  sources_.push_back(&operation);
}

Sequence::Action Sequence::known_action(const Operation& operation) {
  const Value& result = operation.result;
  switch (operation.function) {
    case Function::kRpush: {
      Action action = {.kind = Kind::kPush, .item = intern(operation.argument)};
      if (!result.is_integer()) return result == Value::text("OK") ? action : Action{};
      if (result.as_integer() <= 0 || result.as_integer() >= kNoStep) return {};
      action.length = static_cast<uint32_t>(result.as_integer());
      return action;
    }
    case Function::kLpop:
      if (result.is_nil()) return {.kind = Kind::kSeeEmpty};
      return {.kind = Kind::kPop, .item = intern(result)};
    case Function::kLrange: {
      uint32_t list = Sequences::kEmpty;
      for (const Value& item : result.items()) list = lists_.pushed(list, intern(item));
      return {.kind = Kind::kSee, .item = list};
    }
    default: break;
  }
  UNREACHABLE("{} is no function of a list", to_string(operation.function));
}

void Sequence::give_classes() {
  std::map<std::tuple<bool, Kind, uint32_t, uint32_t>, uint32_t> classes;
  for (uint32_t i = 0; i < steps_.size(); i++) {
    const Action& action = actions_[i];
    if (action.kind != Kind::kPush && action.kind != Kind::kPop && action.kind != Kind::kPopSome) {
      continue;
    }
    const auto number = static_cast<uint32_t>(classes.size());
    const auto key = std::tuple(steps_[i].required(), action.kind, action.item, action.length);
    steps_[i].same_class = classes.try_emplace(key, number).first->second;
  }
}

// What is popped first was pushed first: an item's push must wait for that of another whose pop
// returned before its own was called. An item that nobody pops comes after all that are, unless
// a pop of unknown outcome may have taken it.
void Sequence::give_blocks() {
  pop_of_.assign(items_.size(), kNoStep);
  bool pops_some = false;
  for (uint32_t i = 0; i < steps_.size(); i++) {
    if (actions_[i].kind == Kind::kPop) pop_of_[actions_[i].item] = i;
    pops_some = pops_some || actions_[i].kind == Kind::kPopSome;
  }
  for (uint32_t i = 0; i < steps_.size(); i++) {
    Action& action = actions_[i];
    if (action.kind != Kind::kPush || pushes_left_[action.item] != 1) continue;
    if (pops_left_[action.item] > 1) continue;  // One of them finds nothing, whatever is done.
    const uint32_t pop = pop_of_[action.item];
    if (pop != kNoStep) {
      action.block = blocks_.add(0);
      blocks_.include(action.block, steps_[pop].call, steps_[pop].ret);
    } else if (!pops_some && steps_[i].required()) {
      action.block = blocks_.add(0);
      blocks_.include(action.block, kNeverAt, kNeverAt);
    }
  }
  blocks_.seal();
}

void Sequence::give_turns() {
  std::vector<Turns::Span> pops;
  std::vector<uint32_t> number(steps_.size(), Turns::kNone);
  bool pops_some = false;
  for (uint32_t i = 0; i < steps_.size(); i++) {
    if (actions_[i].kind != Kind::kPop && actions_[i].kind != Kind::kPopSome) continue;
    pops_some = pops_some || actions_[i].kind == Kind::kPopSome;
    number[i] = static_cast<uint32_t>(pops.size());
    pops.push_back({steps_[i].call, steps_[i].ret});
  }
  std::vector<Turns::Push> pushes;
  for (uint32_t i = 0; i < steps_.size(); i++) {
    Action& action = actions_[i];
    if (action.kind != Kind::kPush) continue;
    action.turn = static_cast<uint32_t>(pushes.size());
    const uint32_t pop = pop_of_[action.item];
    pushes.push_back({.span = {steps_[i].call, steps_[i].ret},
                      .length = action.length,
                      .alone = pushes_[action.item] == 1 && pops_[action.item] <= 1,
                      .pop = pop == kNoStep ? Turns::kNone : number[pop],
                      .stays = pop == kNoStep && !pops_some});
  }
  turns_ = Turns(pushes, pops);
}

void Sequence::give_hints() {
  ranks_ = true;
  for (const Action& action : actions_) {
    if (action.kind == Kind::kSee || action.kind == Kind::kPopSome) ranks_ = false;
  }
  hints_.resize(steps_.size());
  for (uint32_t i = 0; i < steps_.size(); i++) {
    hints_[i] = steps_[i].ret;
    if (actions_[i].kind != Kind::kPush) continue;
    const uint32_t pop = pop_of_[actions_[i].item];
    hints_[i] = pop == kNoStep ? kNeverAt : steps_[pop].call / 2 + steps_[pop].ret / 2;
  }
}

bool Sequence::outranks(uint32_t a, uint32_t b) const {
  const Action& first = actions_[a];
  const Action& second = actions_[b];
  if (!ranks_ || first.kind != Kind::kPush || second.kind != Kind::kPush) return false;
  if (first.length != second.length || steps_[a].ret > steps_[b].ret) return false;
  const auto once = [&](uint32_t item) { return pushes_[item] == 1 && pops_[item] <= 1; };
  if (!once(first.item) || !once(second.item)) return false;
  const uint32_t pop_a = pop_of_[first.item];
  const uint32_t pop_b = pop_of_[second.item];
  if (pop_b == kNoStep) return pop_a != kNoStep || a < b;
  return pop_a != kNoStep && steps_[pop_a].call < steps_[pop_b].call &&
         steps_[pop_a].ret < steps_[pop_b].ret;
}

void Sequence::count(uint32_t step, int32_t change) {
  const Action& action = actions_[step];
  if (action.kind == Kind::kPop) pops_left_[action.item] += change;
  // One of unknown outcome is placed only where it takes something.
  if (action.kind == Kind::kPop || action.kind == Kind::kPopSome) turns_.place_pops(-change);
  if (action.kind != Kind::kPush) return;
  pushes_left_[action.item] += change;
  turns_.place(action.turn, -change);
  if (action.block == Blocks::kNone) return;
  change < 0 ? blocks_.place(action.block) : blocks_.take_back(action.block);
}

uint64_t Sequence::step(uint64_t state, uint32_t step) {
  const Action& action = actions_[step];
  const auto list = static_cast<Sequences::Id>(state);
  const bool empty = list == Sequences::kEmpty;
  switch (action.kind) {
    case Kind::kImpossible: return kRefused;
    case Kind::kPush:
      if (action.length != 0 && lists_.length(list) + 1 != action.length) return kRefused;
      if (action.block != Blocks::kNone && blocks_.must_wait(action.block)) return kRefused;
      if (!turns_.fits(action.turn)) return kRefused;
      return lists_.pushed(list, action.item);
    case Kind::kPop:
      if (empty || lists_.front(list) != action.item || !turns_.pop_fits()) return kRefused;
      return lists_.popped(list);
    case Kind::kPopSome:
      if (empty) return state;
      return turns_.pop_fits() ? lists_.popped(list) : kRefused;
    case Kind::kSeeEmpty: return empty ? state : kRefused;
    case Kind::kSee: return list == action.item ? state : kRefused;
  }
  return kRefused;
}

bool Sequence::settled(uint64_t state, uint32_t step) const {
  const Action& action = actions_[step];
  if (action.kind == Kind::kSeeEmpty) return state == Sequences::kEmpty;
  return action.kind == Kind::kSee && state == action.item;
}

// An item was taken that somebody must still take, and that was there but once.
bool Sequence::hopeless(uint64_t from, uint64_t to) const {
  if (from == Sequences::kEmpty || lists_.length(static_cast<Sequences::Id>(from)) <=
                                       lists_.length(static_cast<Sequences::Id>(to))) {
    return false;
  }
  const uint32_t item = lists_.front(static_cast<Sequences::Id>(from));
  return pops_left_[item] > 0 && pushes_[item] == 1;
}

bool Sequence::enables(uint32_t step, uint32_t front) const {
  const Action& wanted = actions_[front];
  const Action& action = actions_[step];
  const bool pushes = action.kind == Kind::kPush;
  const bool pops = action.kind == Kind::kPop || action.kind == Kind::kPopSome;
  switch (wanted.kind) {
    case Kind::kImpossible: return false;
    case Kind::kSeeEmpty: return pops;
    case Kind::kPop: return pops || pushes;
    default: return pushes || pops;
  }
}

}  // namespace seatrial::checkers
