#include "checkers/sights.h"

#include "checkers/models/cell.h"
#include "checkers/models/cells.h"
#include "checkers/models/counter.h"

#include <algorithm>

namespace seatrial::checkers {
namespace {

bool has_cells(Function function) {
  switch (function) {
    case Function::kHset:
    case Function::kHget:
    case Function::kHdel:
    case Function::kSadd:
    case Function::kSrem:
    case Function::kSismember:
    case Function::kZadd:
    case Function::kZrem:
    case Function::kZscore: return true;
    default: return false;
  }
}

std::vector<Sight> one(const Value& value) { return {{Value(), value}}; }

std::vector<Sight> sights_of_all(const Operation& operation) {
  std::vector<Sight> sights;
  if (const auto cells = cells_read(operation)) {
    for (const auto& [cell, value] : *cells) sights.push_back({cell, value});
  }
  return sights;
}

}  // namespace

std::vector<Sight> sights_of(const Operation& operation) {
  if (!operation.ok()) return {};
  const Value& result = operation.result;
  const bool is_one = result == Value::integer(1);
  if (reads_all_cells(operation.function)) return sights_of_all(operation);
  if (has_cells(operation.function)) {
    const CellEffect effect = cell_effect(operation, true);
    if (effect.kind == CellEffect::Kind::kRead) return {{effect.cell, effect.value}};
    if (effect.kind == CellEffect::Kind::kWriteNew) return {{effect.cell, Value()}};
    return {};
  }
  switch (operation.function) {
    case Function::kGet:
    case Function::kGetset:
    case Function::kLpop: return one(canonical(result));
    case Function::kCas:
      if (is_one) return one(canonical(operation.argument.items()[0]));
      return {};
    case Function::kDel:
      if (!is_one) return one(Value());
      return {};
    case Function::kIncr:
    case Function::kIncrby:
    case Function::kDecrby: {
      const CounterEffect effect = counter_effect(operation, true);
      // From nothing, or from 0.
      if (!effect.possible || effect.found == 0) return {};
      return one(Value::integer(*effect.found));
    }
    case Function::kLrange: {
      std::vector<Sight> sights;
      for (const Value& item : result.items()) sights.push_back({Value(), canonical(item)});
      return sights;
    }
    default: return {};
  }
}

bool may_leave(const Operation& operation, const Sight& sight) {
  const Value& argument = operation.argument;
  const Value& value = sight.value;
  if (has_cells(operation.function)) {
    const CellEffect effect = cell_effect(operation, operation.ok());
    return effect.kind != CellEffect::Kind::kRead && effect.cell == sight.cell &&
           effect.value == value;
  }
  switch (operation.function) {
    case Function::kSet:
      // With px it also leaves nil, in time.
      if (argument.is_object()) return value.is_nil() || canonical(*argument.find("v")) == value;
      return canonical(argument) == value;
    case Function::kGetset:
    case Function::kRpush: return canonical(argument) == value;
    case Function::kCas:
      return (!operation.ok() || operation.result == Value::integer(1)) &&
             canonical(argument.items()[1]) == value;
    case Function::kDel: return value.is_nil();
    case Function::kLpop: return value.is_nil();
    case Function::kIncr:
    case Function::kIncrby:
    case Function::kDecrby:
      return operation.ok() ? canonical(operation.result) == value : value.is_integer();
    case Function::kAppend: return !value.is_nil();
    default: return false;
  }
}

bool touches(const Operation& operation, const Value& cell) {
  if (cell.is_nil() || reads_all_cells(operation.function)) return true;
  return !has_cells(operation.function) || cell_effect(operation, operation.ok()).cell == cell;
}

}  // namespace seatrial::checkers
