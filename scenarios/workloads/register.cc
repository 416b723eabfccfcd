// register: SET, GET, INCR, DEL and deadlines on a few keys, each history linearizable by key.
//
// Values are numbers, so that INCR always applies; written ones are unique in the run. Deadlines
// are short, so that many fall into a server's downtime.
#include "base/check.h"
#include "checkers/check.h"
#include "scenarios/kv_client.h"
#include "scenarios/workloads/pace.h"
#include "scenarios/workloads/workload.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace seatrial::scenarios {
namespace {

using base::Errc;
using base::fail;
using checkers::Function;
using checkers::OperationId;
using checkers::Value;
using nlohmann::json;

std::string key_name(uint64_t index) { return fmt::format("k{}", index); }

// A stored value as the history shows it: a number where it is one.
Value to_value(const resp::Reply& reply) {
  if (reply.is_nil()) return {};
  if (reply.is_integer()) return Value::integer(reply.as_integer());
  int64_t number = 0;
  const std::string_view text = reply.as_text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return Value::integer(number);
  return Value::text(text);
}

struct Request {
  Function function;
  std::string key;
  int64_t value = 0;
  int64_t px = 0;
  os::Duration think{0};

  Command command() const {
    switch (function) {
      case Function::kGet: return {"GET", key};
      case Function::kIncr: return {"INCR", key};
      case Function::kDel: return {"DEL", key};
      default: break;
    }
    if (px == 0) return {"SET", key, std::to_string(value)};
    return {"SET", key, std::to_string(value), "PX", std::to_string(px)};
  }
};

Result<Request> parse_request(std::string_view line) {
  const json parsed = json::parse(line, nullptr, false);
  Request request;
  request.key = TRY(text_member(parsed, "k"));
  if (request.key.empty()) {
    return fail(Errc::kInvalidData,
                fmt::format("register: an operation has \"f\" and \"k\", found {}", line));
  }
  const std::string function = TRY(text_member(parsed, "f"));
  request.function = TRY(checkers::parse_function("kvx", function));
  request.value = TRY(number_member(parsed, "v"));
  request.px = TRY(number_member(parsed, "px"));
  request.think = std::chrono::microseconds(TRY(number_member(parsed, "think_us")));
  return request;
}

// Asks, and writes down what came of it.
void ask(ClientContext& context, KvClient& client, const Request& request) {
  OperationId id = 0;
  if (request.function == Function::kSet) {
    const Value members[] = {Value::text("px"), Value::integer(request.px), Value::text("v"),
                             Value::integer(request.value)};
    id = context.scribe.invoke(
        context.client, Function::kSet, request.key,
        request.px == 0 ? Value::integer(request.value) : Value::object(members));
  } else {
    id = context.scribe.invoke(context.client, request.function, request.key);
  }
  const auto reply = client.call(request.command());
  if (!reply) {
    context.scribe.info(id);
  } else if (reply->is_error()) {
    context.scribe.fail(id);
  } else if (request.function == Function::kSet) {
    context.scribe.ok(id, Value::text("OK"));
  } else {
    context.scribe.ok(id, to_value(*reply));
  }
}

class Register : public Workload {
 public:
  std::string_view name() const override { return "register"; }
  std::string_view description() const override {
    return "SET (some with PX), GET, INCR and DEL; parameters: keys, operations a client";
  }
  std::string_view history_type() const override { return "kvx"; }

  Result<void> validate(const Scenario& scenario) const override {
    return known_parameters(scenario, {"keys", "operations"});
  }

  std::vector<std::string> plan(const Scenario& scenario, uint32_t client,
                                base::RandomStream random) const override {
    const auto keys = static_cast<uint64_t>(parameter(scenario, "keys", 4));
    const int64_t count = parameter(scenario, "operations", 60);
    std::vector<std::string> lines;
    for (int64_t i = 0; i < count; ++i) {
      json line;
      line["think_us"] = draw_think(random, scenario, count).count() / 1000;
      line["k"] = key_name(random.below(keys));
      const uint64_t lot = random.below(100);
      const int64_t px = random.between(1, 3000);
      const bool expires = random.chance(0.3);
      line["f"] = lot < 35 ? "get" : lot < 65 ? "set" : lot < 90 ? "incr" : "del";
      if (lot >= 35 && lot < 65) {
        line["v"] = (client + 1) * 1'000'000 + i * 1000;
        if (expires) line["px"] = px;
      }
      lines.push_back(line.dump());
    }
    return lines;
  }

  Result<void> run(ClientContext& context) const override {
    KvClient client(context.os, context.servers);
    for (const std::string& line : context.operations) {
      const Request request = TRY(parse_request(line));
      TRY(context.os.clock.sleep_for(request.think));
      TRY(client.ready());
      ask(context, client, request);
    }
    return {};
  }

  void finish(ClientContext& context) const override {
    KvClient client(context.os, context.servers);
    const auto keys = static_cast<uint64_t>(parameter(context.scenario, "keys", 4));
    for (uint64_t i = 0; i < keys; ++i) {
      if (!client.ready()) return;
      ask(context, client, {.function = Function::kGet, .key = key_name(i)});
    }
  }

  std::vector<checkers::Verdict> check(const RunFacts& facts,
                                       const checkers::History& history) const override {
    auto verdict = checkers::check("kvx", history, {.clock_skew = facts.clock_spread()});
    CHECK_MSG(verdict, "{}", verdict.error().message());
    return {*std::move(verdict)};
  }
};

}  // namespace

const Workload* register_workload() {
  static const Register workload;
  return &workload;
}

}  // namespace seatrial::scenarios
