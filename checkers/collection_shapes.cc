#include "checkers/collection_shapes.h"

#include "base/check.h"

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

enum class Shape : uint8_t {
  kNone,
  kScalar,
  kScalarOrNull,
  kPair,        // [scalar, scalar]
  kScored,      // [number, scalar]
  kAmount,      // A number within kAmountMax.
  kNumber,      // A number within kNumberMax.
  kFlag,        // 1 or 0
  kLength,      // A number from 1 on, or "OK".
  kScore,       // A number or null.
  kList,        // [scalar...]
  kMembers,     // {name: scalar...}
  kScoredList,  // [[scalar, number]...]
};

struct Row {
  Function function;
  Shape argument;
  Shape result;
};

// One line a function.
constexpr std::array kRows = {
    Row{Function::kRpush, Shape::kScalar, Shape::kLength},
    Row{Function::kLpop, Shape::kNone, Shape::kScalarOrNull},
    Row{Function::kLrange, Shape::kNone, Shape::kList},
    Row{Function::kHset, Shape::kPair, Shape::kFlag},
    Row{Function::kHget, Shape::kScalar, Shape::kScalarOrNull},
    Row{Function::kHdel, Shape::kScalar, Shape::kFlag},
    Row{Function::kHgetall, Shape::kNone, Shape::kMembers},
    Row{Function::kSadd, Shape::kScalar, Shape::kFlag},
    Row{Function::kSrem, Shape::kScalar, Shape::kFlag},
    Row{Function::kSismember, Shape::kScalar, Shape::kFlag},
    Row{Function::kSmembers, Shape::kNone, Shape::kList},
    Row{Function::kZadd, Shape::kScored, Shape::kFlag},
    Row{Function::kZrem, Shape::kScalar, Shape::kFlag},
    Row{Function::kZscore, Shape::kScalar, Shape::kScore},
    Row{Function::kZrange, Shape::kNone, Shape::kScoredList},
    Row{Function::kIncrby, Shape::kAmount, Shape::kNumber},
    Row{Function::kDecrby, Shape::kAmount, Shape::kNumber},
};

const Row* find_row(Function function) {
  const auto row = std::ranges::find(kRows, function, &Row::function);
  return row == kRows.end() ? nullptr : &*row;
}

bool is_scalar(const Value& value) { return value.is_integer() || value.is_text(); }
bool is_within(const Value& value, int64_t limit) {
  return value.is_integer() && value.as_integer() >= -limit && value.as_integer() <= limit;
}
bool is_scored(const Value& member, const Value& score) {
  return is_scalar(member) && is_within(score, kNumberMax);
}

bool are_members(const Value& object) {
  if (!object.is_object()) return false;
  for (size_t i = 1; i < object.items().size(); i += 2) {
    if (!is_scalar(object.items()[i])) return false;
  }
  return true;
}

bool is_pair_of(const Value& value, bool (*fits)(const Value&, const Value&)) {
  return value.is_list() && value.items().size() == 2 && fits(value.items()[0], value.items()[1]);
}

bool fits(Shape shape, const Value& value) {
  switch (shape) {
    case Shape::kNone: return value.is_nil();
    case Shape::kScalar: return is_scalar(value);
    case Shape::kScalarOrNull: return is_scalar(value) || value.is_nil();
    case Shape::kPair:
      return is_pair_of(
          value, [](const Value& a, const Value& b) { return is_scalar(a) && is_scalar(b); });
    case Shape::kScored:
      return is_pair_of(value, [](const Value& a, const Value& b) { return is_scored(b, a); });
    case Shape::kAmount: return is_within(value, kAmountMax);
    case Shape::kNumber: return is_within(value, kNumberMax);
    case Shape::kFlag: return value == Value::integer(0) || value == Value::integer(1);
    case Shape::kLength:
      return value == Value::text("OK") || (is_within(value, kNumberMax) && value.as_integer() > 0);
    case Shape::kScore: return value.is_nil() || is_within(value, kNumberMax);
    case Shape::kList: return value.is_list() && std::ranges::all_of(value.items(), is_scalar);
    case Shape::kMembers: return are_members(value);
    case Shape::kScoredList:
      return value.is_list() && std::ranges::all_of(value.items(), [](const Value& item) {
               return is_pair_of(item, is_scored);
             });
  }
  return false;
}

std::string_view words(Shape shape) {
  switch (shape) {
    case Shape::kNone: return "none";
    case Shape::kScalar: return "a number or a text";
    case Shape::kScalarOrNull: return "a number, a text or null";
    case Shape::kPair: return "[field, value], each a number or a text";
    case Shape::kScored: return "[score, member], the score a whole number";
    case Shape::kAmount: return "a number within 2^29";
    case Shape::kNumber: return "a number within 2^61";
    case Shape::kFlag: return "1 or 0";
    case Shape::kLength: return "a length from 1 on, or \"OK\"";
    case Shape::kScore: return "a whole number or null";
    case Shape::kList: return "a list of numbers and texts";
    case Shape::kMembers: return "an object of numbers and texts";
    case Shape::kScoredList: return "a list of [member, score]";
  }
  return "?";
}

const Row& row_of(Function function) {
  const Row* row = find_row(function);
  CHECK_MSG(row != nullptr, "{} is no function of a collection", to_string(function));
  return *row;
}

}  // namespace

bool is_collection_function(Function function) { return find_row(function) != nullptr; }

bool is_collection_argument(Function function, const Value& argument) {
  return fits(row_of(function).argument, argument);
}

bool is_collection_result(Function function, const Value& result) {
  return fits(row_of(function).result, result);
}

std::string_view collection_argument_shape(Function function) {
  return words(row_of(function).argument);
}

std::string_view collection_result_shape(Function function) {
  return words(row_of(function).result);
}

}  // namespace seatrial::checkers
