// reconnect-storm: writers, readers and an operator at a primary and its replicas, whose streams
// are cut again and again.
//
// Everybody speaks to single nodes, and the history names the node of each key: "kv1:2/k0". What
// the nodes held meanwhile is seen by a witness inside them. Values set are unique in the run:
// "<client>.<operation>", so that a write is found among a node's data.
#include "checkers/replica_clients.h"
#include "checkers/replication.h"
#include "scenarios/kv_client.h"
#include "scenarios/replication_witness.h"
#include "scenarios/workloads/pace.h"
#include "scenarios/workloads/reconnect_plan.h"
#include "scenarios/workloads/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace seatrial::scenarios {
namespace {

using namespace std::chrono_literals;

using base::Errc;
using base::fail;
using checkers::Function;
using checkers::OperationId;
using checkers::Value;

constexpr os::Duration kBetweenLooks = 50ms;

// "2/k1" -> 2, "k1".
int database_of(std::string_view key) { return key[0] - '0'; }
std::string name_of(std::string_view key) { return std::string(key.substr(2)); }

Value to_value(const resp::Reply& reply) {
  if (reply.is_nil()) return {};
  return reply.is_integer() ? Value::integer(reply.as_integer()) : Value::text(reply.as_text());
}

// A connection to one of some nodes, and a client's place in the history.
class Hand {
 public:
  Hand(ClientContext& context, std::vector<os::Address> servers)
      : context_(context), client_(context.os, std::move(servers)) {}

  // Connects, if need be to another of the nodes, with database 0 selected.
  Result<void> ready() {
    if (client_.connected()) return {};
    database_ = 0;
    return client_.ready();
  }
  bool connected() const { return client_.connected(); }
  void leave() {
    client_.leave();
    context_.scribe.reconnect(context_.client);
  }

  std::string at(std::string_view key) const {
    return fmt::format("{}:{}", client_.server().host, key);
  }

  // False where the connection is gone, or the server refuses.
  bool select(int database) {
    if (database == database_) return true;
    const auto reply = client_.call({"SELECT", std::to_string(database)});
    if (!reply) context_.scribe.reconnect(context_.client);
    if (!reply || reply->is_error()) return false;
    database_ = database;
    return true;
  }

  // What became of an operation: its answer, where there is one.
  struct Outcome {
    bool ok = false;
    resp::Reply reply = resp::Reply::nil();
  };

  // Asks once and writes down what came of it; `shown` makes of the answer what the history holds.
  template <typename Show>
  Outcome ask(OperationId id, const std::vector<Command>& commands, Show shown) {
    auto replies = client_.call(commands);
    if (!replies) {
      context_.scribe.info(id);
      return {};
    }
    resp::Reply& reply = replies->back();
    if (reply.is_error()) {
      context_.scribe.fail(id);
      return {false, std::move(reply)};
    }
    shown(id, reply);
    return {true, std::move(reply)};
  }

  Outcome ask_key(Function function, std::string_view key, const Value& argument,
                  const Command& command) {
    if (!select(database_of(key))) return {};
    const OperationId id = context_.scribe.invoke(context_.client, function, at(key), argument);
    return ask(id, {command}, [&](OperationId of, const resp::Reply& reply) {
      context_.scribe.ok(of, function == Function::kSet ? Value::text("OK") : to_value(reply));
    });
  }

  // What has no place among a history's functions: the operator's commands, and rare writes.
  Outcome ask_admin(const Command& command) {
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kAdmin, at(""),
                               Value::text(fmt::format("{}", fmt::join(command, " "))));
    return ask(id, {command}, [&](OperationId of, const resp::Reply&) {
      context_.scribe.ok(of, Value::text("OK"));
    });
  }

  Outcome watch(const std::vector<std::string>& keys) {
    if (!select(database_of(keys.front()))) return {};
    std::vector<std::string> names;
    Command command{"WATCH"};
    for (const std::string& key : keys) {
      names.push_back(at(key));
      command.push_back(name_of(key));
    }
    std::vector<Value> values;
    for (const std::string& name : names) values.push_back(Value::text(name));
    const OperationId id =
        context_.scribe.invoke(context_.client, Function::kWatch, Value::list(values));
    return ask(id, {command}, [&](OperationId of, const resp::Reply&) {
      context_.scribe.ok(of, Value::text("OK"));
    });
  }

  // One command of an EXEC, as the history has it and as it goes over the wire.
  struct Part {
    std::string function;
    std::string key;
    std::string value;  // Of set and append.
  };

