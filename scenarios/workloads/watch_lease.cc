// watch-lease: clients contend for a few leases, values with short deadlines, and do guarded
// steps that may run only while the lease they hold lives: WATCH meets expiry.
//
// Every change goes through WATCH and EXEC, so that one of unknown outcome ends with the next
// change of the same lease. Every written value is unique: "<client>.<operation>.<try>".
#include "base/check.h"
#include "checkers/check.h"
#include "scenarios/kv_client.h"
#include "scenarios/workloads/pace.h"
#include "scenarios/workloads/workload.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>

namespace seatrial::scenarios {
namespace {

using base::Errc;
using base::fail;
using checkers::Function;
using checkers::OperationId;
using checkers::Value;
using nlohmann::json;

constexpr int64_t kGuards = 3;

std::string lease_name(int64_t index) { return fmt::format("lease{}", index); }
std::string guard_name(int64_t index) { return fmt::format("guard{}", index); }

struct Request {
  std::string f;
  std::string lease;
  std::string guard;
  int64_t px = 0;
  int64_t tries = 1;
  os::Duration think{0};
  os::Duration pause{0};  // Between tries, or between reading the lease and using it.
  bool to_deadline = false;
  os::Duration past{0};  // With to_deadline: where the pause ends, as seen from the deadline.
};

Result<Request> parse_request(std::string_view line) {
  const json parsed = json::parse(line, nullptr, false);
  Request request;
  if (parsed.is_object()) request.f = parsed.value("f", std::string());
  constexpr std::string_view kFunctions[] = {"acquire", "take", "guard", "release", "look"};
  if (std::ranges::find(kFunctions, request.f) == std::end(kFunctions)) {
    return fail(Errc::kInvalidData, fmt::format("watch-lease: \"f\" is one of {}, found {}",
                                                fmt::join(kFunctions, ", "), line));
  }
  request.lease = parsed.value("k", std::string());
  request.guard = parsed.value("g", std::string());
  request.px = parsed.value("px", int64_t{1000});
  request.tries = parsed.value("tries", int64_t{1});
  request.think = std::chrono::microseconds(parsed.value("think_us", int64_t{0}));
  request.pause = std::chrono::microseconds(parsed.value("pause_us", int64_t{0}));
  request.to_deadline = parsed.contains("past_us");
  request.past = std::chrono::microseconds(parsed.value("past_us", int64_t{0}));
  return request;
}

// A set of a lease: its value, and for how long. Others are as they go over the wire.
struct Lease {
  std::string key;
  std::string value;
  int64_t px = 0;
};

// One client: its connection, its leases, and its place in the history.
class Tenant {
 public:
  explicit Tenant(ClientContext& context)
      : context_(context), client_(context.os, context.servers) {}

  KvClient& client() { return client_; }

  Result<void> run(const Request& request, int64_t number) {
    if (request.f == "acquire") return acquire(request, number);
    if (request.f == "take") {
      if (watch(request.lease)) (void)grant(request, fmt::format("{}.0", tag(number)));
    } else if (request.f == "look") {
      std::string value;
      (void)get(request.lease, value);
    } else if (request.f == "guard") {
      return guard(request, number);
    } else {
      release(request);
    }
    return {};
  }

  // MULTI, these commands, EXEC; a set of `lease`, if there is one, goes first. What came of it
  // is in the history; true if it ran for certain.
  bool exec(const Lease* lease, const std::vector<Command>& commands) {
    std::vector<Command> pipeline{{"MULTI"}};
    std::vector<Value> items;
    std::vector<std::vector<Value>> parts;
    parts.reserve(commands.size() + 1);
    Value members[] = {Value::text("px"), Value(), Value::text("v"), Value()};
    if (lease != nullptr) {
      members[1] = Value::integer(lease->px);
      members[3] = Value::text(lease->value);
      parts.push_back({Value::text("set"), Value::text(lease->key), Value::object(members)});
      items.push_back(Value::list(parts.back()));
      pipeline.push_back({"SET", lease->key, lease->value, "PX", std::to_string(lease->px)});
    }
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
    return note_exec(id, replies->back());
  }

