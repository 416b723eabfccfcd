// crash-in-fork: clients write, look at everything, and have the server save and rewrite its log,
// while it, its children and their machine crash.
//
// Every write is one transaction that counts "clock" up and appends its operation's number to
// "journal": so the server itself numbers the writes, and each view shows which there were, in
// their order, beside what they made of the keys. Who takes up a new connection looks first: it may
// be another life of the server.
#include "base/check.h"
#include "checkers/check.h"
#include "scenarios/kv_client.h"
#include "scenarios/workloads/pace.h"
#include "scenarios/workloads/workload.h"
#include "sim/faults/fault.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace seatrial::scenarios {
namespace {

using base::Errc;
using base::fail;
using checkers::Function;
using checkers::OperationId;
using checkers::Value;
using nlohmann::json;
using namespace std::chrono_literals;

constexpr int64_t kCounters = 2;
// The year 2100 and later: a deadline that no run reaches, in milliseconds.
constexpr int64_t kFarAway = 4'102'444'800'000;
// Between two tries of what must succeed in the end.
constexpr os::Duration kBetweenTries = 50ms;
// How long a client watches its BGSAVE, and how often it asks.
constexpr os::Duration kSavePatience = 10s;
constexpr os::Duration kSavePoll = 8ms;
// What an everysec log may lose, as kv/propagate/aof.h has it: no batch is written while the
// oldest byte not yet synced is older.
constexpr int64_t kWindowMs = 2000;

std::string key_name(int64_t index) { return fmt::format("k{}", index); }
std::string counter_name(int64_t index) { return fmt::format("n{}", index); }

// A value as it is stored: its name, and bytes that tell of any that are lost or misplaced. Half
// of the values compress well.
std::string pad(std::string_view name, size_t bytes) {
  std::string value(name);
  if (bytes <= name.size() + 1) return value;
  value += ':';
  base::RandomStream random(base::hash_name(name));
  const bool plain = random.chance(0.5);
  while (value.size() < bytes) {
    value += static_cast<char>('a' + (plain ? value.size() / 16 % 26 : random.below(26)));
  }
  return value;
}

// The name of a value that is whole; else all of it, for the history to show.
std::string_view unpad(std::string_view value) {
  const std::string_view name = value.substr(0, value.find(':'));
  return pad(name, value.size()) == value ? name : value;
}

std::optional<int64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// A stored value as the history shows it: a number where it is one.
Value to_value(const resp::Reply& reply) {
  if (reply.is_nil()) return {};
  if (reply.is_integer()) return Value::integer(reply.as_integer());
  if (const auto number = parse_number(reply.as_text())) return Value::integer(*number);
  return Value::text(unpad(reply.as_text()));
}

struct Request {
  std::string f;
  std::vector<std::vector<std::string>> commands;
  size_t bytes = 0;  // Of the values that it sets.
  os::Duration think{0};
};

// The words that follow a command's name.
struct Shape {
  std::string_view name;
  size_t words_min;
  size_t words_max;
};
constexpr Shape kShapes[] = {
    {"set", 3, 4}, {"del", 2, 2}, {"incr", 2, 2}, {"expireat", 3, 3}, {"persist", 2, 2}};

Result<std::vector<std::string>> parse_command(const json& from, std::string_view line) {
  const auto wrong = [&] {
    return fail(Errc::kInvalidData,
                fmt::format("crash-in-fork: \"c\" is a list of set, del, incr, expireat and "
                            "persist commands, found {}",
                            line));
  };
  if (!from.is_array() || from.empty() || !from[0].is_string()) return wrong();
  std::vector<std::string> words;
  for (const json& word : from) {
    if (!word.is_string()) return wrong();
    words.push_back(word.get<std::string>());
  }
  const auto shape = std::ranges::find(kShapes, words[0], &Shape::name);
  if (shape == std::end(kShapes) || words.size() < shape->words_min ||
      words.size() > shape->words_max) {
    return wrong();
  }
  const size_t deadline = words[0] == "set" ? 3 : words[0] == "expireat" ? 2 : words.size();
  if (deadline < words.size() && parse_number(words[deadline]).value_or(-1) < kFarAway) {
    return wrong();
  }
  return words;
}

Result<Request> parse_request(const std::string& line) {
  const json parsed = json::parse(line, nullptr, false);
  Request request;
  request.f = TRY(text_member(parsed, "f"));
  constexpr std::string_view kFunctions[] = {"write",  "view",    "save",
                                             "bgsave", "rewrite", "lastsave"};
  if (std::ranges::find(kFunctions, request.f) == std::end(kFunctions)) {
    return fail(Errc::kInvalidData, fmt::format("crash-in-fork: \"f\" is one of {}, found {}",
                                                fmt::join(kFunctions, ", "), line));
  }
  request.think = std::chrono::microseconds(TRY(number_member(parsed, "think_us")));
  request.bytes =
      static_cast<size_t>(std::min<int64_t>(TRY(number_member(parsed, "bytes")), 65536));
  if (request.f != "write") return request;
  const auto commands = parsed.find("c");
  if (commands == parsed.end() || !commands->is_array()) {
    return fail(Errc::kInvalidData,
                fmt::format("crash-in-fork: a write has a list \"c\" of commands, found {}", line));
  }
  for (const json& command : *commands) {
    request.commands.push_back(TRY(parse_command(command, line)));
  }
  return request;
}

// As it goes over the wire.
Command wire(const std::vector<std::string>& words, size_t bytes) {
  const std::string& name = words[0];
  if (name == "expireat") return {"PEXPIREAT", words[1], words[2]};
  if (name != "set") return words;
  Command command{"SET", words[1], parse_number(words[2]) ? words[2] : pad(words[2], bytes)};
  if (words.size() > 3) {
    command.push_back("PXAT");
    command.push_back(words[3]);
  }
  return command;
}

// One client: its connection, and its place in the history.
class Keeper {
 public:
  explicit Keeper(ClientContext& context)
      : context_(context), client_(context.os, context.servers) {
    const int64_t keys = parameter(context.scenario, "keys", 8);
    for (int64_t i = 0; i < keys; ++i) keys_.push_back(key_name(i));
    for (int64_t i = 0; i < kCounters; ++i) keys_.push_back(counter_name(i));
  }

