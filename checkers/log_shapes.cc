#include "checkers/log_shapes.h"

#include <algorithm>
#include <initializer_list>

namespace seatrial::checkers {
namespace {

bool is_scalar(const Value& value) { return value.is_integer() || value.is_text(); }
// Also of offsets: so far from the end of numbers that what stands behind one has a number too.
bool is_count(const Value& value) {
  return value.is_integer() && value.as_integer() >= 0 && value.as_integer() <= kOffsetMax;
}
bool is_count_or_none(const Value& value) { return is_count(value) || value == Value::integer(-1); }
bool is_count_or_absent(const Value* value) { return value == nullptr || is_count(*value); }

// Whether all of an object's members are among these.
bool has_only(const Value& object, std::initializer_list<std::string_view> names) {
  for (size_t i = 0; i < object.items().size(); i += 2) {
    if (std::ranges::find(names, object.items()[i].as_text()) == names.end()) return false;
  }
  return true;
}

// value, timestamp?, hash?
bool is_record(std::span<const Value> parts) {
  if (parts.empty() || parts.size() > 3) return false;
  return is_scalar(parts[0]) && (parts.size() < 2 || parts[1].is_integer()) &&
         (parts.size() < 3 || is_scalar(parts[2]));
}

bool is_sent_record(const Value& value) { return value.is_list() && is_record(value.items()); }

bool is_found_record(const Value& value) {
  return value.is_list() && !value.items().empty() && is_count(value.items()[0]) &&
         is_record(value.items().subspan(1));
}

bool is_send(const Value& a) {
  if (!a.is_object() || !has_only(a, {"acks", "v", "by", "tries"})) return false;
  const Value* acks = a.find("acks");
  const Value* records = a.find("v");
  const Value* by = a.find("by");
  if (acks == nullptr || records == nullptr || (by != nullptr && !is_scalar(*by))) return false;
  return acks->is_integer() && acks->as_integer() >= -1 && acks->as_integer() <= 1 &&
         records->is_list() && !records->items().empty() &&
         std::ranges::all_of(records->items(), is_sent_record) &&
         is_count_or_absent(a.find("tries"));
}

bool is_poll(const Value& a) {
  if (!a.is_object() || !has_only(a, {"from", "by", "wait", "final"})) return false;
  const Value* by = a.find("by");
  return (by == nullptr || is_scalar(*by)) && is_count_or_absent(a.find("from")) &&
         is_count_or_absent(a.find("wait")) && is_count_or_absent(a.find("final"));
}

bool is_found(const Value& result) {
  if (!result.is_object() || !has_only(result, {"hw", "recs", "start"})) return false;
  const Value* hw = result.find("hw");
  const Value* records = result.find("recs");
  return hw != nullptr && is_count(*hw) && records != nullptr && records->is_list() &&
         std::ranges::all_of(records->items(), is_found_record) &&
         is_count_or_absent(result.find("start"));
}

}  // namespace

bool is_log_argument(Function function, const Value& a) {
  switch (function) {
    case Function::kFlush:
    case Function::kDescribeTopic: return a.is_nil();
    case Function::kRead:
      return a.is_list() && a.items().size() == 2 && std::ranges::all_of(a.items(), is_count);
    case Function::kSend: return is_send(a);
    case Function::kPoll: return is_poll(a);
    case Function::kListOffsets:
      return a.is_integer() || a == Value::text("earliest") || a == Value::text("latest");
    case Function::kCreateTopic: return is_count(a);
    case Function::kProtest: return a.is_text();
    default: return false;
  }
}

std::string_view log_argument_shape(Function function) {
  switch (function) {
    case Function::kFlush:
    case Function::kDescribeTopic: return "none";
    case Function::kRead: return "[from, limit]";
    case Function::kSend:
      return "{\"acks\":-1, 0 or 1, \"v\":[[value, timestamp?, hash?]...], \"by\"?, \"tries\"?}";
    case Function::kPoll: return "{\"from\"?, \"by\"?, \"wait\"?, \"final\"?}";
    case Function::kListOffsets: return "\"earliest\", \"latest\" or a timestamp";
    case Function::kCreateTopic: return "a number of partitions";
    case Function::kProtest: return "a text";
    default: return "";
  }
}

bool is_log_result(Function function, const Value& argument, const Value& result) {
  switch (function) {
    case Function::kFlush:
    case Function::kDescribeTopic: return is_count(result);
    case Function::kRead: return is_found(result);
    case Function::kSend:
      return argument.find("acks")->as_integer() == 0 ? result.is_nil() : is_count(result);
    case Function::kPoll: return is_found(result) || result == Value::text("out-of-range");
    case Function::kListOffsets:
      if (result.is_list()) {
        return result.items().size() == 2 && is_count_or_none(result.items()[0]) &&
               result.items()[1].is_integer();
      }
      return is_count_or_none(result);
    case Function::kProtest:
    case Function::kCreateTopic: return result == Value::text("OK");
    default: return false;
  }
}

std::string_view log_result_shape(Function function) {
  switch (function) {
    case Function::kFlush: return "an offset";
    case Function::kDescribeTopic: return "a number of partitions";
    case Function::kRead: return "{\"hw\":end,\"recs\":[[offset, value]...]}";
    case Function::kSend: return "an offset, null for acks 0";
    case Function::kPoll:
      return "{\"hw\":end,\"recs\":[[offset, value, timestamp?, hash?]...],\"start\"?} or "
             "\"out-of-range\"";
    case Function::kListOffsets: return "an offset or [offset, timestamp]";
    case Function::kProtest:
    case Function::kCreateTopic: return "\"OK\"";
    default: return "";
  }
}

}  // namespace seatrial::checkers