 private:
  bool note_exec(OperationId id, const resp::Reply& reply) {
    if (reply.is_error()) {
      context_.scribe.fail(id);
      return false;
    }
    if (reply.is_nil()) {
      context_.scribe.ok(id, {});
      return false;
    }
    std::vector<Value> results;
    for (const resp::Reply& item : reply.items()) {
      results.push_back(item.is_nil()       ? Value()
                        : item.is_integer() ? Value::integer(item.as_integer())
                                            : Value::text(item.as_text()));
    }
    context_.scribe.ok(id, Value::list(results));
    return true;
  }

  std::string tag(int64_t number) const { return fmt::format("{}.{}", context_.client, number); }

  // False where it watches nothing now.
  bool watch(const std::string& key) {
    const Value keys[] = {Value::text(key)};
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kWatch, Value::list(keys));
    const auto reply = client_.call({"WATCH", key});
    if (!reply) {
      context_.scribe.info(id);
      return false;
    }
    if (reply->is_error()) {
      context_.scribe.fail(id);
      return false;
    }
    context_.scribe.ok(id, Value::text("OK"));
    return true;
  }

  enum class Seen { kLost, kError, kNil, kValue };

  Seen get(const std::string& key, std::string& into) {
    const OperationId id = context_.scribe.invoke(context_.client, Function::kGet, key);
    const auto reply = client_.call({"GET", key});
    if (!reply) {
      context_.scribe.info(id);
      return Seen::kLost;
    }
    if (reply->is_error()) {
      context_.scribe.fail(id);
      return Seen::kError;
    }
    context_.scribe.ok(id, reply->is_nil() ? Value() : Value::text(reply->as_text()));
    if (reply->is_nil()) return Seen::kNil;
    into = reply->as_text();
    return Seen::kValue;
  }

  // Ends the watch with a transaction that only reads.
  bool give_up(const std::string& key) {
    (void)exec(nullptr, {{"get", key}});
    return client_.connected();
  }

  // Sets the lease; what may have become ours is remembered, the next look tells.
  bool grant(const Request& request, std::string value) {
    const Lease lease{request.lease, std::move(value), request.px};
    const bool ran = exec(&lease, {});
    if (ran || !client_.connected()) {
      held_[lease.key] = {lease.value,
                          context_.os.clock.monotonic() + std::chrono::milliseconds(request.px)};
    }
    return ran;
  }

  Result<void> acquire(const Request& request, int64_t number) {
    for (int64_t i = 0; i < request.tries; ++i) {
      if (i > 0) TRY(context_.os.clock.sleep_for(request.pause));
      if (!watch(request.lease)) return {};
      std::string value;
      const Seen seen = get(request.lease, value);
      if (seen == Seen::kLost) return {};
      if (seen == Seen::kNil) {
        if (grant(request, fmt::format("{}.{}", tag(number), i))) return {};
        if (!client_.connected()) return {};
      } else if (!give_up(request.lease)) {
        return {};
      }
    }
    return {};
  }

  // Watches the lease and sees that it is ours; false where it is not, or nothing is watched.
  bool confirm(const std::string& key) {
    const auto mine = held_.find(key);
    if (mine == held_.end() || !watch(key)) return false;
    std::string value;
    const Seen seen = get(key, value);
    if (seen == Seen::kLost) return false;
    if (seen == Seen::kValue && value == mine->second.value) return true;
    held_.erase(mine);
    (void)give_up(key);
    return false;
  }

  Result<void> guard(const Request& request, int64_t number) {
    if (!confirm(request.lease)) return {};
    os::Duration pause = request.pause;
    if (request.to_deadline) {
      pause = held_.at(request.lease).until + request.past - context_.os.clock.monotonic();
    }
    if (pause > os::Duration(0)) TRY(context_.os.clock.sleep_for(pause));
    (void)exec(nullptr, {{"set", request.guard, tag(number)}, {"get", request.lease}});
    return {};
  }

  void release(const Request& request) {
    if (!confirm(request.lease)) return;
    (void)exec(nullptr, {{"del", request.lease}});
    held_.erase(request.lease);
  }

  struct Held {
    std::string value;
    os::MonotonicTime until;  // By our own clock, about.
  };

  ClientContext& context_;
  KvClient client_;
  std::map<std::string, Held, std::less<>> held_;
};

// What a client is to do, turn by turn: it acquires a lease, uses it, and may release it.
class Itinerary {
 public:
  Itinerary(const Scenario& scenario, base::RandomStream random)
      : scenario_(scenario),
        random_(std::move(random)),
        leases_(parameter(scenario, "leases", 3)),
        count_(parameter(scenario, "operations", 50)) {}