  KvClient& client() { return client_; }

  // Connected, and has looked.
  Result<void> ready() {
    while (!client_.connected()) {
      TRY(client_.ready());
      view();
    }
    return {};
  }

  Result<void> run(const Request& request) {
    if (request.f == "write") {
      write(request);
    } else if (request.f == "view") {
      view();
    } else if (request.f == "save") {
      save();
    } else if (request.f == "bgsave") {
      save_in_background();
    } else {
      // Neither says anything about what is kept.
      (void)client_.call(Command{request.f == "rewrite" ? "BGREWRITEAOF" : "LASTSAVE"});
    }
    return {};
  }

  // True if it was answered.
  bool write(const Request& request) {
    std::vector<Value> words;
    for (const auto& command : request.commands) {
      for (const std::string& word : command) {
        const auto number = parse_number(word);
        words.push_back(number ? Value::integer(*number) : Value::text(word));
      }
    }
    std::vector<Value> commands;
    size_t at = 0;
    for (const auto& command : request.commands) {
      commands.push_back(Value::list(std::span(words).subspan(at, command.size())));
      at += command.size();
    }
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kWrite, Value::list(commands));
    std::vector<Command> pipeline{
        {"MULTI"}, {"INCR", "clock"}, {"APPEND", "journal", fmt::format("{},", id)}};
    for (const auto& command : request.commands) pipeline.push_back(wire(command, request.bytes));
    pipeline.push_back({"EXEC"});
    const resp::Reply reply = exec(id, pipeline);
    if (!reply.is_array()) return false;
    std::vector<Value> answers{to_answer(reply.items()[0])};
    for (size_t i = 2; i < reply.items().size(); ++i)
      answers.push_back(to_answer(reply.items()[i]));
    context_.scribe.ok(id, Value::list(answers));
    return true;
  }

