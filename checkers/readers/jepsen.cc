#include "checkers/readers/jepsen.h"

#include "checkers/readers/edn.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <unordered_map>

namespace seatrial::checkers {
namespace {

using base::Errc;
using base::fail;

std::unexpected<base::Error> invalid(std::string detail) {
  return fail(Errc::kInvalidData, std::move(detail));
}

// One of the workloads above.
enum class Workload : uint8_t { kUnknown, kAppend, kReadWrite, kRegister };

// A name for anything that can be a key.
std::string key_text(const Edn& key) {
  const bool plain = key.kind == Edn::Kind::kString || key.kind == Edn::Kind::kKeyword;
  return plain ? key.text : key.print();
}

Value value_of(const Edn& edn, Arena& arena) {
  if (edn.is_nil()) return {};
  if (edn.is_integer()) return Value::integer(edn.integer);
  return Value::text(arena.copy(edn.kind == Edn::Kind::kString ? edn.text : edn.print()));
}

bool is_pair(const Edn& edn) { return edn.is_list() && edn.items.size() == 2; }

// Reads the operations of clients, one by one.
class OperationReader {
 public:
  explicit OperationReader(std::string_view bytes) : reader_(bytes) {}

  // nullopt at the end.
  Result<std::optional<Edn>> next() {
    if (!started_) {
      TRY(reader_.enter_vector());
      started_ = true;
    }
    while (TRY(reader_.has_next())) {
      Edn operation = TRY(reader_.next());
      const auto wrong = [&](std::string_view what) {
        return invalid(fmt::format("line {}: {}", operation.line, what));
      };
      if (operation.kind != Edn::Kind::kMap) {
        return wrong(
            fmt::format("{}, expected an operation {{:process N, :type T, :f F, :value V}}",
                        operation.print().substr(0, 60)));
      }
      const Edn* process = operation.find("process");
      if (process == nullptr) return wrong("an operation without :process");
      if (process->is_integer()) return std::optional<Edn>(std::move(operation));
    }
    return std::optional<Edn>();
  }

 private:
  EdnReader reader_;
  bool started_ = false;
};

// What the history is of, by the first operation that tells.
Result<Workload> find_workload(std::string_view bytes) {
  OperationReader reader(bytes);
  Workload reads_only = Workload::kUnknown;
  while (const std::optional<Edn> operation = TRY(reader.next())) {
    const Edn* function = operation->find("f");
    if (function == nullptr || !function->is_keyword("txn")) {
      if (function != nullptr && function->kind == Edn::Kind::kKeyword) return Workload::kRegister;
      return invalid(
          fmt::format("line {}: an operation without :f, expected :txn, :read, :write "
                      "or :cas",
                      operation->line));
    }
    const Edn* value = operation->find("value");
    if (value == nullptr || !value->is_list()) continue;
    for (const Edn& micro : value->items) {
      if (!micro.is_list() || micro.items.size() != 3) continue;
      if (micro.items[0].is_keyword("append")) return Workload::kAppend;
      if (micro.items[0].is_keyword("w")) return Workload::kReadWrite;
      const Edn& read = micro.items[2];
      if (!read.is_nil()) reads_only = read.is_list() ? Workload::kAppend : Workload::kReadWrite;
    }
  }
  return reads_only == Workload::kUnknown ? Workload::kAppend : reads_only;
}

class Feed {
 public:
  explicit Feed(Workload workload)
      : workload_(workload),
        builder_(workload == Workload::kAppend      ? "appendtxn"
                 : workload == Workload::kReadWrite ? "rwtxn"
                                                    : "kv") {}

  Result<void> take(const Edn& operation) {
    Result<void> taken = take_event(operation);
    if (taken) return taken;
    return fail(taken.error().in(fmt::format("line {}", operation.line)));
  }
  History finish() && { return std::move(builder_).take(); }

 private:
  struct Open {
    OperationId id;
    Edn value;  // As it was invoked.
  };