  // MULTI, the parts with SELECTs between them, EXEC.
  Outcome exec(const std::vector<Part>& parts) {
    std::vector<Command> pipeline{{"MULTI"}};
    std::vector<std::string> names;
    std::vector<size_t> places;  // Of the parts' answers among EXEC's.
    int database = -1;
    for (const Part& part : parts) {
      if (std::exchange(database, database_of(part.key)) != database) {
        pipeline.push_back({"SELECT", std::to_string(database)});
      }
      places.push_back(pipeline.size() - 1);
      pipeline.push_back({part.function, name_of(part.key)});
      if (!part.value.empty()) pipeline.back().push_back(part.value);
      names.push_back(at(part.key));
    }
    pipeline.push_back({"EXEC"});
    database_ = -1;
    const OperationId id = invoke_exec(parts, names);
    return ask(id, pipeline, [&](OperationId of, const resp::Reply& reply) {
      if (reply.is_nil()) return context_.scribe.ok(of, {});
      std::vector<Value> results;
      for (const size_t place : places) {
        results.push_back(place < reply.items().size() ? to_value(reply.items()[place]) : Value());
      }
      context_.scribe.ok(of, Value::list(results));
    });
  }

 private:
  OperationId invoke_exec(const std::vector<Part>& parts, const std::vector<std::string>& names) {
    std::vector<std::vector<Value>> words(parts.size());
    std::vector<Value> commands;
    for (size_t i = 0; i < parts.size(); ++i) {
      words[i] = {Value::text(parts[i].function), Value::text(names[i])};
      if (!parts[i].value.empty()) words[i].push_back(Value::text(parts[i].value));
      commands.push_back(Value::list(words[i]));
    }
    return context_.scribe.invoke(context_.client, Function::kExec, Value::list(commands));
  }

  ClientContext& context_;
  KvClient client_;
  int database_ = -1;  // Selected; -1: not known.
};

// Writes to whichever node takes writes; asks elsewhere once one does not.
class Writer {
 public:
  explicit Writer(ClientContext& context) : context_(context), hand_(context, context.servers) {}

  Result<void> write(const ReconnectRequest& request, int64_t number) {
    TRY(hand_.ready());
    const std::string tag = fmt::format("{}.{}", context_.client, number);
    const Hand::Outcome outcome = carry_out(request, tag);
    if (outcome.ok && request.replicas > 0) wait(request);
    // Read-only, without its primary, loading: somebody else may be better.
    if (outcome.reply.is_error() && hand_.connected()) hand_.leave();
    return {};
  }

 private:
  Hand::Outcome carry_out(const ReconnectRequest& request, const std::string& tag) {
    if (request.f == "unit") return unit(request, tag);
    if (request.f == "flush") return hand_.ask_admin({"FLUSHALL"});
    const std::string& key = request.keys.front();
    const std::string name = name_of(key);
    if (request.f == "set") return set(request, key, tag);
    if (request.f == "incr") return hand_.ask_key(Function::kIncr, key, {}, {"INCR", name});
    if (request.f == "del") return hand_.ask_key(Function::kDel, key, {}, {"DEL", name});
    if (request.f == "append") {
      const std::string tail = "+" + tag;
      return hand_.ask_key(Function::kAppend, key, Value::text(tail), {"APPEND", name, tail});
    }
    if (!hand_.select(database_of(key))) return {};
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        context_.os.clock.wall().time_since_epoch());
    return hand_.ask_admin({"PEXPIREAT", name, std::to_string(now.count() + request.px)});
  }

  Hand::Outcome set(const ReconnectRequest& request, const std::string& key,
                    const std::string& tag) {
    std::string value = tag;
    if (request.pad > 0) value += ':' + std::string(static_cast<size_t>(request.pad), '.');
    Command command{"SET", name_of(key), value};
    const Value members[] = {Value::text("px"), Value::integer(request.px), Value::text("v"),
                             Value::text(value)};
    if (request.px == 0) return hand_.ask_key(Function::kSet, key, Value::text(value), command);
    command.insert(command.end(), {"PX", std::to_string(request.px)});
    return hand_.ask_key(Function::kSet, key, Value::object(members), command);
  }

  Hand::Outcome unit(const ReconnectRequest& request, const std::string& tag) {
    std::vector<Hand::Part> parts;
    for (const std::string& command : request.keys) {
      const size_t space = command.find(' ');
      Hand::Part part{command.substr(0, space), command.substr(space + 1), {}};
      if (part.function == "set") part.value = tag;
      if (part.function == "append") part.value = "+" + tag;
      parts.push_back(std::move(part));
    }
    return hand_.exec(parts);
  }

  void wait(const ReconnectRequest& request) {
    const OperationId id = context_.scribe.invoke(context_.client, Function::kWait, hand_.at(""),
                                                  Value::integer(request.replicas));
    const Command command{"WAIT", std::to_string(request.replicas),
                          std::to_string(request.timeout_ms)};
    hand_.ask(id, {command}, [&](OperationId of, const resp::Reply& reply) {
      context_.scribe.ok(of, Value::integer(reply.as_integer()));
    });
  }

  ClientContext& context_;
  Hand hand_;
};

