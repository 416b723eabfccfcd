#include "checkers/history.h"

#include "base/check.h"
#include "checkers/collection_shapes.h"
#include "checkers/election_shapes.h"
#include "checkers/log_shapes.h"
#include "checkers/prefix_shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace seatrial::checkers {
namespace {

using base::Errc;
using base::fail;

struct FunctionRow {
  Function function;
  std::string_view name;
};

// One line a function: argument -> result.
constexpr std::array kFunctions = {
    FunctionRow{Function::kGet, "get"},        // -> value or nil
    FunctionRow{Function::kSet, "set"},        // value, in kvx, lease {"v":value,"px":ms} -> "OK"
    FunctionRow{Function::kCas, "cas"},        // [old, new] (old nil: absent) -> 1 or 0
    FunctionRow{Function::kDel, "del"},        // -> 1 or 0
    FunctionRow{Function::kIncr, "incr"},      // -> the new number
    FunctionRow{Function::kGetset, "getset"},  // value -> the old value or nil
    FunctionRow{Function::kAppend, "append"},  // text -> length after, or "OK" where not told
    FunctionRow{Function::kWatch, "watch"},    // [key...] -> "OK"
    FunctionRow{Function::kExec, "exec"},      // [[function, key, argument?]...] -> [result...]
    FunctionRow{Function::kWait, "wait"},      // replicas wanted -> replicas that have all writes
    FunctionRow{Function::kAdmin, "admin"},    // what an operator asks of a node -> "OK"
    // Of logs; "append" there: value -> offset. The others' shapes are in log_shapes.h.
    FunctionRow{Function::kFlush, "flush"},  // -> durable end
    FunctionRow{Function::kRead, "read"},    // [from, limit] -> {"hw":end,"recs":[[offset,v]...]}
    FunctionRow{Function::kSend, "send"},
    FunctionRow{Function::kPoll, "poll"},
    FunctionRow{Function::kListOffsets, "list_offsets"},
    FunctionRow{Function::kCreateTopic, "create_topic"},      // partitions -> "OK"
    FunctionRow{Function::kDescribeTopic, "describe_topic"},  // -> partitions, 0: no such topic
    FunctionRow{Function::kProtest, "protest"},               // what was wrong -> "OK"
    FunctionRow{Function::kTxn, "txn"},
    FunctionRow{Function::kAssign, "assign"},
    FunctionRow{Function::kSubscribe, "subscribe"},
    FunctionRow{Function::kJoin, "join"},
    FunctionRow{Function::kCommit, "commit"},
    FunctionRow{Function::kCommitted, "committed"},
    // Of a store over its crashes; their shapes are in prefix_shapes.h.
    FunctionRow{Function::kWrite, "write"},
    FunctionRow{Function::kView, "view"},
    FunctionRow{Function::kSave, "save"},
    FunctionRow{Function::kStart, "start"},
    FunctionRow{Function::kStop, "stop"},
    // Of the choice of a primary; their shapes are in election_shapes.h.
    FunctionRow{Function::kPromote, "promote"},
    FunctionRow{Function::kObserve, "observe"},
    FunctionRow{Function::kCalm, "calm"},
    // Of collections and counters; their shapes are in collection_shapes.h.
    FunctionRow{Function::kRpush, "rpush"},
    FunctionRow{Function::kLpop, "lpop"},
    FunctionRow{Function::kLrange, "lrange"},
    FunctionRow{Function::kHset, "hset"},
    FunctionRow{Function::kHget, "hget"},
    FunctionRow{Function::kHdel, "hdel"},
    FunctionRow{Function::kHgetall, "hgetall"},
    FunctionRow{Function::kSadd, "sadd"},
    FunctionRow{Function::kSrem, "srem"},
    FunctionRow{Function::kSismember, "sismember"},
    FunctionRow{Function::kSmembers, "smembers"},
    FunctionRow{Function::kZadd, "zadd"},
    FunctionRow{Function::kZrem, "zrem"},
    FunctionRow{Function::kZscore, "zscore"},
    FunctionRow{Function::kZrange, "zrange"},
    FunctionRow{Function::kIncrby, "incrby"},
    FunctionRow{Function::kDecrby, "decrby"},
};

struct TypeRow {
  std::string_view name;
  std::array<Function, 12> functions;
  size_t count;