  Result<void> take_event(const Edn& operation) {
    const Edn* type = operation.find("type");
    const Edn* function = operation.find("f");
    static const Edn nil;
    const Edn* value = operation.find("value");
    if (value == nullptr) value = &nil;
    if (type == nullptr || function == nullptr || function->kind != Edn::Kind::kKeyword) {
      return invalid("expected :type and :f in an operation");
    }
    const Micros time = TRY(time_of(operation));
    const ProcessId process = operation.find("process")->integer;
    arena_.clear();
    if (type->is_keyword("invoke")) return invoke(time, process, *function, *value);
    Completion how = Completion::kOk;
    if (type->is_keyword("fail")) {
      how = Completion::kFailed;
    } else if (type->is_keyword("info")) {
      how = Completion::kUnknown;
    } else if (!type->is_keyword("ok")) {
      return invalid(fmt::format(":type {}, expected :invoke, :ok, :fail or :info", type->print()));
    }
    return complete(time, process, how, *function, *value);
  }

  Result<Micros> time_of(const Edn& operation) {
    const int64_t number = events_++;
    const Edn* time = operation.find("time");
    if (time == nullptr || time->is_nil()) return Micros(number);
    if (!time->is_integer()) {
      return invalid(fmt::format(":time {}, expected nanoseconds", time->print()));
    }
    return std::chrono::duration_cast<Micros>(std::chrono::nanoseconds(time->integer));
  }

  Result<void> invoke(Micros time, ProcessId process, const Edn& function, const Edn& value) {
    const OperationId id = next_id_++;
    if (workload_ == Workload::kRegister) {
      TRY(invoke_register(time, id, process, function, value));
    } else {
      const Value commands = TRY(commands_of(function, value));
      TRY(builder_.invoke(time, id, process, Function::kExec, {}, false, commands));
    }
    open_.insert_or_assign(process, Open{id, value});
    return {};
  }

  Result<void> complete(Micros time, ProcessId process, Completion how, const Edn& function,
                        const Edn& value) {
    const auto open = open_.find(process);
    if (open == open_.end()) {
      return invalid(
          fmt::format("completion without invocation: process {} has none open", process));
    }
    Value result;
    if (how == Completion::kOk) {
      result = workload_ == Workload::kRegister ? TRY(register_result(function, value))
                                                : TRY(answers_of(open->second.value, value));
    }
    TRY(builder_.complete(time, open->second.id, process, how, result));
    open_.erase(open);
    return {};
  }

  // Independent's tuples have the key in front.
  static bool is_tuple(const Edn& function, const Edn& value) {
    return is_pair(value) && (!function.is_keyword("cas") || value.items[1].is_list());
  }

  Result<void> invoke_register(Micros time, OperationId id, ProcessId process, const Edn& function,
                               const Edn& value) {
    const bool tuple = is_tuple(function, value);
    const std::string key = tuple ? key_text(value.items[0]) : "r";
    const Edn& argument = tuple ? value.items[1] : value;
    if (function.is_keyword("read")) {
      return builder_.invoke(time, id, process, Function::kGet, key, true, {});
    }
    if (function.is_keyword("write")) {
      return builder_.invoke(time, id, process, Function::kSet, key, true,
                             value_of(argument, arena_));
    }
    if (!function.is_keyword("cas")) {
      return invalid(fmt::format(":f {}, expected :read, :write or :cas", function.print()));
    }
    if (!is_pair(argument)) {
      return invalid(fmt::format(":value {}, expected [old new]", value.print()));
    }
    const std::array pair = {value_of(argument.items[0], arena_),
                             value_of(argument.items[1], arena_)};
    return builder_.invoke(time, id, process, Function::kCas, key, true, Value::list(pair));
  }

  Result<Value> register_result(const Edn& function, const Edn& value) {
    if (function.is_keyword("cas")) return Value::integer(1);
    if (function.is_keyword("write")) return Value::text("OK");
    return value_of(is_tuple(function, value) ? value.items[1] : value, arena_);
  }

