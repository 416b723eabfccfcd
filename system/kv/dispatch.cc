#include "kv/dispatch.h"

#include "base/check.h"
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/session.h"
#include "kv/state.h"
#include "os/mark.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <string>

namespace seatrial::kv {
namespace {

// What Redis quotes of a request that it does not know, in at most about 128 bytes.
std::string quote_args(resp::Args args) {
  constexpr size_t kQuotedMax = 128;
  std::string quoted;
  for (size_t i = 1; i < args.size() && quoted.size() < kQuotedMax; ++i) {
    quoted += fmt::format("'{}' ", args[i].substr(0, kQuotedMax - quoted.size()));
  }
  return quoted;
}

// Answers why the request will not run; within MULTI, EXEC will refuse as well.
void reject(Session& session, resp::Writer& reply, std::string_view error) {
  session.transaction.broken |= session.transaction.open;
  reply.error(error);
}

// As reject(), for a command that is known: an EXEC that cannot run ends its transaction.
void reject(Session& session, resp::Writer& reply, const Command& command, std::string_view error) {
  if (command.name != "exec") return reject(session, reply, error);
  session.discard_transaction();
  if (error.starts_with("ERR ")) error.remove_prefix(4);
  reply.error(fmt::format("EXECABORT Transaction discarded because of: {}", error));
}

// Finds the command and checks its arity; answers and returns nullptr if it cannot be run.
const Command* resolve(State& state, Session& session, resp::Args args, resp::Writer& reply) {
  const Command* command = state.commands.find(args[0]);
  if (command == nullptr) [[unlikely]] {
    reject(session, reply,
           fmt::format("ERR unknown command '{}', with args beginning with: {}",
                       args[0].substr(0, 128), quote_args(args)));
    return nullptr;
  }
  if (!command->subcommands.empty() && args.size() >= 2) {
    const Command* const container = command;
    command = find_subcommand(*container, args[1]);
    if (command == nullptr) {
      std::string upper(container->name);
      for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
      reject(
          session, reply,
          fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", args[1].substr(0, 128), upper));
      return nullptr;
    }
  }
  if (!command->arity_fits(args.size())) [[unlikely]] {
    reject(session, reply, *command,
           fmt::format("ERR wrong number of arguments for '{}' command", command->name));
    return nullptr;
  }
  return command;
}

// What is written would not reach the disk as the settings ask for.
bool snapshots_fail(const State& state) {
  return !state.snapshots.last_background_good && state.config.stop_writes_on_bgsave_error &&
         !state.config.save_points.empty();
}

// Why the command may not run as the server stands; empty: it may.
std::string_view refusal(const State& state, const Session& session, const Command& command) {
  const Transaction& transaction = session.transaction;
  const bool executes = transaction.open && command.name == "exec";
  const bool writes = command.has(kWrite) || (executes && transaction.writes);
  const ReplicationStatus& replication = state.replication;
  const Config& config = state.config;
  if (snapshots_fail(state) && (writes || command.name == "ping")) {
    MARK("dispatch: write refused while snapshots fail");
    return kSnapshotsFail;
  }
  if (writes && !state.log_status.refusal.empty()) {
    MARK("dispatch: write refused while the log fails");
    return state.log_status.refusal;
  }
  if (writes && !replication.replica && config.min_replicas_to_write > 0 &&
      config.min_replicas_max_lag_seconds > 0 &&
      replication.good_replicas < config.min_replicas_to_write) {
    MARK("dispatch: write refused for want of replicas");
    return "NOREPLICAS Not enough good replicas to write.";
  }
  if (!replication.replica) return {};
  if (writes && config.replica_read_only) {
    MARK("dispatch: write refused by a replica");
    return "READONLY You can't write against a read only replica.";
  }
  const bool needs_fresh = !command.has(kStale) || (executes && transaction.needs_fresh);
  if (needs_fresh && !replication.link_up && !config.replica_serve_stale_data) {
    return "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
  }
  return {};
}

void run(State& state, Session& session, const Command& command, resp::Args args,
         resp::Writer& reply, WallMs now) {
  CHECK(command.handler != nullptr);
  ++state.stats.commands;
  session.last_command = &command;
  Context context{state, session, command, args, reply, now};
  command.handler(context);
}

}  // namespace

void run_queued(State& state, Session& session, const Command& command, resp::Args args,
                resp::Writer& reply, WallMs now) {
  // An earlier command of the transaction may have made this server a replica.
  if (state.replication.replica && !session.obeyed()) [[unlikely]] {
    const std::string_view refused = refusal(state, session, command);
    if (!refused.empty()) return reply.error(refused);
  }
  run(state, session, command, args, reply, now);
}

void dispatch(State& state, Session& session, resp::Args args, resp::Writer& reply, WallMs now) {
  CHECK(!args.empty());
  if (state.ending) [[unlikely]] {
    MARK("dispatch: too late, the server ends");
    session.next = resp::Next::kCut;
    return;
  }
  const uint64_t errors = reply.errors();
  const Command* const command = resolve(state, session, args, reply);
  if (command == nullptr) {
    ++state.stats.errors;
    return;
  }
  const Transaction& transaction = session.transaction;
  if (!session.obeyed()) [[likely]] {
    const std::string_view refused = refusal(state, session, *command);
    if (!refused.empty()) [[unlikely]] {
      reject(session, reply, *command, refused);
      ++state.stats.errors;
      return;
    }
  }
  if (transaction.open && command->has(kNoMulti)) {
    reject(session, reply, "ERR Command not allowed inside a transaction");
    ++state.stats.errors;
    return;
  }
  if (transaction.open && !command->has(kUnqueued)) {
    Transaction& queue = session.transaction;
    queue.requests.emplace_back(*command, args);
    queue.writes |= command->has(kWrite);
    queue.needs_fresh |= !command->has(kStale);
    queue.bytes += queue.requests.back().bytes();
    reply.simple("QUEUED");
    if (queue.bytes > static_cast<uint64_t>(state.config.client_query_buffer_bytes)) {
      MARK("dispatch: transaction larger than client-query-buffer-limit");
      session.next = resp::Next::kCut;
    }
    return;
  }
  run(state, session, *command, args, reply, now);
  state.stats.errors += reply.errors() - errors;
  if (!state.effects.empty()) state.hooks.log_effects();
}

Database& Context::database() { return state.keyspace.at(session.database); }
int Context::database_index() const { return session.database; }

Entry* Context::find(std::string_view key) {
  // A replica removes only what its primary's stream does, or a client who may write there.
  const bool hides = state.replication.replica && !command.has(kWrite);
  Entry* const entry = state.keyspace.find(
      session.database, key, now, hides ? Keyspace::Expired::kHidden : Keyspace::Expired::kRemoved);
  if (hides && entry == nullptr && database().find(key) != nullptr) [[unlikely]] {
    MARK("dispatch: a replica hides an expired key");
  }
  return entry;
}

Entry* Context::find(std::string_view key, Type type, bool& wrong_type) {
  Entry* const entry = find(key);
  wrong_type = entry != nullptr && entry->type() != type;
  if (!wrong_type) return entry;
  reply.error(kWrongType);
  return nullptr;
}

void Context::changed(std::string_view key) { state.keyspace.changed(session.database, key); }
void Context::propagate() { state.effects.record(session.database, args); }
void Context::propagate(std::initializer_list<std::string_view> words) {
  state.effects.record(session.database, words);
}
void Context::propagate(resp::Args words) { state.effects.record(session.database, words); }

bool Context::integer(std::string_view text, int64_t& value) {
  const auto number = resp::parse_integer(text);
  if (!number) {
    reply.error(kNotAnInteger);
    return false;
  }
  value = *number;
  return true;
}

void Context::wrong_arity() {
  reply.error(fmt::format("ERR wrong number of arguments for '{}' command", command.name));
}

}  // namespace seatrial::kv