  std::span<const Function> all() const { return std::span(functions).first(count); }
};

// One line a type of history.
constexpr std::array kTypes = {
    TypeRow{"register", {Function::kGet, Function::kSet}, 2},
    TypeRow{"kv",
            {Function::kGet, Function::kSet, Function::kCas, Function::kDel, Function::kIncr,
             Function::kGetset, Function::kAppend},
            7},
    TypeRow{"kvx",
            {Function::kGet, Function::kSet, Function::kDel, Function::kIncr, Function::kGetset},
            5},
    TypeRow{"counter", {Function::kGet, Function::kIncr, Function::kIncrby, Function::kDecrby}, 4},
    TypeRow{"list", {Function::kRpush, Function::kLrange, Function::kLpop}, 3},
    TypeRow{"queue", {Function::kRpush, Function::kLpop}, 2},
    TypeRow{"hash", {Function::kHset, Function::kHget, Function::kHdel, Function::kHgetall}, 4},
    TypeRow{
        "set", {Function::kSadd, Function::kSrem, Function::kSismember, Function::kSmembers}, 4},
    TypeRow{"zset", {Function::kZadd, Function::kZrem, Function::kZscore, Function::kZrange}, 4},
    TypeRow{"txn", {Function::kGet, Function::kSet, Function::kWatch, Function::kExec}, 4},
    TypeRow{"appendtxn", {Function::kExec}, 1},
    TypeRow{"rwtxn", {Function::kExec}, 1},
    TypeRow{"lease",
            {Function::kGet, Function::kSet, Function::kDel, Function::kWatch, Function::kExec},
            5},
    // Keys are of one node: "kv1:3/name", and of wait and admin only "kv1:".
    TypeRow{"replica",
            {Function::kGet, Function::kSet, Function::kDel, Function::kIncr, Function::kAppend,
             Function::kWatch, Function::kExec, Function::kWait, Function::kAdmin},
            9},
    TypeRow{"log", {Function::kAppend, Function::kFlush, Function::kRead}, 3},
    TypeRow{"kafka",
            {Function::kSend, Function::kPoll, Function::kListOffsets, Function::kCreateTopic,
             Function::kDescribeTopic, Function::kProtest, Function::kTxn, Function::kAssign,
             Function::kSubscribe, Function::kJoin, Function::kCommit, Function::kCommitted},
            12},
    TypeRow{"prefix",
            {Function::kWrite, Function::kView, Function::kSave, Function::kStart, Function::kStop},
            5},
    TypeRow{"election", {Function::kPromote, Function::kObserve, Function::kCalm}, 3},
};

const TypeRow* find_type(std::string_view name) {
  const auto row = std::ranges::find(kTypes, name, &TypeRow::name);
  return row == kTypes.end() ? nullptr : &*row;
}

std::unexpected<base::Error> invalid(std::string detail) {
  return fail(Errc::kInvalidData, std::move(detail));
}

std::unexpected<base::Error> expected(Function function, std::string_view what,
                                      std::string_view shape, const Value& value) {
  return invalid(
      fmt::format("{} of {} is {}, expected {}", what, to_string(function), value.json(), shape));
}

bool is_scalar(const Value& value) { return value.is_integer() || value.is_text(); }

// {"v":value,"px":milliseconds}, both and nothing else.
bool is_expiring(const Value& value) {
  if (!value.is_object() || value.items().size() != 4) return false;
  const Value* v = value.find("v");
  const Value* px = value.find("px");
  // Deadlines stay far from the end of time: their windows are computed with.
  constexpr int64_t kPxMax = int64_t{1} << 42;
  return v != nullptr && px != nullptr && is_scalar(*v) && px->is_integer() &&
         px->as_integer() > 0 && px->as_integer() <= kPxMax;
}

// Whether values of this type of history can have a deadline.
bool has_deadlines(std::string_view type) {
  return type == "kvx" || type == "lease" || type == "replica";
}

// ["get", key] or ["set", key, value], in lease ["del", key] as well, in replica also
// ["incr", key] and ["append", key, text]; in appendtxn ["rpush", key, value], ["lrange", key].
bool is_command(std::string_view type, const Value& value) {
  if (!value.is_list() || value.items().size() < 2) return false;
  const std::span<const Value> items = value.items();
  if (!items[0].is_text() || !items[1].is_text()) return false;
  const std::string_view name = items[0].as_text();
  if (type == "appendtxn") {
    if (name == "lrange") return items.size() == 2;
    return name == "rpush" && items.size() == 3 && is_scalar(items[2]);
  }
  const bool replica = type == "replica";
  if (name == "get" || (name == "del" && (replica || type == "lease"))) return items.size() == 2;
  if (replica && name == "incr") return items.size() == 2;
  if (replica && name == "append") return items.size() == 3 && items[2].is_text();
  return name == "set" && items.size() == 3 &&
         (is_scalar(items[2]) || (has_deadlines(type) && is_expiring(items[2])));
}

bool is_argument(std::string_view type, Function function, const Value& a) {
  switch (function) {
    case Function::kGet:
    case Function::kDel:
    case Function::kIncr: return a.is_nil();
    case Function::kSet: return is_scalar(a) || (has_deadlines(type) && is_expiring(a));
    case Function::kGetset:
    case Function::kAppend: return is_scalar(a);
    case Function::kCas:
      return a.is_list() && a.items().size() == 2 && is_scalar(a.items()[1]) &&
             (is_scalar(a.items()[0]) || a.items()[0].is_nil());
    case Function::kWatch: return a.is_list() && std::ranges::all_of(a.items(), &Value::is_text);
    case Function::kExec:
      return a.is_list() &&
             std::ranges::all_of(a.items(), [&](const Value& v) { return is_command(type, v); });
    case Function::kWait: return a.is_integer() && a.as_integer() >= 0;
    case Function::kAdmin: return a.is_text();
    case Function::kWrite:
    case Function::kView:
    case Function::kSave:
    case Function::kStart:
    case Function::kStop: return is_prefix_argument(function, a);
    case Function::kPromote:
    case Function::kObserve:
    case Function::kCalm: return is_election_argument(function, a);
    default:
      return is_collection_function(function) ? is_collection_argument(function, a)
                                              : is_log_argument(function, a);
  }
}

std::string_view argument_shape(std::string_view type, Function function) {
  switch (function) {
    case Function::kGet:
    case Function::kDel:
    case Function::kIncr: return "none";
    case Function::kSet:
      return has_deadlines(type) ? "a number, a text or {\"v\":value,\"px\":milliseconds}"
                                 : "a number or a text";
    case Function::kGetset:
    case Function::kAppend: return "a number or a text";
    case Function::kCas: return "[old, new], old perhaps null";
    case Function::kWatch: return "a list of keys";
    case Function::kExec:
      if (type == "replica") return "a list of get, set, del, incr and append, each [name,key,...]";
      if (type == "appendtxn") return "a list of [\"rpush\",key,value] and [\"lrange\",key]";
      return type == "lease" ? "a list of [\"get\",key], [\"set\",key,value] and [\"del\",key]"
                             : "a list of [\"get\",key] and [\"set\",key,value]";
    case Function::kWait: return "a number of replicas";
    case Function::kAdmin: return "a text";
    case Function::kWrite:
    case Function::kView:
    case Function::kSave:
    case Function::kStart:
    case Function::kStop: return prefix_argument_shape(function);
    case Function::kPromote:
    case Function::kObserve:
    case Function::kCalm: return election_argument_shape(function);
    default:
      return is_collection_function(function) ? collection_argument_shape(function)
                                              : log_argument_shape(function);
  }
}

bool takes_many_keys(Function function) {
  switch (function) {
    case Function::kWatch:
    case Function::kExec:
    case Function::kTxn:
    case Function::kAssign:
    case Function::kSubscribe:
    case Function::kJoin:
    case Function::kWrite:
    case Function::kView:
    case Function::kSave:
    case Function::kStart:
    case Function::kStop: return true;
    default: return false;
  }
}

}  // namespace