  std::vector<std::string> draw() {
    while (!full()) draw_turn();
    return std::move(lines_);
  }

 private:
  bool full() const { return static_cast<int64_t>(lines_.size()) >= count_; }

  void add(json line) {
    if (!full()) lines_.push_back(line.dump());
  }

  void draw_turn() {
    const std::string lease = lease_name(random_.between(0, leases_ - 1));
    // Turns take time of their own, waiting for deadlines.
    const int64_t think = draw_think(random_, scenario_, count_ * 2).count() / 1000;
    const int64_t px = random_.chance(0.6) ? random_.between(20, 200) : random_.between(200, 1500);
    const uint64_t lot = random_.below(100);
    if (lot < 10) return add({{"f", "look"}, {"k", lease}, {"think_us", think}});
    const bool take = lot < 18;
    json first = {{"f", take ? "take" : "acquire"}, {"k", lease}, {"px", px}, {"think_us", think}};
    const int64_t tries = random_.between(1, 6);
    const int64_t pause = random_.between(1'000, 80'000);
    if (!take) {
      first["tries"] = tries;
      first["pause_us"] = pause;
    }
    add(std::move(first));
    for (int64_t steps = random_.between(0, 3); steps > 0; --steps) draw_step(lease, px);
    const int64_t late = random_.between(0, 50'000);
    if (random_.chance(0.3)) add({{"f", "release"}, {"k", lease}, {"think_us", late}});
  }

  // A guarded step: well within the lease's time, anywhere, or close to its end on either side.
  void draw_step(const std::string& lease, int64_t px) {
    json line = {{"f", "guard"}, {"k", lease}, {"g", guard_name(random_.between(0, kGuards - 1))}};
    const uint64_t lot = random_.below(100);
    const int64_t within = random_.between(0, px * 100);
    const int64_t anywhere = random_.between(0, px * 1500);
    const int64_t past = random_.between(-20'000, 100'000);
    line["think_us"] = within / 4;
    if (lot < 30) {
      line["pause_us"] = within;
    } else if (lot < 45) {
      line["pause_us"] = anywhere;
    } else {
      line["past_us"] = past;
    }
    add(std::move(line));
  }

  const Scenario& scenario_;
  base::RandomStream random_;
  int64_t leases_;
  int64_t count_;
  std::vector<std::string> lines_;
};

class WatchLease : public Workload {
 public:
  std::string_view name() const override { return "watch-lease"; }
  std::string_view description() const override {
    return "leases with deadlines under WATCH, guarded steps; parameters: leases, operations a "
           "client";
  }
  std::string_view history_type() const override { return "lease"; }

  Result<void> validate(const Scenario& scenario) const override {
    return known_parameters(scenario, {"leases", "operations"});
  }

  std::vector<std::string> plan(const Scenario& scenario, uint32_t,
                                base::RandomStream random) const override {
    return Itinerary(scenario, std::move(random)).draw();
  }

  Result<void> run(ClientContext& context) const override {
    Tenant tenant(context);
    int64_t number = 0;
    for (const std::string& line : context.operations) {
      const Request request = TRY(parse_request(line));
      TRY(context.os.clock.sleep_for(request.think));
      TRY(tenant.client().ready());
      TRY(tenant.run(request, ++number));
    }
    return {};
  }

  // Everything is read once more, tried again until it has been answered.
  void finish(ClientContext& context) const override {
    Tenant tenant(context);
    std::vector<Command> commands;
    const int64_t leases = parameter(context.scenario, "leases", 3);
    for (int64_t i = 0; i < leases; ++i) commands.push_back({"get", lease_name(i)});
    for (int64_t i = 0; i < kGuards; ++i) commands.push_back({"get", guard_name(i)});
    while (tenant.client().ready()) {
      if (tenant.exec(nullptr, commands)) return;
    }
  }

  std::vector<checkers::Verdict> check(const RunFacts& facts,
                                       const checkers::History& history) const override {
    auto verdict = checkers::check("lease", history, {.clock_skew = facts.clock_spread()});
    CHECK_MSG(verdict, "{}", verdict.error().message());
    return {*std::move(verdict)};
  }
};

}  // namespace

const Workload* watch_lease_workload() {
  static const WatchLease workload;
  return &workload;
}

}  // namespace seatrial::scenarios
