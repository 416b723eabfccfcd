#include "checkers/hjl.h"

#include "base/check.h"
#include "checkers/log_shapes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace seatrial::checkers {
namespace {

using base::Errc;
using base::fail;
using Json = nlohmann::json;

// One line of a file. Reused from line to line: its buffers keep their room.
struct Line {
  std::optional<int64_t> time;
  std::optional<int64_t> process;
  std::optional<int64_t> id;
  std::optional<std::string> event;
  std::optional<std::string> function;
  std::optional<std::string> key;
  Value argument;
  Value result;
  bool has_result = false;
};

// Takes nlohmann's parse events and builds a Line without a tree of JSON between: a history of a
// million operations is two million such lines.
class LineHandler : public nlohmann::json_sax<Json> {
 public:
  LineHandler(Line& line, Arena& arena) : line_(line), arena_(arena) {}

  const std::string& error() const { return error_; }

  bool null() override { return put({}); }
  bool boolean(bool) override { return wrong("true or false is no value of a history"); }
  bool number_integer(number_integer_t number) override { return put(Value::integer(number)); }
  bool number_unsigned(number_unsigned_t number) override {
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return wrong(fmt::format("number {} is above 2^63 - 1", number));
    }
    return put(Value::integer(static_cast<int64_t>(number)));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return wrong(fmt::format("{} is no whole number", text));
  }
  bool string(string_t& text) override {
    // The line's own texts are compared and dropped; only values need to live on.
    if (stack_.empty() && member_ != Member::kArgument && member_ != Member::kResult) {
      return put(Value::text(text));
    }
    return put(Value::text(arena_.copy(text)));
  }
  bool binary(binary_t&) override { return wrong("binary data"); }

  bool start_object(size_t) override {
    if (!inside_) {
      inside_ = true;
      return true;
    }
    return start(true);
  }
  bool start_array(size_t) override { return inside_ ? start(false) : wrong("expected an object"); }
  bool end_object() override { return stack_.empty() ? true : end(); }
  bool end_array() override { return end(); }

  bool key(string_t& name) override {
    if (!stack_.empty()) {
      items_.push_back(Value::text(arena_.copy(name)));
      return true;
    }
    static constexpr std::array<std::pair<std::string_view, Member>, 8> kMembers = {{
        {"t", Member::kTime},
        {"p", Member::kProcess},
        {"id", Member::kId},
        {"e", Member::kEvent},
        {"f", Member::kFunction},
        {"k", Member::kKey},
        {"a", Member::kArgument},
        {"r", Member::kResult},
    }};
    for (const auto& [known, member] : kMembers) {
      if (known == name) {
        member_ = member;
        return true;
      }
    }
    return wrong(fmt::format("unknown member \"{}\", expected t, p, id, e, f, k, a or r", name));
  }

  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    return wrong(fmt::format("not JSON at column {}, expected one object a line", position));
  }

 private:
  enum class Member { kNone, kTime, kProcess, kId, kEvent, kFunction, kKey, kArgument, kResult };
  struct Open {
    size_t first_item;
    bool object;
  };

  bool wrong(std::string what) {
    if (error_.empty()) error_ = std::move(what);
    return false;
  }

  bool start(bool object) {
    constexpr size_t kDepthMax = 16;
    if (stack_.size() == kDepthMax) return wrong("values nest deeper than 16");
    stack_.push_back({items_.size(), object});
    return true;
  }

  bool end() {
    const Open open = stack_.back();
    stack_.pop_back();
    const std::span<Value> items = std::span(items_).subspan(open.first_item);
    if (open.object && !sort_members(items)) return wrong("a name stands twice in an object");
    std::span<Value> kept = arena_.make<Value>(items.size());
    std::ranges::copy(items, kept.begin());
    items_.resize(open.first_item);
    return put(open.object ? Value::object(kept) : Value::list(kept));
  }

  // Objects are kept in the order of their names. False where a name repeats.
  static bool sort_members(std::span<Value> items) {
    for (size_t i = 2; i < items.size(); i += 2) {
      for (size_t j = i; j > 0; j -= 2) {
        if (items[j - 2].as_text() == items[j].as_text()) return false;
        if (items[j - 2].as_text() < items[j].as_text()) break;
        std::swap(items[j - 2], items[j]);
        std::swap(items[j - 1], items[j + 1]);
      }
    }
    return true;
  }

  bool put(const Value& value) {
    if (!inside_) return wrong("expected an object");
    if (!stack_.empty()) {
      items_.push_back(value);
      return true;
    }
    switch (member_) {
      case Member::kNone: break;
      case Member::kTime: return put_number(value, "t", line_.time);
      case Member::kProcess: return put_number(value, "p", line_.process);
      case Member::kId: return put_number(value, "id", line_.id);
      case Member::kEvent: return put_text(value, "e", line_.event);
      case Member::kFunction: return put_text(value, "f", line_.function);
      case Member::kKey: return put_text(value, "k", line_.key);
      case Member::kArgument: line_.argument = value; return true;
      case Member::kResult:
        line_.result = value;
        line_.has_result = true;
        return true;
    }
    return wrong("expected an object");
  }

  bool put_number(const Value& value, std::string_view name, std::optional<int64_t>& to) {
    if (!value.is_integer()) {
      return wrong(fmt::format("{} is {}, expected a number", name, value.json()));
    }
    to = value.as_integer();
    return true;
  }
  bool put_text(const Value& value, std::string_view name, std::optional<std::string>& to) {
    if (!value.is_text()) {
      return wrong(fmt::format("{} is {}, expected a text", name, value.json()));
    }
    to = std::string(value.as_text());
    return true;
  }

  Line& line_;
  Arena& arena_;
  std::vector<Open> stack_;
  std::vector<Value> items_;
  std::string error_;
  Member member_ = Member::kNone;
  bool inside_ = false;
};

