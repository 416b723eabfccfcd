#include "checkers/models/counter.h"

#include "base/check.h"
#include "checkers/collection_shapes.h"
#include "checkers/models/cell.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace seatrial::checkers {

CounterEffect counter_effect(const Operation& operation, bool known) {
  CounterEffect effect;
  switch (operation.function) {
    case Function::kGet: effect.reads = true; break;
    case Function::kIncr: effect.amount = 1; break;
    case Function::kIncrby: effect.amount = operation.argument.as_integer(); break;
    case Function::kDecrby: effect.amount = -operation.argument.as_integer(); break;
    default: UNREACHABLE("{} is no function of a counter", to_string(operation.function));
  }
  if (!known) return effect;
  const Value result = canonical(operation.result);
  if (effect.reads && result.is_nil()) {
    effect.found = 0;
  } else if (result.is_integer() && result.as_integer() >= -kNumberMax &&
             result.as_integer() <= kNumberMax) {
    effect.found = result.as_integer() - effect.amount;
  } else {
    effect.possible = false;
  }
  return effect;
}

Counter::Counter(std::span<const Claim> operations) {
  std::map<std::tuple<bool, int64_t, int64_t>, uint32_t> classes;
  for (const auto& [operation, completion] : operations) {
    const bool ok = completion == Completion::kOk;
    CHECK(completion != Completion::kFailed && (!ok || operation->ok()));
    const CounterEffect effect = counter_effect(*operation, ok);
    if (!ok && (effect.reads || effect.amount == 0)) continue;
    Step step;
    step.call = 2 * operation->invoke_at + 1;
    if (ok) step.ret = 2 * operation->complete_at + 1;
    if (!effect.reads && effect.possible) {
      const auto key = std::tuple(ok, effect.amount, effect.found.value_or(0));
      const auto number = static_cast<uint32_t>(classes.size());
      step.same_class = classes.try_emplace(key, number).first->second;
    }
    rises_ = rises_ && effect.amount >= 0;
    if (effect.found) wanted_.push_back({.number = *effect.found});
    steps_.push_back(step);
    effects_.push_back(effect);
    sources_.push_back(operation);
  }
  std::ranges::sort(wanted_, {}, &Wanted::number);
  const auto same = std::ranges::unique(wanted_, {}, &Wanted::number);
  wanted_.erase(same.begin(), same.end());
  for (uint32_t step = 0; step < steps_.size(); step++) {
    wanted_place_.push_back(kNoStep);
    if (!effects_[step].found) continue;
    const auto at = std::ranges::lower_bound(wanted_, *effects_[step].found, {}, &Wanted::number);
    wanted_place_.back() = static_cast<uint32_t>(at - wanted_.begin());
    at->left++;
  }
}

uint64_t Counter::step(uint64_t state, uint32_t step) const {
  const CounterEffect& effect = effects_[step];
  if (!effect.possible) return kRefused;
  const int64_t number = number_of(state);
  if (effect.found && number != *effect.found) return kRefused;
  return state_of(number + effect.amount);
}

bool Counter::settled(uint64_t state, uint32_t step) const {
  const CounterEffect& effect = effects_[step];
  return effect.possible && effect.amount == 0 && number_of(state) == effect.found;
}

void Counter::count(uint32_t step, int32_t change) {
  const uint32_t place = wanted_place_[step];
  if (place == kNoStep) return;
  wanted_[place].left += change;
  if (wanted_[place].left > 0) first_wanted_ = std::min<size_t>(first_wanted_, place);
  while (first_wanted_ < wanted_.size() && wanted_[first_wanted_].left == 0) first_wanted_++;
}

bool Counter::hopeless(uint64_t, uint64_t to) const {
  return rises_ && first_wanted_ < wanted_.size() && wanted_[first_wanted_].number < number_of(to);
}

bool Counter::enables(uint32_t step, uint32_t front) const {
  const CounterEffect& wanted = effects_[front];
  const CounterEffect& effect = effects_[step];
  if (!wanted.possible || !effect.possible || effect.amount == 0) return false;
  return !wanted.found || !effect.found || *effect.found + effect.amount == *wanted.found;
}

}  // namespace seatrial::checkers
