#include "checkers/log_shapes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

bool is_scalar_or_absent(const Value* value) { return value == nullptr || is_scalar(*value); }

bool is_name(const Value* value) { return value != nullptr && is_scalar(*value); }

bool is_list_of_texts(const Value* value) {
  return value != nullptr && value->is_list() &&
         std::ranges::all_of(value->items(), &Value::is_text);
}

bool is_batch(const Value* records) {
  return records != nullptr && records->is_list() && !records->items().empty() &&
         std::ranges::all_of(records->items(), is_sent_record);
}

// All three, or none.
bool is_sequenced_or_not(const Value& a) {
  const Value* const parts[] = {a.find("pid"), a.find("epoch"), a.find("seq")};
  if (std::ranges::all_of(parts, [](const Value* part) { return part == nullptr; })) return true;
  return is_name(parts[0]) && parts[1] != nullptr && is_count(*parts[1]) && parts[2] != nullptr &&
         is_count(*parts[2]);
}

bool is_send(const Value& a) {
  if (!a.is_object() || !has_only(a, {"acks", "v", "by", "tries", "key", "pid", "epoch", "seq"})) {
    return false;
  }
  const Value* acks = a.find("acks");
  return acks != nullptr && acks->is_integer() && acks->as_integer() >= -1 &&
         acks->as_integer() <= 1 && is_batch(a.find("v")) && is_scalar_or_absent(a.find("by")) &&
         is_scalar_or_absent(a.find("key")) && is_sequenced_or_not(a) &&
         is_count_or_absent(a.find("tries"));
}

bool is_poll(const Value& a) {
  if (!a.is_object() || !has_only(a, {"from", "by", "group", "wait", "final"})) return false;
  return is_scalar_or_absent(a.find("by")) && is_scalar_or_absent(a.find("group")) &&
         is_count_or_absent(a.find("from")) && is_count_or_absent(a.find("wait")) &&
         is_count_or_absent(a.find("final"));
}

// ["send", partition, {"v":[...]}] or ["poll", partition, {"from"?}]
bool is_step(const Value& step) {
  if (!step.is_list() || step.items().size() != 3) return false;
  const std::span<const Value> parts = step.items();
  if (!parts[1].is_text() || !parts[2].is_object()) return false;
  if (parts[0] == Value::text("send")) {
    return has_only(parts[2], {"v"}) && is_batch(parts[2].find("v"));
  }
  return parts[0] == Value::text("poll") && has_only(parts[2], {"from"}) &&
         is_count_or_absent(parts[2].find("from"));
}

bool is_txn(const Value& a) {
  if (!a.is_object() || !has_only(a, {"ops", "by"})) return false;
  const Value* steps = a.find("ops");
  return steps != nullptr && steps->is_list() && std::ranges::all_of(steps->items(), is_step) &&
         is_scalar_or_absent(a.find("by"));
}

// {"by":consumer, MEMBER:[...]}
bool is_choice(const Value& a, std::string_view member) {
  return a.is_object() && has_only(a, {"by", member}) && is_name(a.find("by")) &&
         is_list_of_texts(a.find(member));
}

bool is_join(const Value& a) {
  return a.is_object() && has_only(a, {"group", "member", "topics", "wait"}) &&
         is_name(a.find("group")) && is_name(a.find("member")) &&
         is_list_of_texts(a.find("topics")) && is_count_or_absent(a.find("wait"));
}

bool is_commit(const Value& a) {
  return a.is_object() && has_only(a, {"group", "offset", "generation"}) &&
         is_name(a.find("group")) && a.find("offset") != nullptr && is_count(*a.find("offset")) &&
         is_count_or_absent(a.find("generation"));
}

bool is_joined(const Value& result) {
  return result.is_object() && has_only(result, {"generation", "owned", "members"}) &&
         result.find("generation") != nullptr && is_count(*result.find("generation")) &&
         is_list_of_texts(result.find("owned")) && is_count_or_absent(result.find("members"));
}

bool is_found(const Value& result) {
  if (!result.is_object() || !has_only(result, {"hw", "recs", "start", "rebalanced"})) return false;
  const Value* records = result.find("recs");
  return records != nullptr && records->is_list() &&
         std::ranges::all_of(records->items(), is_found_record) &&
         is_count_or_absent(result.find("hw")) && is_count_or_absent(result.find("start")) &&
         is_count_or_absent(result.find("rebalanced"));
}