// A connection to each node, kept as long as it lasts.
class Reader {
 public:
  explicit Reader(ClientContext& context) : context_(context) {}

  Result<void> read(const ReconnectRequest& request) {
    Hand& hand = TRY(hand_of(request.node));
    TRY(hand.ready());
    if (request.f == "get") {
      const std::string& key = request.keys.front();
      hand.ask_key(Function::kGet, key, {}, {"GET", name_of(key)});
      return {};
    }
    if (request.f == "watch") {
      if (!hand.watch(request.keys).ok) return {};
      TRY(context_.os.clock.sleep_for(request.pause));
    }
    hand.exec(reads_of(request.keys));
    return {};
  }

  static std::vector<Hand::Part> reads_of(const std::vector<std::string>& keys) {
    std::vector<Hand::Part> parts;
    for (const std::string& key : keys) parts.push_back({"get", key, {}});
    return parts;
  }

 private:
  // The history knows one connection of a client at a time: it leaves the others.
  Result<std::reference_wrapper<Hand>> hand_of(const std::string& node) {
    if (hand_ && node_ == node) return std::ref(*hand_);
    const auto server = std::ranges::find(context_.servers, node, &os::Address::host);
    if (server == context_.servers.end()) {
      return fail(Errc::kInvalidData, fmt::format("reconnect-storm: no node is called {}", node));
    }
    if (hand_ && hand_->connected()) hand_->leave();
    node_ = node;
    hand_.emplace(context_, std::vector{*server});
    return std::ref(*hand_);
  }

  ClientContext& context_;
  std::string node_;
  std::optional<Hand> hand_;
};

// Tells nodes what to be.
class Operator {
 public:
  explicit Operator(ClientContext& context) : context_(context) {
    for (const os::Address& server : context.servers) {
      hands_.try_emplace(server.host, context, std::vector{server});
    }
  }

  Result<void> ask(const ReconnectRequest& request) {
    const auto hand = hands_.find(request.node);
    if (hand == hands_.end()) {
      return fail(Errc::kInvalidData,
                  fmt::format("reconnect-storm: no node is called {}", request.node));
    }
    TRY(hand->second.ready());
    hand->second.ask_admin(request.words);
    return {};
  }

  // Until it has said yes.
  Result<void> insist(const std::string& node, const Command& command) {
    Hand& hand = hands_.at(node);
    for (;;) {
      TRY(hand.ready());
      if (hand.ask_admin(command).ok) return {};
      TRY(context_.os.clock.sleep_for(kBetweenLooks));
    }
  }

  // The offset up to which a node has the stream; nothing: it does not answer, or its link to its
  // primary is down.
  std::optional<int64_t> offset_of(const std::string& node, bool primary) {
    Hand& hand = hands_.at(node);
    if (!hand.ready()) return std::nullopt;
    const Hand::Outcome outcome = hand.ask_admin({"ROLE"});
    const std::vector<resp::Reply>& items = outcome.reply.items();
    if (!outcome.ok || items.size() < 3) return std::nullopt;
    if (primary && items[0].as_text() == "master") return items[1].as_integer();
    if (primary || items.size() < 5 || items[0].as_text() != "slave") return std::nullopt;
    if (items[3].as_text() != "connected") return std::nullopt;
    return items[4].as_integer();
  }

  Hand& hand(const std::string& node) { return hands_.at(node); }

 private:
  ClientContext& context_;
  std::map<std::string, Hand> hands_;
};

// The judge, after the calm: one primary for all, one more write, and everybody gets there.
class Reunion {
 public:
  explicit Reunion(ClientContext& context) : context_(context), operator_(context) {
    for (const os::Address& server : context.servers) nodes_.push_back(server.host);
  }

