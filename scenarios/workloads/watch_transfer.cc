// watch-transfer: clients move amounts between accounts under WATCH, and take stock of all
// accounts in one transaction. The total stays; the history is strictly serializable.
//
// A balance is written as "<amount>:<client>.<operation>", so that each written value is unique
// and tells the checker which transaction wrote it.
#include "base/check.h"
#include "checkers/bank.h"
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

constexpr int64_t kInitialBalance = 100;

std::string account_name(int64_t index) { return fmt::format("a{}", index); }

struct Request {
  bool audit = false;
  std::string from;
  std::string to;
  int64_t amount = 0;
  os::Duration think{0};
};

Result<Request> parse_request(std::string_view line) {
  const json parsed = json::parse(line, nullptr, false);
  const std::string f = TRY(text_member(parsed, "f"));
  if (f != "transfer" && f != "audit") {
    return fail(Errc::kInvalidData,
                fmt::format("watch-transfer: \"f\" is transfer or audit, found {}", line));
  }
  Request request;
  request.audit = f == "audit";
  request.from = TRY(text_member(parsed, "from"));
  request.to = TRY(text_member(parsed, "to"));
  request.amount = TRY(number_member(parsed, "amount"));
  request.think = std::chrono::microseconds(TRY(number_member(parsed, "think_us")));
  return request;
}

Result<int64_t> amount_of(std::string_view balance) {
  int64_t amount = 0;
  const auto [end, error] =
      std::from_chars(balance.data(), balance.data() + balance.size(), amount);
  if (error != std::errc() || end == balance.data() + balance.size() || *end != ':') {
    return fail(Errc::kInvalidData, fmt::format("\"{}\" is no balance", balance));
  }
  return amount;
}

// One client: its connection, and its place in the history.
class Teller {
 public:
  explicit Teller(ClientContext& context)
      : context_(context), client_(context.os, context.servers) {}

  KvClient& client() { return client_; }

  // An EXEC of these commands, each {"get", key} or {"set", key, value}. Whether it ran is in the
  // history; the result is false where the connection, or the answer, was lost.
  bool exec(const std::vector<Command>& commands) {
    std::vector<Value> items;
    std::vector<std::vector<Value>> parts;
    parts.reserve(commands.size());
    std::vector<Command> pipeline{{"MULTI"}};
    for (const Command& command : commands) {
      std::vector<Value>& part = parts.emplace_back();
      for (const std::string& word : command) part.push_back(Value::text(word));
      items.push_back(Value::list(part));
      pipeline.push_back(command);
    }
    pipeline.push_back({"EXEC"});
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kExec, Value::list(items));
    const auto replies = client_.call(pipeline);
    if (!replies) {
      context_.scribe.info(id);
      return false;
    }
    const resp::Reply& reply = replies->back();
    if (reply.is_error()) {
      context_.scribe.fail(id);
      // The server has dropped the watches all the same; in a history a failed EXEC keeps them.
      context_.scribe.reconnect(context_.client);
    } else if (reply.is_nil()) {
      context_.scribe.ok(id, {});
    } else {
      std::vector<Value> results;
      for (const resp::Reply& item : reply.items()) {
        results.push_back(item.is_nil() ? Value() : Value::text(item.as_text()));
      }
      context_.scribe.ok(id, Value::list(results));
    }
    return true;
  }

  // False where the connection, and with it what it watched, is gone.
  bool transfer(const Request& request, std::string_view tag) {
    const Value watched[] = {Value::text(request.from), Value::text(request.to)};
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kWatch, Value::list(watched));
    const auto reply = client_.call({"WATCH", request.from, request.to});
    if (!reply) {
      context_.scribe.info(id);
      return false;
    }
    if (reply->is_error()) {
      context_.scribe.fail(id);
      return true;
    }
    context_.scribe.ok(id, Value::text("OK"));
    std::string from;
    std::string to;
    if (!get(request.from, from) || !get(request.to, to)) return false;
    const auto from_amount = amount_of(from);
    const auto to_amount = amount_of(to);
    // Not understood (an error, a missing account): end the watch with a transaction that only
    // reads; what is wrong is for the checker to say.
    if (!from_amount || !to_amount) return exec({{"get", request.from}});
    const int64_t moved = std::min(request.amount, *from_amount);
    return exec({{"set", request.from, fmt::format("{}:{}f", *from_amount - moved, tag)},
                 {"set", request.to, fmt::format("{}:{}t", *to_amount + moved, tag)}});
  }

  void audit() {
    std::vector<Command> commands;
    const int64_t accounts = parameter(context_.scenario, "accounts", 5);
    for (int64_t i = 0; i < accounts; ++i) commands.push_back({"get", account_name(i)});
    (void)exec(commands);
  }

 private:
  bool get(const std::string& key, std::string& into) {
    const OperationId id = context_.scribe.invoke(context_.client, Function::kGet, key);
    const auto reply = client_.call({"GET", key});
    if (!reply) {
      context_.scribe.info(id);
      return false;
    }
    if (reply->is_error()) {
      context_.scribe.fail(id);
      return true;
    }
    context_.scribe.ok(id, reply->is_nil() ? Value() : Value::text(reply->as_text()));
    if (!reply->is_nil()) into = reply->as_text();
    return true;
  }

  ClientContext& context_;
  KvClient client_;
};