// Of each step: a base offset or null; what was found.
bool is_txn_result(const Value& argument, const Value& result) {
  const std::span<const Value> steps = argument.find("ops")->items();
  if (!result.is_list() || result.items().size() != steps.size()) return false;
  for (size_t i = 0; i < steps.size(); i++) {
    const Value& each = result.items()[i];
    const bool sends = steps[i].items()[0] == Value::text("send");
    if (sends ? !each.is_nil() && !is_count(each) : !is_found(each)) return false;
  }
  return true;
}

}  // namespace

Result<void> check_log_header(std::string_view members) {
  const auto header = nlohmann::json::parse(fmt::format("{{{}}}", members), nullptr, false);
  if (!header.is_object() || !header.contains("offsets")) return {};
  const auto& offsets = header["offsets"];
  if (offsets == "sparse" || offsets == "dense") return {};
  return base::fail(base::Errc::kInvalidData,
                    fmt::format("offsets is {}, expected \"dense\" or \"sparse\"", offsets.dump()));
}

bool is_sparse_log(const History& history) {
  const auto header =
      nlohmann::json::parse(fmt::format("{{{}}}", history.header_members()), nullptr, false);
  return header.is_object() && header.contains("offsets") && header["offsets"] == "sparse";
}

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
    case Function::kTxn: return is_txn(a);
    case Function::kAssign: return is_choice(a, "keys");
    case Function::kSubscribe: return is_choice(a, "topics");
    case Function::kJoin: return is_join(a);
    case Function::kCommit: return is_commit(a);
    case Function::kCommitted:
      return a.is_object() && has_only(a, {"group"}) && is_name(a.find("group"));
    default: return false;
  }
}

std::string_view log_argument_shape(Function function) {
  switch (function) {
    case Function::kFlush:
    case Function::kDescribeTopic: return "none";
    case Function::kRead: return "[from, limit]";
    case Function::kSend:
      return "{\"acks\":-1, 0 or 1, \"v\":[[value, timestamp?, hash?]...], \"by\"?, \"tries\"?, "
             "\"key\"?, \"pid\"? and \"epoch\" and \"seq\"}";
    case Function::kPoll: return "{\"from\"?, \"by\"?, \"group\"?, \"wait\"?, \"final\"?}";
    case Function::kListOffsets: return "\"earliest\", \"latest\" or a timestamp";
    case Function::kCreateTopic: return "a number of partitions";
    case Function::kProtest: return "a text";
    case Function::kTxn:
      return "{\"ops\":[[\"send\",partition,{\"v\":[[value, timestamp?, hash?]...]}] or "
             "[\"poll\",partition,{\"from\"?}]...], \"by\"?}";
    case Function::kAssign: return "{\"by\":consumer, \"keys\":[partition...]}";
    case Function::kSubscribe: return "{\"by\":consumer, \"topics\":[topic...]}";
    case Function::kJoin:
      return "{\"group\":name, \"member\":name, \"topics\":[topic...], \"wait\"?}";
    case Function::kCommit: return "{\"group\":name, \"offset\":offset, \"generation\"?}";
    case Function::kCommitted: return "{\"group\":name}";
    default: return "";
  }
}

bool is_log_result(Function function, const Value& argument, const Value& result) {
  switch (function) {
    case Function::kFlush:
    case Function::kDescribeTopic: return is_count(result);
    case Function::kRead: return is_found(result) && result.find("hw") != nullptr;
    case Function::kSend:
      return argument.find("acks")->as_integer() == 0 ? result.is_nil() : is_count(result);
    case Function::kPoll: return is_found(result) || result == Value::text("out-of-range");
    case Function::kListOffsets:
      if (result.is_list()) {
        return result.items().size() == 2 && is_count_or_none(result.items()[0]) &&
               result.items()[1].is_integer();
      }
      return is_count_or_none(result);
    case Function::kTxn: return is_txn_result(argument, result);
    case Function::kJoin: return is_joined(result);
    case Function::kCommitted: return is_count_or_none(result);
    case Function::kAssign:
    case Function::kSubscribe:
    case Function::kCommit:
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
      return "{\"recs\":[[offset, value, timestamp?, hash?]...], \"hw\"?, \"start\"?, "
             "\"rebalanced\"?} or \"out-of-range\"";
    case Function::kListOffsets: return "an offset or [offset, timestamp]";
    case Function::kTxn:
      return "a list with, for each send, an offset or null and, for each poll, "
             "{\"recs\":[[offset, value, timestamp?, hash?]...]}";
    case Function::kJoin: return "{\"generation\":number, \"owned\":[partition...], \"members\"?}";
    case Function::kCommitted: return "an offset, -1 for none";
    case Function::kAssign:
    case Function::kSubscribe:
    case Function::kCommit:
    case Function::kProtest:
    case Function::kCreateTopic: return "\"OK\"";
    default: return "";
  }
}

}  // namespace seatrial::checkers