Result<void> check_argument(std::string_view type, Function function, bool has_key,
                            const Value& argument) {
  const bool wants_key = !takes_many_keys(function);
  if (has_key != wants_key) {
    return invalid(
        fmt::format("{} {} a key", to_string(function), wants_key ? "needs" : "does not take"));
  }
  if (is_argument(type, function, argument)) return {};
  return expected(function, "argument", argument_shape(type, function), argument);
}

Result<void> check_result(Function function, const Value& argument, const Value& result) {
  switch (function) {
    case Function::kGet:
    case Function::kGetset:
      if (is_scalar(result) || result.is_nil()) return {};
      return expected(function, "result", "a number, a text or null", result);
    case Function::kIncr:
      if (result.is_integer()) return {};
      return expected(function, "result", "a number", result);
    case Function::kDel:
    case Function::kCas:
      if (result == Value::integer(0) || result == Value::integer(1)) return {};
      return expected(function, "result", "1 or 0", result);
    case Function::kExec:
      if (result.is_nil()) return {};
      if (result.is_list() && result.items().size() == argument.items().size()) return {};
      return expected(function, "result", "null or a list with one result a command", result);
    case Function::kAppend:
      if (result == Value::text("OK") || result.is_integer()) return {};
      return expected(function, "result", "\"OK\" or a number", result);
    case Function::kWait:
      if (result.is_integer() && result.as_integer() >= 0) return {};
      return expected(function, "result", "a number of replicas", result);
    case Function::kAdmin:
    case Function::kSet:
    case Function::kWatch:
      if (result == Value::text("OK")) return {};
      return expected(function, "result", "\"OK\"", result);
    case Function::kWrite:
    case Function::kView:
    case Function::kSave:
    case Function::kStart:
    case Function::kStop:
      if (is_prefix_result(function, argument, result)) return {};
      return expected(function, "result", prefix_result_shape(function), result);
    case Function::kPromote:
    case Function::kObserve:
    case Function::kCalm:
      if (is_election_result(function, result)) return {};
      return expected(function, "result", election_result_shape(function), result);
    default:
      if (is_collection_function(function)) {
        if (is_collection_result(function, result)) return {};
        return expected(function, "result", collection_result_shape(function), result);
      }
      if (is_log_result(function, argument, result)) return {};
      return expected(function, "result", log_result_shape(function), result);
  }
}