  Result<void> run() {
    TRY(operator_.insist(nodes_.front(), {"REPLICAOF", "NO", "ONE"}));
    for (size_t i = 1; i < nodes_.size(); ++i) {
      TRY(operator_.insist(nodes_[i], {"REPLICAOF", nodes_.front(), "6379"}));
    }
    TRY(operator_.insist(nodes_.front(), {"SET", "reunion", "reached"}));
    while (!agree()) TRY(context_.os.clock.sleep_for(kBetweenLooks));
    return read_all();
  }

 private:
  // The last answer asked for is the primary's: at some instant of it, all had this offset.
  bool agree() {
    const auto offset = operator_.offset_of(nodes_.front(), true);
    if (!offset) return false;
    for (size_t i = 1; i < nodes_.size(); ++i) {
      if (operator_.offset_of(nodes_[i], false) != offset) return false;
    }
    return operator_.offset_of(nodes_.front(), true) == offset;
  }

  Result<void> read_all() {
    const int64_t count = parameter(context_.scenario, "keys", 4);
    std::vector<std::string> keys;
    for (int database = 0; database < kReconnectDatabases; ++database) {
      for (int64_t i = 0; i < count; ++i) {
        keys.push_back(fmt::format("{}/k{}", database, i));
        keys.push_back(fmt::format("{}/n{}", database, i));
      }
    }
    for (const std::string& node : nodes_) {
      TRY(operator_.hand(node).ready());
      operator_.hand(node).exec(Reader::reads_of(keys));
    }
    return {};
  }

  ClientContext& context_;
  Operator operator_;
  std::vector<std::string> nodes_;
};

// When all nodes were found to agree: the time of the judge's last ROLE, after which it reads.
// Nothing: it did not come so far.
std::optional<std::pair<checkers::Micros, checkers::Micros>> calm_of(
    const checkers::History& history) {
  const auto operations = history.operations();
  for (size_t i = operations.size(); i-- > 0;) {
    if (operations[i].function != Function::kAdmin) continue;
    if (i + 1 == operations.size() || operations[i].argument.as_text() != "ROLE") break;
    return std::pair(operations[i].invoke_time, operations[i].complete_time);
  }
  return std::nullopt;
}

class ReconnectStorm : public Workload {
 public:
  std::string_view name() const override { return "reconnect-storm"; }
  std::string_view description() const override {
    return "writers, readers and an operator at a primary and its replicas; parameters: keys, "
           "writers, operations a client";
  }
  std::string_view history_type() const override { return "replica"; }

  Result<void> validate(const Scenario& scenario) const override {
    TRY(known_parameters(scenario, {"keys", "writers", "operations"}));
    if (scenario.servers >= 2 && scenario.server == "kv") return {};
    return fail(Errc::kInvalidData, scenario.name + ": replication needs two kv servers");
  }

  std::vector<std::string> plan(const Scenario& scenario, uint32_t client,
                                base::RandomStream random) const override {
    return plan_reconnect(scenario, client, std::move(random));
  }

  Result<void> run(ClientContext& context) const override {
    Operator superintendent(context);
    Writer writer(context);
    Reader reader(context);
    int64_t number = 0;
    for (const std::string& line : context.operations) {
      const ReconnectRequest request = TRY(parse_reconnect(line));
      TRY(context.os.clock.sleep_for(request.think));
      if (request.f == "ask") {
        TRY(superintendent.ask(request));
      } else if (!request.node.empty()) {
        TRY(reader.read(request));
      } else {
        TRY(writer.write(request, ++number));
      }
    }
    return {};
  }

  void finish(ClientContext& context) const override { (void)Reunion(context).run(); }

  std::unique_ptr<Witness> witness(sim::World& world) const override {
    return std::make_unique<ReplicationWitness>(world);
  }

  std::vector<checkers::Verdict> check(const RunFacts& facts,
                                       const checkers::History& history) const override {
    const auto& witness = static_cast<const ReplicationWitness&>(*facts.witness);
    const checkers::ReplicationLog log = witness.log();
    return {checkers::check_replication(log, {.calm = calm_of(history)}),
            checkers::check_replica_clients(log, history)};
  }
};

}  // namespace

const Workload* reconnect_storm_workload() {
  static const ReconnectStorm workload;
  return &workload;
}

}  // namespace seatrial::scenarios