  // True if it was answered.
  bool view() {
    std::vector<Value> names;
    for (const std::string& key : keys_) names.push_back(Value::text(key));
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kView, Value::list(names));
    std::vector<Command> pipeline{{"MULTI"}, {"GET", "clock"}, {"GET", "journal"}, {"MGET"}};
    pipeline.back().insert(pipeline.back().end(), keys_.begin(), keys_.end());
    for (const std::string& key : keys_) pipeline.push_back({"PEXPIRETIME", key});
    pipeline.push_back({"EXEC"});
    const resp::Reply reply = exec(id, pipeline);
    if (!reply.is_array()) return false;
    note_view(id, reply.items());
    return true;
  }

  // True if it is known to be complete: once one more save has succeeded than when ours began, ours
  // or a later one. (A child that the server ends itself leaves no mark on the last status.)
  bool save_in_background() {
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kSave, Value::text("bgsave"));
    const resp::Reply begun = exec(id, {{"MULTI"}, {"INFO", "persistence"}, {"BGSAVE"}, {"EXEC"}});
    if (!begun.is_array()) return false;
    if (begun.items()[1].is_error()) {
      context_.scribe.fail(id);
      return false;
    }
    const int64_t saves = info_number(begun.items()[0].as_text(), "rdb_saves:");
    const os::MonotonicTime patience = context_.os.clock.monotonic() + kSavePatience;
    while (context_.os.clock.monotonic() < patience) {
      if (auto slept = context_.os.clock.sleep_for(kSavePoll); !slept) break;
      const auto info = client_.call(Command{"INFO", "persistence"});
      if (!info || info->is_error()) break;
      if (info->as_text().find("rdb_bgsave_in_progress:0\r\n") == std::string_view::npos) continue;
      const bool complete = info_number(info->as_text(), "rdb_saves:") > saves;
      if (complete) {
        context_.scribe.ok(id, Value::text("OK"));
      } else {
        context_.scribe.fail(id);
      }
      return complete;
    }
    context_.scribe.info(id);
    return false;
  }

 private:
  // The results; where there are none, what that means is in the history.
  resp::Reply exec(OperationId id, const std::vector<Command>& pipeline) {
    const auto replies = client_.call(pipeline);
    if (!replies) {
      context_.scribe.info(id);
      return resp::Reply::nil();
    }
    const resp::Reply& reply = replies->back();
    // MULTI and EXEC frame the pipeline; all between gets a result.
    if (reply.is_array() && reply.items().size() == pipeline.size() - 2) return reply;
    context_.scribe.fail(id);
    return resp::Reply::nil();
  }

  static Value to_answer(const resp::Reply& reply) {
    return reply.is_nil() ? Value::text("(nil)") : to_value(reply);
  }

  void note_view(OperationId id, const std::vector<resp::Reply>& items) {
    std::vector<Value> order;
    std::string_view journal = items[1].as_text();
    while (!journal.empty()) {
      const size_t comma = std::min(journal.find(','), journal.size());
      // What is no number was written by nobody; this number is nobody's as well.
      order.push_back(Value::integer(
          std::max<int64_t>(parse_number(journal.substr(0, comma)).value_or(INT64_MAX), 0)));
      journal.remove_prefix(std::min(comma + 1, journal.size()));
    }
    const std::vector<resp::Reply>& values = items[2].items();
    std::vector<Value> pairs(keys_.size() * 2);
    std::vector<Value> slots;
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (i < values.size()) pairs[2 * i] = to_value(values[i]);
      const int64_t deadline = items[3 + i].as_integer();
      if (deadline >= 0) pairs[2 * i + 1] = Value::integer(deadline);
      slots.push_back(Value::list(std::span(pairs).subspan(2 * i, 2)));
    }
    const int64_t place = items[0].is_nil() ? 0 : parse_number(items[0].as_text()).value_or(0);
    const Value members[] = {Value::text("keys"),  Value::list(slots),
                             Value::text("order"), Value::list(order),
                             Value::text("place"), Value::integer(std::max<int64_t>(place, 0))};
    context_.scribe.ok(id, Value::object(members));
  }

  void save() {
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kSave, Value::text("save"));
    const auto reply = client_.call(Command{"SAVE"});
    if (!reply) {
      context_.scribe.info(id);
    } else if (reply->is_error()) {
      context_.scribe.fail(id);
    } else {
      context_.scribe.ok(id, Value::text("OK"));
    }
  }

  // Of INFO's lines; -1: it is not there.
  static int64_t info_number(std::string_view info, std::string_view name) {
    const size_t at = info.find(name);
    if (at == std::string_view::npos) return -1;
    const std::string_view rest = info.substr(at + name.size());
    return parse_number(rest.substr(0, rest.find('\r'))).value_or(-1);
  }

  ClientContext& context_;
  KvClient client_;
  std::vector<std::string> keys_;
};