std::unexpected<base::Error> invalid(std::string detail) {
  return fail(Errc::kInvalidData, std::move(detail));
}

Result<HistoryBuilder> read_header(std::string_view text) {
  const Json header = Json::parse(text, nullptr, false);
  if (!header.is_object() || !header.contains("hdr")) {
    return invalid("expected the header {\"hdr\":\"hjl/1\",\"type\":...}");
  }
  if (header["hdr"] != "hjl/1") {
    return invalid("hdr is " + header["hdr"].dump() + ", expected \"hjl/1\"");
  }
  if (!header.contains("type") || !header["type"].is_string()) {
    return invalid("the header has no type, expected \"type\":\"register\" or the like");
  }
  std::string type = header["type"].get<std::string>();
  TRY(check_history_type(type));
  // The members after hdr and type are carried along as they stand; ops is counted anew.
  std::string members;
  const auto ordered = nlohmann::ordered_json::parse(text);
  for (const auto& [name, value] : ordered.items()) {
    if (name == "hdr" || name == "type") continue;
    if (!members.empty()) members += ',';
    append_json_text(name, members);
    members += ":" + value.dump();
  }
  if (has_crashes(type)) TRY(check_log_header(members));
  return HistoryBuilder(std::move(type), std::move(members));
}

Result<void> apply_line(const Line& line, HistoryBuilder& builder) {
  if (!line.event) return invalid("no member e, expected invoke, ok, fail or info");
  if (!line.time) return invalid("no member t, expected a time in microseconds");
  const std::string& type = builder.history().type();
  if (*line.event == "crash" && has_crashes(type)) {
    const std::string_view key = line.key ? std::string_view(*line.key) : std::string_view();
    return builder.crash(Micros(*line.time), key, line.key.has_value());
  }
  if (!line.id) return invalid("no member id, expected the operation's number");
  if (!line.process) return invalid("no member p, expected the process's number");
  const Micros time(*line.time);
  if (*line.event == "invoke") {
    if (!line.function) return invalid("an invocation without f, expected a function");
    const Function function = TRY(parse_function(type, *line.function));
    const std::string_view key = line.key ? std::string_view(*line.key) : std::string_view();
    return builder.invoke(time, *line.id, *line.process, function, key, line.key.has_value(),
                          line.argument);
  }
  Completion how = Completion::kOk;
  if (*line.event == "fail") {
    how = Completion::kFailed;
  } else if (*line.event == "info") {
    how = Completion::kUnknown;
  } else if (*line.event != "ok") {
    return invalid(fmt::format("event \"{}\", expected invoke, ok, fail{}", *line.event,
                               has_crashes(type) ? ", info or crash" : " or info"));
  }
  if (how == Completion::kOk) {
    if (!line.has_result) return invalid("an ok without r, expected the operation's result");
    if (const Operation* operation = builder.history().find(*line.id)) {
      TRY(check_result(operation->function, operation->argument, line.result));
    }
  }
  return builder.complete(time, *line.id, *line.process, how, line.result);
}