class WatchTransfer : public Workload {
 public:
  std::string_view name() const override { return "watch-transfer"; }
  std::string_view description() const override {
    return "transfers with WATCH, MULTI, EXEC; parameters: accounts, operations a client";
  }
  std::string_view history_type() const override { return "txn"; }

  Result<void> validate(const Scenario& scenario) const override {
    TRY(known_parameters(scenario, {"accounts", "operations"}));
    if (parameter(scenario, "accounts", 5) < 2) {
      return fail(Errc::kInvalidData, scenario.name + ": a transfer needs two accounts");
    }
    return {};
  }

  std::vector<std::string> plan(const Scenario& scenario, uint32_t,
                                base::RandomStream random) const override {
    const int64_t accounts = parameter(scenario, "accounts", 5);
    const int64_t count = parameter(scenario, "operations", 30);
    std::vector<std::string> lines;
    for (int64_t i = 0; i < count; ++i) {
      json line;
      line["think_us"] = draw_think(random, scenario, count).count() / 1000;
      const bool audit = random.chance(0.15);
      const int64_t from = random.between(0, accounts - 1);
      const int64_t step = random.between(1, accounts - 1);
      const int64_t amount = random.between(1, 20);
      line["f"] = audit ? "audit" : "transfer";
      if (!audit) {
        line["from"] = account_name(from);
        line["to"] = account_name((from + step) % accounts);
        line["amount"] = amount;
      }
      lines.push_back(line.dump());
    }
    return lines;
  }

  // All accounts come into being in one transaction; tried again until it has been answered.
  void prepare(ClientContext& context) const override {
    Teller teller(context);
    const int64_t accounts = parameter(context.scenario, "accounts", 5);
    for (int attempt = 0; teller.client().ready(); ++attempt) {
      std::vector<Command> commands;
      for (int64_t i = 0; i < accounts; ++i) {
        commands.push_back(
            {"set", account_name(i), fmt::format("{}:init.{}.{}", kInitialBalance, attempt, i)});
      }
      if (teller.exec(commands)) return;
    }
  }

  Result<void> run(ClientContext& context) const override {
    Teller teller(context);
    int64_t number = 0;
    for (const std::string& line : context.operations) {
      const Request request = TRY(parse_request(line));
      TRY(context.os.clock.sleep_for(request.think));
      TRY(teller.client().ready());
      ++number;
      if (request.audit) {
        teller.audit();
      } else {
        (void)teller.transfer(request, fmt::format("{}.{}", context.client, number));
      }
    }
    return {};
  }

  void finish(ClientContext& context) const override {
    Teller teller(context);
    if (teller.client().ready()) teller.audit();
  }

  std::vector<checkers::Verdict> check(const RunFacts&,
                                       const checkers::History& history) const override {
    auto verdict = checkers::check("txn", history);
    CHECK_MSG(verdict, "{}", verdict.error().message());
    return {*std::move(verdict), checkers::check_bank(history)};
  }
};

}  // namespace

const Workload* watch_transfer_workload() {
  static const WatchTransfer workload;
  return &workload;
}

}  // namespace seatrial::scenarios
