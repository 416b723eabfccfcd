#include "checkers/prefix_shapes.h"

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

bool is_scalar(const Value& value) { return value.is_integer() || value.is_text(); }
bool is_count(const Value& value) { return value.is_integer() && value.as_integer() >= 0; }

bool is_one_of(const Value& value, std::initializer_list<std::string_view> words) {
  return value.is_text() && std::ranges::find(words, value.as_text()) != words.end();
}

bool is_member(const Value& object, std::string_view name, bool (*is)(const Value&)) {
  const Value* member = object.find(name);
  return member != nullptr && is(*member);
}

bool is_command(const Value& value) {
  if (!value.is_list() || value.items().size() < 2) return false;
  const std::span<const Value> words = value.items();
  if (!words[0].is_text() || !words[1].is_text()) return false;
  const std::string_view name = words[0].as_text();
  if (name == "del" || name == "incr" || name == "persist") return words.size() == 2;
  if (name == "expireat") return words.size() == 3 && is_count(words[2]);
  if (name != "set" || words.size() < 3 || !is_scalar(words[2])) return false;
  return words.size() == 3 || (words.size() == 4 && is_count(words[3]));
}

bool is_list_of(const Value& value, bool (*is)(const Value&)) {
  return value.is_list() && std::ranges::all_of(value.items(), is);
}

bool is_start(const Value& a) {
  if (!a.is_object() || a.items().size() != 6) return false;
  const Value* log = a.find("log");
  return log != nullptr && is_one_of(*log, {"always", "everysec", "no", "off"}) &&
         is_member(a, "window_ms", is_count) && is_member(a, "late_ms", is_count);
}

bool is_slot(const Value& value) {
  if (!value.is_list() || value.items().size() != 2) return false;
  const Value& held = value.items()[0];
  const Value& deadline = value.items()[1];
  return (held.is_nil() && deadline.is_nil()) ||
         (is_scalar(held) && (deadline.is_nil() || is_count(deadline)));
}

bool is_seen(const Value& argument, const Value& result) {
  if (!result.is_object() || result.items().size() != 6) return false;
  const Value* order = result.find("order");
  const Value* keys = result.find("keys");
  return is_member(result, "place", is_count) && order != nullptr && is_list_of(*order, is_count) &&
         keys != nullptr && is_list_of(*keys, is_slot) &&
         keys->items().size() == argument.items().size();
}

}  // namespace

bool is_prefix_argument(Function function, const Value& argument) {
  switch (function) {
    case Function::kWrite: return is_list_of(argument, is_command);
    case Function::kView: return is_list_of(argument, [](const Value& v) { return v.is_text(); });
    case Function::kSave: return is_one_of(argument, {"save", "bgsave"});
    case Function::kStart: return is_start(argument);
    case Function::kStop: return is_one_of(argument, {"end", "end-saved", "exit", "kill", "power"});
    default: return false;
  }
}

bool is_prefix_result(Function function, const Value& argument, const Value& result) {
  if (function == Function::kView) return is_seen(argument, result);
  if (function != Function::kWrite) return result == Value::text("OK");
  return result.is_list() && result.items().size() == argument.items().size() + 1 &&
         result.items()[0].is_integer() && std::ranges::all_of(result.items(), is_scalar);
}

std::string_view prefix_argument_shape(Function function) {
  switch (function) {
    case Function::kWrite: return "a list of set, del, incr, expireat and persist commands";
    case Function::kView: return "a list of keys";
    case Function::kSave: return "\"save\" or \"bgsave\"";
    case Function::kStart: return "{\"log\":policy,\"window_ms\":number,\"late_ms\":number}";
    default: return "\"end\", \"end-saved\", \"exit\", \"kill\" or \"power\"";
  }
}

std::string_view prefix_result_shape(Function function) {
  if (function == Function::kWrite) return "[place, one answer a command]";
  if (function != Function::kView) return "\"OK\"";
  return "{\"place\":number,\"order\":[id...],\"keys\":[[value,deadline]...]}";
}

}  // namespace seatrial::checkers