Result<void> read_line(std::string_view text, Arena& scratch, HistoryBuilder& builder) {
  Line line;
  scratch.clear();
  LineHandler handler(line, scratch);
  if (!Json::sax_parse(text, &handler)) {
    return invalid(handler.error().empty() ? "not JSON" : handler.error());
  }
  return apply_line(line, builder);
}

void write_invocation(const History& history, const Operation& operation, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({{"t":{},"p":{},"id":{},"e":"invoke","f":"{}")",
                 operation.invoke_time.count(), operation.process, operation.id,
                 to_string(operation.function));
  if (operation.key != kNoKey) {
    out += ",\"k\":";
    append_json_text(history.key_name(operation.key), out);
  }
  if (!operation.argument.is_nil()) {
    out += ",\"a\":";
    operation.argument.append_json(out);
  }
  out += "}\n";
}

void write_completion(const Operation& operation, std::string& out) {
  const std::string_view event = operation.ok() ? "ok" : operation.failed() ? "fail" : "info";
  fmt::format_to(std::back_inserter(out), R"({{"t":{},"p":{},"id":{},"e":"{}")",
                 operation.complete_time.count(), operation.process, operation.id, event);
  if (operation.ok()) {
    out += ",\"r\":";
    operation.result.append_json(out);
  }
  out += "}\n";
}

void write_crash(const History& history, const Crash& crash, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({{"t":{},"e":"crash")", crash.time.count());
  if (crash.key != kNoKey) {
    out += ",\"k\":";
    append_json_text(history.key_name(crash.key), out);
  }
  out += "}\n";
}

struct Event {
  const Operation* operation = nullptr;
  const Crash* crash = nullptr;
  bool completion = false;
};

std::string write_events(const History& history, std::span<const Event> events) {
  std::string out = R"({"hdr":"hjl/1","type":)";
  append_json_text(history.type(), out);
  const std::string& members = history.header_members();
  if (!members.empty()) out += "," + members;
  if (members.find("\"ops\":") == std::string::npos) {
    fmt::format_to(std::back_inserter(out), ",\"ops\":{}", history.operations().size());
  }
  out += "}\n";
  for (const Event& event : events) {
    if (event.crash != nullptr) write_crash(history, *event.crash, out);
    if (event.operation == nullptr) continue;
    if (event.completion) {
      write_completion(*event.operation, out);
    } else {
      write_invocation(history, *event.operation, out);
    }
  }
  return out;
}

void place(const Operation& operation, std::vector<Event>& events) {
  events[operation.invoke_at] = {&operation, nullptr, false};
  if (operation.complete_at != kNeverAt)
    events[operation.complete_at] = {&operation, nullptr, true};
}

// A log's crashes belong to every part of its history: they say what may be missing.
std::vector<Event> events_with_crashes(const History& history) {
  std::vector<Event> events(history.events());
  for (const Crash& crash : history.crashes()) events[crash.at].crash = &crash;
  return events;
}

}  // namespace

Result<History> read_hjl(std::string_view bytes) {
  std::optional<HistoryBuilder> builder;
  Arena scratch;
  size_t number = 0;
  while (!bytes.empty()) {
    number++;
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.empty()) continue;
    if (!builder) {
      Result<HistoryBuilder> header = read_header(line);
      if (!header) return fail(header.error().in(fmt::format("line {}", number)));
      builder.emplace(std::move(*header));
      // Two lines each, but for those that never end.
      builder->expect(static_cast<size_t>(std::ranges::count(bytes, '\n')) / 2 + 1);
    } else if (Result<void> read = read_line(line, scratch, *builder); !read) {
      return fail(read.error().in(fmt::format("line {}", number)));
    }
  }
  if (!builder) return invalid("line 1: empty, expected the header {\"hdr\":\"hjl/1\",...}");
  return std::move(*builder).take();
}

std::string write_hjl(const History& history) {
  std::vector<Event> events = events_with_crashes(history);
  for (const Operation& operation : history.operations()) place(operation, events);
  return write_events(history, events);
}

std::string write_hjl(const History& history, std::span<const OperationId> operations) {
  std::vector<Event> events = events_with_crashes(history);
  for (OperationId id : operations) {
    const Operation* operation = history.find(id);
    CHECK_MSG(operation != nullptr, "operation {}", id);
    place(*operation, events);
  }
  return write_events(history, events);
}

}  // namespace seatrial::checkers