  Result<Value> commands_of(const Edn& function, const Edn& value) {
    if (!function.is_keyword("txn")) {
      return invalid(fmt::format(":f {}, expected :txn", function.print()));
    }
    if (!value.is_list()) {
      return invalid(fmt::format(":value {}, expected a vector of [:f key value]", value.print()));
    }
    const bool append = workload_ == Workload::kAppend;
    std::span<Value> commands = arena_.make<Value>(value.items.size());
    for (size_t i = 0; i < commands.size(); i++) {
      const Edn& micro = value.items[i];
      const bool triple = micro.is_list() && micro.items.size() == 3;
      const bool reads = triple && micro.items[0].is_keyword("r");
      if (!reads && !(triple && micro.items[0].is_keyword(append ? "append" : "w"))) {
        return invalid(fmt::format("{}, expected [:r key value] or [:{} key value]", micro.print(),
                                   append ? "append" : "w"));
      }
      std::span<Value> words = arena_.make<Value>(reads ? 2 : 3);
      words[0] = Value::text(append ? (reads ? "lrange" : "rpush") : (reads ? "get" : "set"));
      words[1] = Value::text(arena_.copy(key_text(micro.items[1])));
      if (!reads) words[2] = value_of(micro.items[2], arena_);
      commands[i] = Value::list(words);
    }
    return Value::list(commands);
  }

  // What the transaction's reads found, beside what was invoked.
  Result<Value> answers_of(const Edn& invoked, const Edn& value) {
    if (!value.is_list() || value.items.size() != invoked.items.size()) {
      return invalid(fmt::format(":value {}, expected the {} micro-operations of {}",
                                 value.print().substr(0, 80), invoked.items.size(),
                                 invoked.print().substr(0, 80)));
    }
    std::span<Value> answers = arena_.make<Value>(value.items.size());
    for (size_t i = 0; i < answers.size(); i++) {
      const Edn& micro = value.items[i];
      const Edn& asked = invoked.items[i];
      const bool same = micro.is_list() && micro.items.size() == 3 &&
                        micro.items[0].print() == asked.items[0].print() &&
                        micro.items[1].print() == asked.items[1].print();
      if (!same) {
        return invalid(fmt::format("{}, expected the answer to {}", micro.print(), asked.print()));
      }
      answers[i] = Value::text("OK");
      if (asked.items[0].is_keyword("r")) answers[i] = TRY(found(micro.items[2]));
    }
    return Value::list(answers);
  }

  // A list that is not there reads as nil.
  Result<Value> found(const Edn& read) {
    if (workload_ != Workload::kAppend) return value_of(read, arena_);
    if (!read.is_nil() && !read.is_list()) {
      return invalid(fmt::format("read of {}, expected a vector or nil", read.print()));
    }
    std::span<Value> items = arena_.make<Value>(read.items.size());
    for (size_t i = 0; i < items.size(); i++) items[i] = value_of(read.items[i], arena_);
    return Value::list(items);
  }

  Workload workload_;
  HistoryBuilder builder_;
  Arena arena_;
  std::unordered_map<ProcessId, Open> open_;
  OperationId next_id_ = 0;
  int64_t events_ = 0;
};

}  // namespace

// A map with a keyword in front, alone, tagged or in a vector: JSON has none of these.
bool is_jepsen_edn(std::string_view bytes) {
  while (true) {
    bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n,"), bytes.size()));
    if (!bytes.starts_with(';')) break;
    bytes.remove_prefix(std::min(bytes.find('\n'), bytes.size()));
  }
  if (bytes.starts_with('[')) {
    bytes.remove_prefix(1);
    bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n,"), bytes.size()));
    if (bytes.starts_with(']')) return true;
  }
  if (bytes.starts_with('#')) return true;
  if (!bytes.starts_with('{')) return false;
  bytes.remove_prefix(1);
  bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n,"), bytes.size()));
  return bytes.starts_with(':');
}

Result<History> read_jepsen_edn(std::string_view bytes) {
  const Workload workload = TRY(find_workload(bytes));
  OperationReader reader(bytes);
  Feed feed(workload);
  while (const std::optional<Edn> operation = TRY(reader.next())) {
    TRY(feed.take(*operation));
  }
  return std::move(feed).finish();
}

}  // namespace seatrial::checkers