// What a client is to do.
class Itinerary {
 public:
  Itinerary(const Scenario& scenario, uint32_t client, base::RandomStream random)
      : scenario_(scenario), client_(client), random_(std::move(random)) {}

  std::vector<std::string> draw() {
    const int64_t count = parameter(scenario_, "operations", 50);
    std::vector<std::string> lines;
    // Half of the clients only write and look: what a child would cut short, or a turn of the log
    // would make durable, needs its time as well.
    const bool quiet = random_.chance(0.5);
    for (int64_t i = 0; i < count; ++i) {
      json line;
      line["think_us"] = draw_think(random_, scenario_, count).count() / 1000;
      const uint64_t lot = random_.below(100);
      if (lot < (quiet ? 85 : 40)) {
        draw_write(line, i);
      } else {
        line["f"] = quiet || lot < 48 ? "view"
                    : lot < 70        ? "bgsave"
                    : lot < 74        ? "save"
                    : lot < 98        ? "rewrite"
                                      : "lastsave";
      }
      lines.push_back(line.dump());
    }
    return lines;
  }

 private:
  void draw_write(json& line, int64_t number) {
    line["f"] = "write";
    // Most values are short; some make files of many sectors.
    const int64_t bytes =
        random_.chance(0.7) ? random_.between(8, 100) : random_.between(100, 6000);
    line["bytes"] = bytes;
    json commands = json::array();
    const int64_t count = random_.between(1, 3);
    for (int64_t i = 0; i < count; ++i) {
      commands.push_back(draw_command(fmt::format("v{}.{}.{}", client_, number, i)));
    }
    line["c"] = std::move(commands);
  }

  std::vector<std::string> draw_command(const std::string& value) {
    const std::string key = key_name(random_.between(0, parameter(scenario_, "keys", 8) - 1));
    const std::string counter = counter_name(random_.between(0, kCounters - 1));
    const std::string deadline = std::to_string(kFarAway + random_.between(0, 1'000'000));
    const uint64_t lot = random_.below(100);
    if (lot < 40) return {"set", key, value};
    if (lot < 50) return {"set", key, value, deadline};
    if (lot < 70) return {"incr", counter};
    if (lot < 82) return {"del", random_.chance(0.8) ? key : counter};
    if (lot < 94) return {"expireat", random_.chance(0.8) ? key : counter, deadline};
    return {"persist", key};
  }

  const Scenario& scenario_;
  uint32_t client_;
  base::RandomStream random_;
};

// The last word on a setting, as the server hears it.
std::string setting(const Scenario& scenario, const sim::Plan& plan, const std::string& node,
                    std::string_view name, std::string_view otherwise) {
  std::string value(otherwise);
  const auto hear = [&](const std::vector<std::string>& options) {
    for (size_t i = 0; i + 1 < options.size(); ++i) {
      if (options[i] == fmt::format("--{}", name)) value = options[i + 1];
    }
  };
  hear(scenario.server_options);
  if (const auto own = scenario.node_options.find(node); own != scenario.node_options.end()) {
    hear(own->second);
  }
  for (const sim::ServerPlan& drawn : plan.servers) {
    if (drawn.server == node) hear(drawn.options);
  }
  return value;
}

// What takes this long by the server's clock, by the history's: a drifting one may be slow.
int64_t by_right_clock_ms(const sim::Plan& plan, int64_t server_ms) {
  const int64_t slow_ppm = sim::to_micros(plan.weather.clock.drift_per_second_max);
  return (server_ms * 1'000'000 - 1) / (1'000'000 - slow_ppm) + 1;
}

// How late before its end an everysec server can have written what it had not synced: the window,
// and for as long as its disk or the whole process may have stood still.
int64_t late_ms(const sim::Plan& plan) {
  const sim::DiskWeather& disk = plan.weather.disk;
  const os::Duration call =
      disk.stall_chance > 0 ? std::max(disk.stall_max, disk.sync_max) : disk.sync_max;
  // Two syncs: the one that was under way, and the next. In between all may stand still for a
  // SAVE, which takes some ten calls, and for a few forks.
  constexpr int kCalls = 12;
  constexpr int64_t kForkedKib = 128;
  os::Duration late = std::chrono::milliseconds(by_right_clock_ms(plan, kWindowMs)) + kCalls * call;
  late += plan.weather.process.fork_pause_per_kib * kForkedKib;
  for (const sim::FaultStep& step : plan.faults) {
    const bool stands_still = step.kind == "process.pause" || step.kind == "process.slow" ||
                              step.kind == "disk.stall" || step.kind == "disk.sync_stall" ||
                              step.kind == "disk.throttle";
    if (stands_still) late += step.lasts;
    // Its calls do not return before the storm is over.
    if (step.kind == "disk.dead") late += plan.storm - step.at;
  }
  return std::chrono::ceil<std::chrono::milliseconds>(late).count();
}