std::string_view to_string(Function function) {
  const auto row = std::ranges::find(kFunctions, function, &FunctionRow::function);
  CHECK(row != kFunctions.end());
  return row->name;
}

Result<void> check_history_type(std::string_view type) {
  if (find_type(type) != nullptr) return {};
  std::string known;
  for (const TypeRow& row : kTypes) known += (known.empty() ? "" : ", ") + std::string(row.name);
  return invalid(fmt::format("unknown type of history \"{}\", expected one of {}", type, known));
}

bool has_crashes(std::string_view type) { return type == "log" || type == "kafka"; }

Result<Function> parse_function(std::string_view type, std::string_view name) {
  const TypeRow* row = find_type(type);
  CHECK_MSG(row != nullptr, "type {}", type);
  std::string known;
  for (Function function : row->all()) {
    if (to_string(function) == name) return function;
    known += (known.empty() ? "" : ", ") + std::string(to_string(function));
  }
  return invalid(
      fmt::format("unknown function \"{}\", a history of type {} has {}", name, type, known));
}

std::string describe(const History& history, const Operation& operation) {
  std::string text = fmt::format("{}: {}", operation.id, to_string(operation.function));
  if (operation.key != kNoKey) text += fmt::format(" {}", history.key_name(operation.key));
  if (!operation.argument.is_nil()) text += " " + operation.argument.json();
  if (operation.ok()) text += " -> " + operation.result.json();
  if (operation.failed()) text += " -> failed";
  if (operation.unknown()) text += " -> unknown";
  return text;
}

const Operation* History::find(OperationId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &operations_[found->second];
}

HistoryBuilder::HistoryBuilder(std::string type, std::string header_members)
    : history_(std::move(type)) {
  CHECK_MSG(find_type(history_.type_) != nullptr, "type {}", history_.type_);
  history_.header_members_ = std::move(header_members);
}

Result<void> HistoryBuilder::check_time(Micros time) const {
  if (time >= last_time_) return {};
  return invalid(fmt::format("time runs back: t is {}, the event before has {}", time.count(),
                             last_time_.count()));
}

KeyId HistoryBuilder::intern(std::string_view key) {
  if (const auto found = history_.key_ids_.find(key); found != history_.key_ids_.end()) {
    return found->second;
  }
  const auto id = static_cast<KeyId>(history_.key_names_.size());
  const std::string_view name = history_.arena_.copy(key);
  history_.key_names_.push_back(name);
  history_.key_ids_.emplace(name, id);
  return id;
}

void HistoryBuilder::expect(size_t operations) {
  history_.operations_.reserve(operations);
  history_.by_id_.reserve(operations);
}

