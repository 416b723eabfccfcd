#include "checkers/readers/porcupine.h"

#include "base/check.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <unordered_map>

namespace seatrial::checkers {
namespace {

using base::Errc;
using base::fail;

std::unexpected<base::Error> invalid(std::string detail) {
  return fail(Errc::kInvalidData, std::move(detail));
}

// Takes words and quoted texts off the front of a line.
class Cursor {
 public:
  explicit Cursor(std::string_view line) : rest_(line) {}

  std::string_view word() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t"));
    rest_.remove_prefix(word.size());
    return word;
  }
  bool skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // Up to `end`, which is taken off, too.
  std::optional<std::string_view> until(std::string_view end) {
    const size_t at = rest_.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return text;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

Result<int64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return invalid(fmt::format("\"{}\", expected a number", text));
  }
  return number;
}

// Feeds a HistoryBuilder from events that name only their process.
class EventFeed {
 public:
  EventFeed() : builder_("kv") {}

  Result<void> invoke(ProcessId process, Function function, std::string_view key,
                      const Value& argument) {
    const OperationId id = next_id_++;
    TRY(builder_.invoke(tick(), id, process, function, key, true, argument));
    open_[process] = id;
    return {};
  }
  Result<void> complete(ProcessId process, Completion how, const Value& result) {
    const auto open = open_.find(process);
    if (open == open_.end()) {
      return invalid(
          fmt::format("completion without invocation: process {} has none open", process));
    }
    TRY(builder_.complete(tick(), open->second, process, how, result));
    open_.erase(open);
    return {};
  }
  History take() { return std::move(builder_).take(); }

 private:
  Micros tick() { return Micros(events_++); }

  HistoryBuilder builder_;
  std::unordered_map<ProcessId, OperationId> open_;
  OperationId next_id_ = 0;
  int64_t events_ = 0;
};

Result<Value> parse_register_value(std::string_view text) {
  if (text == "nil") return Value();
  return Value::integer(TRY(parse_number(text)));
}

Result<void> invoke_register(ProcessId process, std::string_view function, std::string_view value,
                             EventFeed& feed) {
  if (function == ":read") return feed.invoke(process, Function::kGet, "r", {});
  if (function == ":write") {
    return feed.invoke(process, Function::kSet, "r", Value::integer(TRY(parse_number(value))));
  }
  if (function != ":cas") {
    return invalid(fmt::format("{}, expected :read, :write or :cas", function));
  }
  Cursor cursor(value);
  if (!cursor.skip("[")) return invalid(fmt::format("{}, expected [old new]", value));
  const std::string_view old = cursor.word();
  std::string_view made = cursor.word();
  if (!made.ends_with("]")) return invalid(fmt::format("{}, expected [old new]", value));
  made.remove_suffix(1);
  const std::array pair = {TRY(parse_register_value(old)), Value::integer(TRY(parse_number(made)))};
  return feed.invoke(process, Function::kCas, "r", Value::list(pair));
}

Result<void> complete_register(ProcessId process, std::string_view type, std::string_view function,
                               std::string_view value, EventFeed& feed) {
  if (type == ":info") return feed.complete(process, Completion::kUnknown, {});
  if (type == ":fail" && function == ":read") {
    return feed.complete(process, Completion::kFailed, {});
  }
  if (type == ":fail" && function == ":cas") {
    return feed.complete(process, Completion::kOk, Value::integer(0));
  }
  if (type != ":ok") return invalid(fmt::format("{} {}, which cannot be", type, function));
  if (function == ":cas") return feed.complete(process, Completion::kOk, Value::integer(1));
  if (function == ":write") return feed.complete(process, Completion::kOk, Value::text("OK"));
  return feed.complete(process, Completion::kOk, TRY(parse_register_value(value)));
}

Result<void> read_register_line(std::string_view line, EventFeed& feed) {
  Cursor cursor(line);
  if (cursor.word() != "INFO" || cursor.word() != "jepsen.util" || cursor.word() != "-") {
    return invalid("expected INFO jepsen.util - PROCESS :TYPE :FUNCTION VALUE");
  }
  const ProcessId process = TRY(parse_number(cursor.word()));
  const std::string_view type = cursor.word();
  const std::string_view function = cursor.word();
  std::string_view value = cursor.rest();
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  if (type == ":invoke") return invoke_register(process, function, value, feed);
  return complete_register(process, type, function, value, feed);
}

Value text_or_nil(std::string_view text) { return text.empty() ? Value() : Value::text(text); }

Result<void> read_kv_line(std::string_view line, EventFeed& feed) {
  const auto malformed = [] {
    return invalid("expected {:process N, :type :T, :f :F, :key \"K\", :value V}");
  };
  Cursor cursor(line);
  if (!cursor.skip("{:process ")) return malformed();
  const auto process_text = cursor.until(", :type :");
  const auto type = cursor.until(", :f :");
  const auto function = cursor.until(", :key \"");
  const auto key = cursor.until("\", :value ");
  if (!process_text || !type || !function || !key) return malformed();
  std::string_view value = cursor.rest();
  if (value == "nil}") {
    value = "";
  } else {
    if (!value.starts_with('"') || !value.ends_with("\"}") || value.size() < 3) return malformed();
    value = value.substr(1, value.size() - 3);
  }
  const ProcessId process = TRY(parse_number(*process_text));
  if (*type == "invoke") {
    if (*function == "get") return feed.invoke(process, Function::kGet, *key, {});
    if (*function == "put") {
      return feed.invoke(process, Function::kSet, *key, Value::text(value));
    }
    if (*function == "append") {
      return feed.invoke(process, Function::kAppend, *key, Value::text(value));
    }
    return invalid(fmt::format(":{}, expected :get, :put or :append", *function));
  }
  if (*type != "ok") return invalid(fmt::format(":{}, expected :invoke or :ok", *type));
  const Value result = *function == "get" ? text_or_nil(value) : Value::text("OK");
  return feed.complete(process, Completion::kOk, result);
}

template <typename ReadLine>
Result<History> read_lines(std::string_view bytes, ReadLine read_line) {
  EventFeed feed;
  size_t number = 0;
  while (!bytes.empty()) {
    number++;
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.empty()) continue;
    const Result<void> read = read_line(line, feed);
    if (!read) return fail(read.error().in(fmt::format("line {}", number)));
  }
  return feed.take();
}

}  // namespace

bool is_jepsen_register_log(std::string_view bytes) { return bytes.starts_with("INFO "); }

Result<History> read_jepsen_register_log(std::string_view bytes) {
  return read_lines(bytes, read_register_line);
}

// A history of Jepsen may begin alike, but has no key of its own.
bool is_porcupine_kv(std::string_view bytes) {
  return bytes.starts_with("{:process ") &&
         bytes.substr(0, bytes.find('\n')).find(", :key \"") != std::string_view::npos;
}

Result<History> read_porcupine_kv(std::string_view bytes) {
  return read_lines(bytes, read_kv_line);
}

}  // namespace seatrial::checkers