// How a life has ended, in the history's words.
std::string_view manner(const RunFacts& facts, const sim::Incident& incident) {
  if (incident.kind == sim::Incident::Kind::kPowerLost) return "power";
  if (incident.kind == sim::Incident::Kind::kKilled) return "kill";
  if (incident.exit_code != 0) return "exit";
  const bool saves = !setting(facts.scenario, facts.plan, incident.node, "save", "").empty();
  return saves ? "end-saved" : "end";
}

class CrashInFork : public Workload {
 public:
  std::string_view name() const override { return "crash-in-fork"; }
  std::string_view description() const override {
    return "writes that the server numbers, views of everything, BGSAVE, SAVE, BGREWRITEAOF; "
           "parameters: keys, operations a client";
  }
  std::string_view history_type() const override { return "prefix"; }

  Result<void> validate(const Scenario& scenario) const override {
    TRY(known_parameters(scenario, {"keys", "operations"}));
    if (scenario.servers == 1) return {};
    return fail(Errc::kInvalidData, scenario.name + ": crash-in-fork takes one server");
  }

  std::vector<std::string> plan(const Scenario& scenario, uint32_t client,
                                base::RandomStream random) const override {
    return Itinerary(scenario, client, std::move(random)).draw();
  }

  // One small write: where the network cuts every other stream, a large one would never be through.
  void prepare(ClientContext& context) const override {
    Keeper keeper(context);
    const Request request{.f = "write", .commands = {{"set", key_name(0), "init"}}};
    while (keeper.client().ready()) {
      if (keeper.write(request)) return;
    }
  }

  Result<void> run(ClientContext& context) const override {
    Keeper keeper(context);
    for (const std::string& line : context.operations) {
      const Request request = TRY(parse_request(line));
      TRY(context.os.clock.sleep_for(request.think));
      TRY(keeper.ready());
      TRY(keeper.run(request));
    }
    return {};
  }

  // What the faults had stopped goes on with their end: the server can save, and takes writes. In
  // this order: after a save that failed it may refuse writes until one is asked for.
  void finish(ClientContext& context) const override {
    Keeper keeper(context);
    const Request request{.f = "write", .commands = {{"set", key_name(0), "last"}}};
    while (keeper.ready()) {
      if (keeper.save_in_background() && keeper.write(request) && keeper.view()) return;
      if (!context.os.clock.sleep_for(kBetweenTries)) return;
    }
  }

  void incident(const RunFacts& facts, const sim::Incident& incident, Scribe& scribe,
                uint32_t pen) const override {
    if (incident.kind == sim::Incident::Kind::kDiskReplaced) return;
    OperationId id = 0;
    if (incident.kind == sim::Incident::Kind::kStarted) {
      const Scenario& scenario = facts.scenario;
      const bool logs = setting(scenario, facts.plan, incident.node, "appendonly", "no") == "yes";
      const std::string policy =
          setting(scenario, facts.plan, incident.node, "appendfsync", "everysec");
      const Value members[] = {
          Value::text("late_ms"),   Value::integer(late_ms(facts.plan)),
          Value::text("log"),       Value::text(logs ? std::string_view(policy) : "off"),
          Value::text("window_ms"), Value::integer(by_right_clock_ms(facts.plan, kWindowMs))};
      id = scribe.invoke(pen, Function::kStart, Value::object(members));
    } else {
      id = scribe.invoke(pen, Function::kStop, Value::text(manner(facts, incident)));
    }
    scribe.ok(id, Value::text("OK"));
  }

  std::vector<checkers::Verdict> check(const RunFacts&,
                                       const checkers::History& history) const override {
    auto verdict = checkers::check("prefix", history);
    CHECK_MSG(verdict, "{}", verdict.error().message());
    return {*std::move(verdict)};
  }
};

}  // namespace

const Workload* crash_in_fork_workload() {
  static const CrashInFork workload;
  return &workload;
}

}  // namespace seatrial::scenarios