Result<void> HistoryBuilder::invoke(Micros time, OperationId id, ProcessId process,
                                    Function function, std::string_view key, bool has_key,
                                    const Value& argument) {
  TRY(check_time(time));
  if (history_.by_id_.contains(id)) {
    return invalid(fmt::format("duplicate id {}: an operation of that id was invoked before", id));
  }
  Process& state = processes_[process];
  if (state.over) {
    return invalid(fmt::format(
        "process {} is used again after an operation of it ended as info, expected a new number",
        process));
  }
  if (state.open != kNeverAt) {
    return invalid(fmt::format("process {} has operation {} open, expected its completion first",
                               process, history_.operations_[state.open].id));
  }
  TRY(check_argument(history_.type_, function, has_key, argument));
  CHECK(history_.events_ < kNeverAt - 1);
  Operation operation;
  operation.id = id;
  operation.process = process;
  operation.argument = argument.copy_to(history_.arena_);
  operation.invoke_time = operation.complete_time = time;
  operation.invoke_at = history_.events_++;
  operation.key = has_key ? intern(key) : kNoKey;
  operation.function = function;
  state.open = static_cast<uint32_t>(history_.operations_.size());
  history_.by_id_.emplace(id, state.open);
  history_.operations_.push_back(operation);
  last_time_ = time;
  return {};
}

Result<void> HistoryBuilder::complete(Micros time, OperationId id, ProcessId process,
                                      Completion how, const Value& result) {
  TRY(check_time(time));
  const auto found = history_.by_id_.find(id);
  if (found == history_.by_id_.end()) {
    return invalid(fmt::format("completion without invocation: no operation {} was invoked", id));
  }
  Operation& operation = history_.operations_[found->second];
  if (operation.complete_at != kNeverAt) {
    return invalid(fmt::format("operation {} is completed a second time", id));
  }
  if (operation.process != process) {
    return invalid(fmt::format("operation {} was invoked by process {}, but completed by {}", id,
                               operation.process, process));
  }
  Process& state = processes_[process];
  CHECK(state.open == found->second);
  state.open = kNeverAt;
  state.over = how == Completion::kUnknown;
  operation.completion = how;
  operation.complete_time = time;
  operation.complete_at = history_.events_++;
  if (how == Completion::kOk) operation.result = result.copy_to(history_.arena_);
  last_time_ = time;
  return {};
}

Result<void> HistoryBuilder::crash(Micros time, std::string_view key, bool has_key) {
  TRY(check_time(time));
  if (!has_crashes(history_.type_)) {
    return invalid(fmt::format("a history of type {} knows no crash", history_.type_));
  }
  CHECK(history_.events_ < kNeverAt - 1);
  history_.crashes_.push_back({time, history_.events_++, has_key ? intern(key) : kNoKey});
  last_time_ = time;
  return {};
}

Recorder::Recorder(std::string type, uint32_t clients, std::string header_members)
    : builder_(std::move(type), fmt::format("\"clients\":{}{}{}", clients,
                                            header_members.empty() ? "" : ",", header_members)),
      clients_(clients) {
  for (uint32_t client = 0; client < clients; client++) processes_.push_back(client);
}

OperationId Recorder::invoke(Micros time, uint32_t client, Function function, std::string_view key,
                             const Value& argument) {
  return invoke(time, client, function, key, true, argument);
}

OperationId Recorder::invoke(Micros time, uint32_t client, Function function,
                             const Value& argument) {
  return invoke(time, client, function, {}, false, argument);
}

OperationId Recorder::invoke(Micros time, uint32_t client, Function function, std::string_view key,
                             bool has_key, const Value& argument) {
  CHECK_MSG(client < clients_, "client {} of {}", client, clients_);
  const OperationId id = next_id_++;
  const auto done = builder_.invoke(time, id, processes_[client], function, key, has_key, argument);
  CHECK_MSG(done, "{}", done.error().message());
  return id;
}

void Recorder::ok(Micros time, OperationId id, const Value& result) {
  complete(time, id, Completion::kOk, result);
}

void Recorder::fail(Micros time, OperationId id) { complete(time, id, Completion::kFailed, {}); }

void Recorder::info(Micros time, OperationId id) { complete(time, id, Completion::kUnknown, {}); }

void Recorder::crash(Micros time) {
  const auto done = builder_.crash(time, {}, false);
  CHECK_MSG(done, "{}", done.error().message());
}

void Recorder::reconnect(uint32_t client) {
  CHECK_MSG(client < clients_, "client {} of {}", client, clients_);
  processes_[client] += clients_;
}

void Recorder::complete(Micros time, OperationId id, Completion how, const Value& result) {
  const Operation* operation = history().find(id);
  CHECK_MSG(operation != nullptr, "operation {}", id);
  const ProcessId process = operation->process;
  const auto done = builder_.complete(time, id, process, how, result);
  CHECK_MSG(done, "{}", done.error().message());
  if (how == Completion::kUnknown) {
    processes_[static_cast<size_t>(process) % clients_] = process + clients_;
  }
}

}  // namespace seatrial::checkers
