#include "checkers/models/cell.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

namespace seatrial::checkers {
namespace {

constexpr Micros kSlack = std::chrono::milliseconds(2);

std::string text_of(const Value& value) {
  return value.is_integer() ? fmt::format("{}", value.as_integer()) : std::string(value.as_text());
}

bool is_scalar(const Value& value) { return value.is_integer() || value.is_text(); }

// The value a set writes, and its px or 0.
std::pair<Value, int64_t> set_argument(const Value& argument) {
  if (!argument.is_object()) return {argument, 0};
  const Value* value = argument.find("v");
  const Value* px = argument.find("px");
  CHECK(value != nullptr && px != nullptr);
  return {*value, px->as_integer()};
}

}  // namespace

Value canonical(const Value& value) {
  if (!value.is_text()) return value;
  const std::string_view text = value.as_text();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return value;
  // "07" and "-0" are texts: INCR would write them otherwise.
  return fmt::format("{}", number) == text ? Value::integer(number) : value;
}

EventTimes::EventTimes(const History& history) : times_(history.events()) {
  for (const Operation& operation : history.operations()) {
    times_[operation.invoke_at] = operation.invoke_time;
    if (operation.complete_at != kNeverAt) {
      times_[operation.complete_at] = operation.complete_time;
    }
  }
  CHECK(std::ranges::is_sorted(times_));
}

uint32_t EventTimes::before(Micros time) const {
  const auto first = std::ranges::lower_bound(times_, time);
  return 2 * static_cast<uint32_t>(first - times_.begin());
}

uint32_t EventTimes::after(Micros time) const {
  const auto past = std::ranges::upper_bound(times_, time);
  if (past == times_.end()) return kNeverAt;
  return 2 * static_cast<uint32_t>(past - times_.begin());
}

Cell::Cell(std::span<const Claim> operations, const EventTimes& times, const CellOptions& options) {
  intern_exactly(Value());
  CHECK(value_ids_.size() == 1);
  values_.push_back(Value());  // kAnyOther has no content.
  choose_abstraction(operations);
  for (const Claim& operation : operations) add(operation, times, options);
  give_classes();
  needed_.resize(values_.size());
  made_.resize(values_.size());
  suffixes_of_.resize(values_.size());
  group_suffixes();
  for (uint32_t step = 0; step < steps_.size(); step++) count(step, +1);
  find_bases();
}

void Cell::choose_abstraction(std::span<const Claim> operations) {
  exact_ = false;
  std::vector<Value> observed;
  const auto observe = [&](const Value& value) {
    if (is_scalar(value)) observed.push_back(canonical(value));
  };
  for (const auto& [operation, completion] : operations) {
    const bool ok = completion == Completion::kOk;
    switch (operation->function) {
      case Function::kGet:
      case Function::kGetset:
        if (ok) observe(operation->result);
        break;
      case Function::kCas: observe(operation->argument.items()[0]); break;
      case Function::kIncr: exact_ = true; break;
      case Function::kAppend:
        appends_ = true;
        if (ok && operation->result.is_integer()) exact_ = true;
        break;
      default: break;
    }
  }
  for (const Value& value : observed) {
    intern_exactly(value);
    if (appends_) observed_.push_back(text_of(value));
  }
  std::ranges::sort(observed_);
}

Cell::ValueId Cell::intern_exactly(const Value& value) {
  const Value form = canonical(value);
  if (const auto found = value_ids_.find(form); found != value_ids_.end()) return found->second;
  const auto id = static_cast<ValueId>(values_.size());
  const Value kept = form.copy_to(arena_);
  values_.push_back(kept);
  value_ids_.emplace(kept, id);
  return id;
}

Cell::ValueId Cell::intern(const Value& value) {
  if (exact_ || value.is_nil()) return intern_exactly(value);
  if (!appends_) {
    const auto found = value_ids_.find(canonical(value));
    return found == value_ids_.end() ? kAnyOther : found->second;
  }
  // What no observed value begins with can only be appended to, unseen, until it is replaced.
  const std::string text = text_of(value);
  const auto at = std::ranges::lower_bound(observed_, text);
  if (at == observed_.end() || !at->starts_with(text)) return kAnyOther;
  return intern_exactly(value);
}

void Cell::add(const Claim& source, const EventTimes& times, const CellOptions& options) {
  const Operation& operation = *source.operation;
  const bool ok = source.completion == Completion::kOk;
  CHECK(source.completion != Completion::kFailed && (!ok || operation.ok()));
  if (!ok && operation.function == Function::kGet) return;
  Step step;
  step.call = EventTimes::at(operation.invoke_at);
  if (ok) step.ret = EventTimes::at(operation.complete_at);
  const auto index = static_cast<uint32_t>(steps_.size());
  const Action action = ok ? known_action(operation) : unknown_action(operation);
  steps_.push_back(step);
  actions_.push_back(action);
  sources_.push_back(&operation);
  if (action.deadline) add_expiry(source, index, times, options);
}

Cell::Action Cell::known_action(const Operation& operation) {
  const Value& argument = operation.argument;
  const Value& result = operation.result;
  const bool is_one = result == Value::integer(1);
  const bool is_zero = result == Value::integer(0);
  const bool is_done = result == Value::text("OK");
  const bool is_value = is_scalar(result) || result.is_nil();
  switch (operation.function) {
    case Function::kGet:
      if (!is_value) return {};
      return {.kind = Kind::kRead, .need = intern_exactly(result)};
    case Function::kSet: return is_done ? unknown_action(operation) : Action{};
    case Function::kCas: {
      const ValueId old = intern_exactly(argument.items()[0]);
      if (is_zero) return {.kind = Kind::kReadNot, .need = old};
      if (!is_one) return {};
      return {.kind = Kind::kReadWrite, .need = old, .make = intern(argument.items()[1])};
    }
    case Function::kDel:
      if (is_one) return {.kind = Kind::kDelSome, .make = kNil};
      return is_zero ? Action{.kind = Kind::kRead, .need = kNil} : Action{};
    case Function::kIncr:
      if (!result.is_integer() || result.as_integer() == std::numeric_limits<int64_t>::min()) {
        return {};
      }
      return {.kind = Kind::kIncrTo,
              .need = intern_exactly(Value::integer(result.as_integer() - 1)),
              .make = intern_exactly(result)};
    case Function::kGetset:
      if (!is_value) return {};
      return {.kind = Kind::kReadWrite, .need = intern_exactly(result), .make = intern(argument)};
    case Function::kAppend: {
      Action action = unknown_action(operation);
      if (result.is_integer()) action.length = std::max<int64_t>(result.as_integer(), 0);
      return is_done || result.is_integer() ? action : Action{};
    }
    default: break;
  }
  UNREACHABLE("{} is no function of one key", to_string(operation.function));
}

Cell::Action Cell::unknown_action(const Operation& operation) {
  const Value& argument = operation.argument;
  switch (operation.function) {
    case Function::kSet: {
      const auto [value, px_ms] = set_argument(argument);
      return {.kind = Kind::kWrite, .deadline = px_ms > 0, .make = intern(value)};
    }
    case Function::kCas:
      return {.kind = Kind::kMaybeCas,
              .need = intern_exactly(argument.items()[0]),
              .make = intern(argument.items()[1])};
    case Function::kDel: return {.kind = Kind::kWrite, .make = kNil};
    case Function::kIncr: return {.kind = Kind::kIncr};
    case Function::kGetset: return {.kind = Kind::kWrite, .make = intern(argument)};
    case Function::kAppend: return {.kind = Kind::kAppend, .make = intern_exactly(argument)};
    default: break;
  }
  UNREACHABLE("{} leaves no trace on one key", to_string(operation.function));
}

void Cell::add_expiry(const Claim& source, uint32_t set, const EventTimes& times,
                      const CellOptions& options) {
  const Operation& operation = *source.operation;
  const Micros px = std::chrono::milliseconds(set_argument(operation.argument).second);
  const Micros slack = kSlack + options.clock_skew;
  Step step;
  step.after = set;
  step.call = std::max(times.before(operation.invoke_time + px - slack), steps_[set].call);
  if (source.completion == Completion::kOk) {
    step.ret = times.after(operation.complete_time + px + slack);
    if (step.ret > EventTimes::at(std::min(options.events, kNeverAt / 4))) step.ret = kNeverAt;
  }
  steps_.push_back(step);
  actions_.push_back({.kind = Kind::kExpire, .make = kNil, .owner = set});
  sources_.push_back(nullptr);
}

// Operations that do the same, whenever they do it, are interchangeable.
void Cell::give_classes() {
  std::map<std::tuple<bool, Kind, ValueId, ValueId, int64_t>, uint32_t> classes;
  for (uint32_t i = 0; i < steps_.size(); i++) {
    const Action& action = actions_[i];
    if (action.deadline || action.kind == Kind::kExpire || action.kind == Kind::kImpossible ||
        action.kind == Kind::kRead || action.kind == Kind::kReadNot) {
      continue;
    }
    const auto number = static_cast<uint32_t>(classes.size());
    const auto key =
        std::tuple(steps_[i].required(), action.kind, action.need, action.make, action.length);
    steps_[i].same_class = classes.try_emplace(key, number).first->second;
  }
}

// An append can leave only values that end with what it appends.
void Cell::group_suffixes() {
  if (!appends_) return;
  std::unordered_map<std::string, uint32_t> groups;
  std::vector<size_t> lengths;
  for (Action& action : actions_) {
    if (action.kind != Kind::kAppend) continue;
    const std::string suffix = text_of(values_[action.make]);
    action.suffix = groups.try_emplace(suffix, static_cast<uint32_t>(groups.size())).first->second;
    lengths.push_back(suffix.size());
  }
  appends_left_.resize(groups.size());
  std::ranges::sort(lengths);
  lengths.erase(std::ranges::unique(lengths).begin(), lengths.end());
  for (ValueId value = 0; value < values_.size(); value++) {
    if (values_[value].is_nil()) continue;
    const std::string text = text_of(values_[value]);
    for (size_t length : lengths) {
      if (length > text.size()) break;
      const auto group = groups.find(text.substr(text.size() - length));
      if (group != groups.end()) suffixes_of_[value].push_back(group->second);
    }
  }
}

void Cell::count(uint32_t step, int32_t change) {
  const Action& action = actions_[step];
  switch (action.kind) {
    case Kind::kImpossible:
    case Kind::kReadNot: break;
    case Kind::kRead: needed_[action.need] += change; break;
    case Kind::kReadWrite:
      needed_[action.need] += change;
      made_[action.make] += change;
      break;
    case Kind::kIncrTo:
      // The first one also takes nil for 0, so it asks for nothing in particular.
      if (values_[action.make].as_integer() != 1) needed_[action.need] += change;
      made_[action.make] += change;
      break;
    case Kind::kWrite:
    case Kind::kMaybeCas:
    case Kind::kDelSome:
    case Kind::kExpire: made_[action.make] += change; break;
    case Kind::kIncr: incrs_left_ += change; break;
    case Kind::kAppend: appends_left_[action.suffix] += change; break;
  }
}

// Increments of unknown outcome, one for each step up, lead to a value from a smaller one that
// somebody else writes; or from the one that is there now; or from nil.
void Cell::find_bases() {
  bases_.resize(values_.size());
  const int32_t increments = incrs_left_;
  if (increments == 0) return;
  for (ValueId value = 0; value < needed_.size(); value++) {
    if (needed_[value] == 0 || !values_[value].is_integer()) continue;
    const int64_t number = values_[value].as_integer();
    for (int32_t distance = 1; distance <= increments; distance++) {
      if (number < std::numeric_limits<int64_t>::min() + distance) break;
      const auto base = value_ids_.find(Value::integer(number - distance));
      if (base == value_ids_.end() || base->second >= made_.size()) continue;
      if (made_[base->second] > 0) bases_[value].push_back({distance, base->second});
    }
  }
}

// Whether `lost` can be there again, when `now` is there instead.
bool Cell::may_return(ValueId lost, ValueId now) const {
  if (made_[lost] > 0) return true;
  if (std::ranges::any_of(suffixes_of_[lost],
                          [&](uint32_t group) { return appends_left_[group] > 0; })) {
    return true;
  }
  if (incrs_left_ == 0 || !values_[lost].is_integer()) return false;
  // An append may leave any number to count from.
  if (appends_) return true;
  const int64_t number = values_[lost].as_integer();
  if (number > 0 && number <= incrs_left_) return true;  // From nil, if it is deleted.
  if (values_[now].is_integer()) {
    const int64_t from = values_[now].as_integer();
    if (from < number && from >= number - incrs_left_) return true;
  }
  return std::ranges::any_of(bases_[lost], [&](const Base& base) {
    return base.distance <= incrs_left_ && made_[base.value] > 0;
  });
}

bool Cell::hopeless(uint64_t from, uint64_t to) const {
  const ValueId lost = value_of(from);
  if (lost == value_of(to) || lost >= needed_.size() || needed_[lost] == 0) return false;
  return !may_return(lost, value_of(to));
}

uint64_t Cell::step(uint64_t state, uint32_t step) {
  const Action& action = actions_[step];
  const ValueId value = value_of(state);
  switch (action.kind) {
    case Kind::kImpossible: return kRefused;
    case Kind::kRead: return value == action.need ? state : kRefused;
    case Kind::kReadNot: return value != action.need ? state : kRefused;
    case Kind::kWrite:
      return action.deadline ? (uint64_t{step} + 1) << 32 | action.make : action.make;
    case Kind::kReadWrite: return value == action.need ? action.make : kRefused;
    case Kind::kMaybeCas: return value == action.need ? action.make : state;
    case Kind::kDelSome: return value != kNil ? kNil : kRefused;
    case Kind::kIncrTo: {
      const bool first = value == kNil && values_[action.make].as_integer() == 1;
      return value == action.need || first ? with_value(state, action.make) : kRefused;
    }
    case Kind::kIncr: return with_value(state, incremented(value));
    case Kind::kAppend: {
      const ValueId after = appended(value, action.make);
      if (action.length < 0) return with_value(state, after);
      const auto length = static_cast<int64_t>(text_of(values_[after]).size());
      return length == action.length ? with_value(state, after) : kRefused;
    }
    case Kind::kExpire: return owner_of(state) == action.owner + 1 ? kNil : state;
  }
  return kRefused;
}

bool Cell::settled(uint64_t state, uint32_t step) const {
  const Action& action = actions_[step];
  switch (action.kind) {
    case Kind::kRead: return value_of(state) == action.need;
    case Kind::kReadNot: return value_of(state) != action.need;
    // Its set is placed, and no longer gives the deadline: it never will again.
    case Kind::kExpire: return owner_of(state) != action.owner + 1;
    default: return false;
  }
}

bool Cell::enables(uint32_t step, uint32_t front) const {
  const Action& wanted = actions_[front];
  const bool definite = wanted.kind == Kind::kRead || wanted.kind == Kind::kReadWrite ||
                        (wanted.kind == Kind::kIncrTo && values_[wanted.make].as_integer() != 1);
  if (!definite) return wanted.kind != Kind::kImpossible;
  const Action& action = actions_[step];
  switch (action.kind) {
    case Kind::kImpossible:
    case Kind::kRead:
    case Kind::kReadNot: return false;
    case Kind::kWrite:
    case Kind::kReadWrite:
    case Kind::kMaybeCas:
    case Kind::kDelSome:
    case Kind::kIncrTo:
    case Kind::kExpire: return action.make == wanted.need;
    case Kind::kIncr: return true;
    case Kind::kAppend:
      return std::ranges::find(suffixes_of_[wanted.need], action.suffix) !=
             suffixes_of_[wanted.need].end();
  }
  return true;
}

Cell::ValueId Cell::incremented(ValueId value) {
  if (value >= incremented_.size()) incremented_.resize(value + 1, kNoValue);
  if (incremented_[value] != kNoValue) return incremented_[value];
  ValueId result = value;
  if (value == kNil) {
    result = intern_exactly(Value::integer(1));
  } else if (values_[value].is_integer() &&
             values_[value].as_integer() < std::numeric_limits<int64_t>::max()) {
    result = intern_exactly(Value::integer(values_[value].as_integer() + 1));
  }  // Anything else is an error to the server, and stays as it is.
  incremented_[value] = result;
  return result;
}

Cell::ValueId Cell::appended(ValueId value, ValueId suffix) {
  if (value == kAnyOther) return kAnyOther;
  const auto [slot, is_new] = appended_.try_emplace(uint64_t{value} << 32 | suffix, kNoValue);
  if (!is_new) return slot->second;
  std::string text = value == kNil ? std::string() : text_of(values_[value]);
  text += text_of(values_[suffix]);
  const ValueId result = intern(Value::text(text));
  slot->second = result;
  return result;
}

}  // namespace seatrial::checkers
