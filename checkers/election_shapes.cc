#include "checkers/election_shapes.h"

namespace seatrial::checkers {
namespace {

bool is_name(const Value* value) {
  return value != nullptr && (value->is_integer() || value->is_text());
}
bool is_count(const Value* value) {
  constexpr int64_t kCountMax = int64_t{1} << 62;
  return value != nullptr && value->is_integer() && value->as_integer() >= 0 &&
         value->as_integer() <= kCountMax;
}
bool has_members(const Value& value, size_t count) {
  return value.is_object() && value.items().size() == 2 * count;
}

}  // namespace

bool is_election_argument(Function function, const Value& a) {
  switch (function) {
    case Function::kPromote:
      return has_members(a, 2) && is_count(a.find("epoch")) && is_name(a.find("node"));
    case Function::kObserve: return has_members(a, 1) && is_name(a.find("by"));
    case Function::kCalm: return has_members(a, 1) && is_count(a.find("within"));
    default: return false;
  }
}

std::string_view election_argument_shape(Function function) {
  switch (function) {
    case Function::kPromote: return "{\"epoch\":number,\"node\":name}";
    case Function::kObserve: return "{\"by\":name}";
    case Function::kCalm: return "{\"within\":microseconds}";
    default: return "";
  }
}

bool is_election_result(Function function, const Value& result) {
  if (function != Function::kObserve) return result == Value::text("OK");
  const Value* primary = has_members(result, 2) ? result.find("primary") : nullptr;
  return primary != nullptr && (primary->is_nil() || is_name(primary)) &&
         is_count(result.find("epoch"));
}

std::string_view election_result_shape(Function function) {
  if (function != Function::kObserve) return "\"OK\"";
  return "{\"epoch\":number,\"primary\":name or null}";
}

}  // namespace seatrial::checkers
